import type { Check } from '../check.ts';
import { failure, type Outcome, ok, warning } from '../finding.ts';
import { DOCTOR_USER, type Patient } from '../patient.ts';
import { readSetting } from '../settings.ts';
import { Code, noAnswer } from './tokens.ts';

/** What the broker's checks of tokens may be asked about: less would take a slow network for a wrong clock. */
const NOTICED_SECONDS = 20;
/** By the `Date` header, which has whole seconds and a network before it. */
const CLOSE_SECONDS = 5;

const FIX =
  'Set the clocks of this machine and of the broker by NTP (timedatectl set-ntp true; in a virtual machine also after it slept).';

/**
 * Tokens tell what the broker's clock says, also through a proxy: one that ends soon must still do, one that has ended must not. The `Date` header
 * of the server API only says by how much.
 */
export const CLOCK_CHECKS: readonly Check[] = [{ id: 'clock.skew', needs: ['token.secret'], run: examineClocks }];

async function examineClocks(patient: Patient): Promise<Outcome> {
  const aheadSeconds = patient.dateAheadMs === undefined ? undefined : Math.round(patient.dateAheadMs / 1000);
  const amount =
    aheadSeconds !== undefined && Math.abs(aheadSeconds) >= NOTICED_SECONDS
      ? `about ${Math.abs(aheadSeconds)}`
      : `more than ${NOTICED_SECONDS}`;
  // A token of one minute, made as if by a clock that is off by a minute less or more than what is noticed.
  const [endsSoon, hasEnded] = [await accepts(patient, NOTICED_SECONDS), await accepts(patient, -NOTICED_SECONDS)];
  if (endsSoon === null || hasEnded === null) return noAnswer();
  if (!endsSoon)
    return failure(`The broker's clock is ${amount} seconds ahead of this one: tokens end too early.`, FIX);
  if (hasEnded)
    return failure(
      `The broker's clock is ${amount} seconds behind this one: what was taken away stays readable for longer.`,
      FIX,
    );
  if (aheadSeconds !== undefined && Math.abs(aheadSeconds) > CLOSE_SECONDS)
    return warning(
      `Whoever answers for the server API has a clock that is ${Math.abs(aheadSeconds)} seconds ${aheadSeconds > 0 ? 'ahead of' : 'behind'} this one.`,
      FIX,
    );
  return ok('The clocks agree.');
}

/** Whether the broker takes a token that ends this many seconds from now; `null` where it says neither. */
async function accepts(patient: Patient, endsInSeconds: number): Promise<boolean | null> {
  const ttlSeconds = 60;
  const signer = patient.signerWith(readSetting(patient.env, 'tokenSecret'), (endsInSeconds - ttlSeconds) * 1000);
  const { reply } = await patient.connect({
    token: await signer.connectionToken({ userId: DOCTOR_USER, channels: [], ttlSeconds }),
  });
  if (reply?.kind === 'result') return true;
  return reply?.kind === 'error' && reply.code === Code.TokenExpired ? false : null;
}
