import { MAX_CONNECTION_CHANNELS } from '../../server/tokens.ts';
import type { Check } from '../check.ts';
import { failure, type Outcome, ok, skipped, warning } from '../finding.ts';
import { DOCTOR_CHANNEL, DOCTOR_USER, type Patient } from '../patient.ts';
import type { Reply } from '../probes/socket-probe.ts';
import { Code } from './tokens.ts';

/** Tabs of one user that are nothing unusual. */
const USUAL_TABS = 10;

export const LIMIT_CHECKS: readonly Check[] = [
  { id: 'limits.channels', needs: ['token.identity'], run: examineChannelLimit },
  { id: 'limits.connections', needs: ['token.secret'], run: examineConnectionLimit },
];

async function examineChannelLimit(patient: Patient): Promise<Outcome> {
  const most = await connectWith(patient, MAX_CONNECTION_CHANNELS);
  if (most?.kind === 'result') return ok(`A connection may have ${MAX_CONNECTION_CHANNELS} channels.`);
  if (most?.kind !== 'closed' || most.code !== Code.ChannelLimit)
    return failure(
      `A connection whose token carries ${MAX_CONNECTION_CHANNELS} channels is refused${most && 'code' in most ? ` (${most.code})` : ''}, and not for their number.`,
      'Is CENTRIFUGO_WEBSOCKET_MESSAGE_SIZE_LIMIT below its default of 65536, or does a proxy cut long messages?',
    );
  let allowed = 0;
  let refused = MAX_CONNECTION_CHANNELS;
  while (refused - allowed > 1) {
    const middle = Math.floor((allowed + refused) / 2);
    if ((await connectWith(patient, middle))?.kind === 'result') allowed = middle;
    else refused = middle;
  }
  return failure(
    `A connection may have only ${allowed} channels; one more in its token ends it for good (${Code.ChannelLimit}).`,
    `Set CENTRIFUGO_CLIENT_CHANNEL_LIMIT=${MAX_CONNECTION_CHANNELS} on the server (its default), or maxChannels of RealtimeManager to ${allowed} and fewer channels in tokens.`,
  );
}

async function connectWith(patient: Patient, count: number): Promise<Reply | null> {
  const channels = Array.from({ length: count }, (_, at) => `${DOCTOR_CHANNEL}:${at}` as const);
  const { reply } = await patient.connect({
    token: await patient.signer.connectionToken({ userId: DOCTOR_USER, channels }),
  });
  return reply;
}

async function examineConnectionLimit(patient: Patient): Promise<Outcome> {
  const token = await patient.signer.connectionToken({ userId: DOCTOR_USER, channels: [] });
  for (let open = 0; open < USUAL_TABS; open++) {
    const { reply } = await patient.connect({ token });
    if (reply?.kind === 'result') continue;
    if (reply?.kind === 'closed' && reply.code === Code.ConnectionLimit)
      return warning(
        `A user may have only ${open} connections: the next tab is refused for good (${Code.ConnectionLimit}).`,
        'Raise CENTRIFUGO_CLIENT_USER_CONNECTION_LIMIT of the server: every tab is a connection.',
      );
    return skipped(`Connection ${open + 1} of one user was not made, for another reason than a limit per user.`);
  }
  return ok(`A user may have ${USUAL_TABS} tabs open.`);
}
