import { BrokerError } from '../../core/errors.ts';
import { isRecord } from '../../core/is-record.ts';
import { type Position, parsePosition } from '../../core/position.ts';
import type { Check } from '../check.ts';
import { failure, type Outcome, ok, skipped, warning } from '../finding.ts';
import { DOCTOR_CHANNEL, DOCTOR_USER, type Patient } from '../patient.ts';
import { Code, isRefusal, missingNamespace, noAnswer } from './tokens.ts';

const PREFIX = 'CENTRIFUGO_CHANNEL_NAMESPACES_TRPC_';
/** Fewer than these, and a tab that was away for minutes rarely catches up. */
const ENOUGH_HISTORY = 100;
const MESSAGE = { type: 'channel-invalidation' };

export const NAMESPACE_CHECKS: readonly Check[] = [
  { id: 'namespace.history', needs: ['api.key'], run: examineHistory },
  { id: 'namespace.grant', needs: ['token.secret'], run: examineGrant },
  { id: 'delivery.same-broker', needs: ['api.key', 'namespace.grant'], run: examineDelivery },
  { id: 'namespace.recovery', needs: ['namespace.history', 'delivery.same-broker'], run: examineRecovery },
  { id: 'namespace.subscribe', needs: ['token.secret'], run: examineOpenSubscribe },
  { id: 'namespace.publish', needs: ['token.secret'], run: examineOpenPublish },
];

async function examineHistory(patient: Patient): Promise<Outcome> {
  try {
    await position(patient);
    const publish = { publish: { channel: DOCTOR_CHANNEL, data: MESSAGE } };
    await patient.callApi('batch', { commands: Array.from({ length: ENOUGH_HISTORY }, () => publish) });
    const { publications } = await patient.callApi('history', { channel: DOCTOR_CHANNEL, limit: ENOUGH_HISTORY });
    const kept = Array.isArray(publications) ? publications.length : 0;
    if (kept >= ENOUGH_HISTORY) return ok(`Channels keep at least their last ${kept} messages.`);
    return warning(
      `Channels keep only their last ${kept} messages: who missed more fetches everything again.`,
      `Set ${PREFIX}HISTORY_SIZE=300 and ${PREFIX}HISTORY_TTL=10m on the server.`,
    );
  } catch (error) {
    if (!(error instanceof BrokerError)) throw error;
    if (error.brokerCode === Code.UnknownNamespace) return missingNamespace();
    if (error.brokerCode !== Code.NotAvailable) throw error;
    return failure(
      'The namespace trpc keeps no history: nobody can tell what a tab has missed, so it fetches everything again after every break.',
      `Set ${PREFIX}HISTORY_SIZE=300 and ${PREFIX}HISTORY_TTL=10m on the server; only both together count.`,
    );
  }
}

async function position(patient: Patient): Promise<Position | null> {
  return parsePosition({ offset: 0, ...(await patient.callApi('history', { channel: DOCTOR_CHANNEL })) });
}

/** Only asked where the WebSocket told an epoch, so the namespace has a history there. */
async function epochOfApi(patient: Patient): Promise<string | undefined> {
  try {
    return (await position(patient))?.epoch;
  } catch (error) {
    if (error instanceof BrokerError) return undefined;
    throw error;
  }
}

async function subscribeWithToken(patient: Patient, further: Readonly<Record<string, unknown>> = {}) {
  const socket = await patient.connected();
  const token = await patient.signer.channelToken({ userId: DOCTOR_USER, channel: DOCTOR_CHANNEL });
  const reply = await socket?.call('subscribe', { channel: DOCTOR_CHANNEL, token, ...further });
  return { socket, reply };
}

async function examineGrant(patient: Patient): Promise<Outcome> {
  const { reply } = await subscribeWithToken(patient);
  if (reply?.kind === 'result') return ok('A channel token opens its channel.');
  if (reply?.kind === 'error' && reply.code === Code.UnknownNamespace) return missingNamespace();
  const code = reply && 'code' in reply ? ` (${reply.code})` : '';
  return failure(
    `The broker accepts connection tokens and refuses channel tokens${code}.`,
    'Remove CENTRIFUGO_CLIENT_SUBSCRIPTION_TOKEN_ENABLED from the server, or give CENTRIFUGO_CLIENT_SUBSCRIPTION_TOKEN_HMAC_SECRET_KEY the same secret; audience and issuer count for both kinds.',
  );
}

