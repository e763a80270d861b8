import { Channels } from '../../core/channel.ts';
import { isRecord } from '../../core/is-record.ts';
import type { Check } from '../check.ts';
import { failure, type Outcome, ok, skipped, warning } from '../finding.ts';
import { DOCTOR_USER, type Patient } from '../patient.ts';
import type { Reply } from '../probes/socket-probe.ts';

/** Of the client protocol: https://centrifugal.dev/docs/server/codes */
export const Code = {
  UnknownNamespace: 102,
  PermissionDenied: 103,
  LimitExceeded: 106,
  NotAvailable: 108,
  TokenExpired: 109,
  /** From here on a client does not come back by itself. */
  FirstFinalDisconnect: 3500,
  InvalidToken: 3500,
  BadRequest: 3501,
  ConnectionLimit: 3504,
  ChannelLimit: 3505,
} as const;

export const TOKEN_CHECKS: readonly Check[] = [
  {
    id: 'token.secret',
    needs: ['websocket.upgrade', 'env.token-secret'],
    async run(patient) {
      const token = await patient.signer.connectionToken({ userId: DOCTOR_USER, channels: [] });
      const { reply } = await patient.connect({ token });
      return describeConnect(reply, 'The broker accepts tokens that CENTRIFUGO_TOKEN_SECRET signs.');
    },
  },
  {
    id: 'token.forged',
    needs: ['websocket.upgrade'],
    async run(patient) {
      const signer = patient.signerWith(crypto.randomUUID());
      const { reply } = await patient.connect({
        token: await signer.connectionToken({ userId: DOCTOR_USER, channels: [] }),
      });
      if (isRefusal(reply)) return ok('A token of another secret is refused.');
      if (reply?.kind !== 'result') return noAnswer();
      return failure(
        'The broker accepts tokens that anybody has signed: everybody can be every user.',
        'Remove CENTRIFUGO_CLIENT_INSECURE_SKIP_TOKEN_SIGNATURE_VERIFY from the server, and CENTRIFUGO_CLIENT_INSECURE where it is set.',
      );
    },
  },
  {
    id: 'token.missing',
    needs: ['websocket.upgrade'],
    async run(patient) {
      const { reply } = await patient.connect({});
      if (isRefusal(reply)) return ok('A connection without a token is refused.');
      if (reply?.kind !== 'result') return noAnswer();
      return warning(
        'Connections without a token are let in, as anonymous.',
        'Unless you want that, remove CENTRIFUGO_CLIENT_ALLOW_ANONYMOUS_CONNECT_WITHOUT_TOKEN and CENTRIFUGO_CLIENT_INSECURE from the server.',
      );
    },
  },
  { id: 'token.identity', needs: ['token.secret'], run: examineIdentity },
];

/** A connection token as `createConnectionToken({ userId })` makes it: with the channels of everybody and of the user. */
async function examineIdentity(patient: Patient): Promise<Outcome> {
  const channels = [Channels.global(), Channels.user(DOCTOR_USER)];
  const { reply } = await patient.connect({ token: await patient.signer.connectionToken({ userId: DOCTOR_USER }) });
  if (reply?.kind !== 'result') {
    if (reply?.kind === 'error' && reply.code === Code.UnknownNamespace) return missingNamespace();
    return describeConnect(reply, '');
  }
  const joined = isRecord(reply.result.subs) ? Object.keys(reply.result.subs) : [];
  const missing = channels.filter((channel) => !joined.includes(channel));
  if (missing.length === 0) return ok(`A user's connection brings ${channels[0]} and the user's own channel.`);
  return failure(
    `A user's connection comes without ${missing.length === 1 ? 'one of its channels' : 'its channels'}: the broker does not read the subs claim of the token.`,
    'Is there a connect proxy (CENTRIFUGO_CLIENT_PROXY_CONNECT_ENABLED), or a broker that is not Centrifugo 6?',
  );
}

/** Whether the broker said no, which silence is not. */
export function isRefusal(reply: Reply | null | undefined): reply is Extract<Reply, { readonly code: number }> {
  return reply?.kind === 'error' || (reply?.kind === 'closed' && reply.code >= Code.FirstFinalDisconnect);
}

export const noAnswer = (): Outcome => skipped('The broker gave no answer that tells.');

export function missingNamespace(): Outcome {
  return failure(
    'The broker has no namespace trpc: every channel is refused.',
    'Set CENTRIFUGO_CHANNEL_NAMESPACES=trpc on the server, with the options of .env.test (without quotes or commas).',
  );
}

function describeConnect(reply: Reply | null, found: string): Outcome {
  if (reply?.kind === 'result') return ok(found);
  if (reply?.kind === 'closed' && reply.code === Code.InvalidToken)
    return failure(
      'The broker refuses tokens that CENTRIFUGO_TOKEN_SECRET signs (3500 invalid token).',
      "Give CENTRIFUGO_TOKEN_SECRET the value of the server's CENTRIFUGO_CLIENT_TOKEN_HMAC_SECRET_KEY; where the server has CENTRIFUGO_CLIENT_TOKEN_AUDIENCE or …_ISSUER, set the same here. Keys by JWKS exclude this secret.",
    );
  if (reply?.kind === 'error' && reply.code === Code.TokenExpired)
    return failure(
      'The broker finds a token of this moment expired or not yet valid (109): one of the clocks is wrong by a day.',
      'Set the clocks of this machine and of the broker by NTP.',
    );
  if (reply?.kind === 'closed' && reply.code === Code.ConnectionLimit)
    return failure(
      'The broker takes no more connections of one user (3504).',
      'Raise CENTRIFUGO_CLIENT_USER_CONNECTION_LIMIT of the server: every tab is a connection.',
    );
  if (reply?.kind === 'timeout' || reply === null)
    return failure(
      'The WebSocket opened, and then nothing came.',
      'Does a proxy hold frames back, or is something else than Centrifugo behind the address?',
    );
  return failure(
    `The broker ended the connection with ${reply.code}.`,
    'See https://centrifugal.dev/docs/server/codes for the code, and the log of the broker.',
  );
}