async function examineDelivery(patient: Patient): Promise<Outcome> {
  const { socket, reply } = await subscribeWithToken(patient);
  const epoch = reply?.kind === 'result' ? reply.result.epoch : undefined;
  await patient.callApi('publish', { channel: DOCTOR_CHANNEL, data: MESSAGE });
  // Where both tell their epoch, two different ones need no waiting.
  const isOneStream = typeof epoch !== 'string' || (await epochOfApi(patient)) === epoch;
  if (isOneStream && (await socket?.received(DOCTOR_CHANNEL)))
    return ok('What the server API takes arrives at the WebSocket.');
  return failure(
    'A message was published and did not arrive: the two addresses lead to different brokers, or to nodes that do not share an engine.',
    'Let CENTRIFUGO_API_URL and NEXT_PUBLIC_CENTRIFUGO_WS_URL lead to the same Centrifugo; several nodes need one engine (CENTRIFUGO_ENGINE_TYPE=redis).',
  );
}

async function examineRecovery(patient: Patient): Promise<Outcome> {
  const before = await position(patient);
  const missed = 2;
  for (let at = 0; at < missed; at++) await patient.callApi('publish', { channel: DOCTOR_CHANNEL, data: MESSAGE });
  const { reply } = await subscribeWithToken(patient, { recover: true, ...before });
  const result = reply?.kind === 'result' ? reply.result : {};
  const publications = Array.isArray(result.publications) ? result.publications.filter(isRecord) : [];
  if (result.recovered === true && publications.length >= missed) return ok('A tab that was away gets what it missed.');
  if (result.recoverable === true && publications.length > 0)
    return failure(
      'A tab that was away gets only the latest message: recovery is in cache mode.',
      `Remove ${PREFIX}FORCE_RECOVERY_MODE from the server: announcements are events, each counts.`,
    );
  if (result.recoverable === true)
    return failure(
      'The broker does not give back what was missed, also where it was little.',
      `Set CENTRIFUGO_CLIENT_RECOVERY_MAX_PUBLICATION_LIMIT=300 and ${PREFIX}HISTORY_SIZE=300 on the server.`,
    );
  return failure(
    'The namespace trpc does not recover missed messages: after every break a tab fetches everything again.',
    `Set ${PREFIX}FORCE_RECOVERY=true on the server.`,
  );
}

async function examineOpenSubscribe(patient: Patient): Promise<Outcome> {
  const socket = await patient.connected();
  const reply = await socket?.call('subscribe', { channel: DOCTOR_CHANNEL });
  if (reply?.kind === 'error' && reply.code === Code.PermissionDenied)
    return ok('Without a grant nobody may subscribe.');
  if (reply?.kind === 'error' && reply.code === Code.UnknownNamespace)
    return skipped('There is no namespace trpc to look at.');
  if (reply?.kind !== 'result') return noAnswer();
  return failure(
    'Every user may subscribe to every channel of the namespace trpc, without a grant.',
    `Remove ${PREFIX}ALLOW_SUBSCRIBE_FOR_CLIENT (and CENTRIFUGO_CLIENT_INSECURE, and a subscribe proxy that allows everything) from the server.`,
  );
}

async function examineOpenPublish(patient: Patient): Promise<Outcome> {
  const socket = await patient.connected();
  const reply = await socket?.call('publish', { channel: DOCTOR_CHANNEL, data: MESSAGE });
  if (isRefusal(reply)) return ok('Clients may not publish.');
  if (reply?.kind !== 'result') return noAnswer();
  return warning(
    'Clients may publish to channels of the namespace trpc: any of them can make all others refetch.',
    `Remove ${PREFIX}ALLOW_PUBLISH_FOR_CLIENT and …_FOR_SUBSCRIBER from the server, and give what clients send to each other a namespace of its own.`,
  );
}
