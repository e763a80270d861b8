import { type ChannelName, parseChannelName } from '../core/channel.ts';
import { BrokerError, InvalidArgumentError } from '../core/errors.ts';
import { isRecord } from '../core/is-record.ts';
import type { Message } from '../core/message.ts';
import { brokerErrorOf, positionOf, unexpectedAnswer } from './api-client.ts';
import { type RealtimeOptions, type RealtimeParts, resolveParts } from './config.ts';
import { type PublishOptions, toCommand } from './publication.ts';
import type { PublishCommand, PublishReply } from './publish-command.ts';
import type { HistoryPublication, PresentClient, Realtime } from './realtime.ts';
import { spreadBySubscribers, spreadOf } from './spread.ts';
import { SubscriberCounts } from './subscriber-counts.ts';
import { countFault, type ObservedPublish, observePublish } from './telemetry.ts';

/** Centrifugo's code for "reconnect, and fetch new tokens first". centrifuge-js does so since 5.7. */
const STATE_INVALIDATED = { code: 3014, reason: 'state invalidated' };
/** Centrifugo's code for "do not come back". */
const FORCE_DISCONNECT = { code: 3503, reason: 'force disconnect' };

/**
 * Makes an instance. Nothing is checked or connected before the first use, so it may stand in a module that a build imports without environment.
 *
 * ```ts
 * const realtime = createRealtime({ apiUrl: env.API_URL, apiKey: env.API_KEY, tokenSecret: env.TOKEN_SECRET });
 * ```
 * To rotate the secret: give the broker the new one and the old one as its previous secret (`…_TOKEN_HMAC_PREVIOUS_SECRET_KEY`), then this side the new one;
 * when the longest token has expired, remove the old one.
 */
export function createRealtime(options: RealtimeOptions): Realtime {
  return buildRealtime(resolveParts(options));
}

export function buildRealtime(parts: RealtimeParts): Realtime {
  const { api, queue, signer, clock, timeoutMs, maxMessageBytes, subscriberCountMaxAgeMs, spread, report } = parts;

  /** Writes the command out at once; the promise never rejects. */
  function send(channels: readonly ChannelName[], message: Message, options?: PublishOptions): Promise<PublishReply> {
    const command = toCommand(channels, message, options, maxMessageBytes);
    if (command.channels.length === 0) return Promise.resolve({ outcomes: [], attempts: 0 });
    const trace = observePublish(command.channels);
    const spreadMs = policy ? spreadOf(policy, command.channels, message, spreadFailed) : 0;
    if (!trace && !report) return queue().send(command, spreadMs);
    const traced = trace?.tags ? { ...command, tags: { ...trace.tags, ...command.tags } } : command;
    return observed(traced, spreadMs, message, trace);
  }

  async function observed(
    command: PublishCommand,
    spreadMs: number | Promise<number>,
    message: Message,
    trace: ObservedPublish | null,
  ) {
    const startedAt = clock.now();
    const reply = await queue().send(command, spreadMs);
    const durationMs = clock.now() - startedAt;
    trace?.end(reply, durationMs);
    report?.({ message, ...reply, startedAt, durationMs });
    return reply;
  }

  const call = (method: string, params: unknown, limitMs = timeoutMs) => api().call(method, params, limitMs);

  /** Several commands in one request, one after the other. Rejects with the first error. */
  async function callAll(...commands: Record<string, unknown>[]): Promise<void> {
    for (const reply of await batch(commands, false)) {
      const error = brokerErrorOf(reply);
      if (error) throw error;
    }
  }

  async function batch(commands: readonly unknown[], parallel: boolean, limitMs = timeoutMs) {
    const { replies } = await call('batch', { commands, parallel }, limitMs);
    if (!Array.isArray(replies) || replies.length !== commands.length || !replies.every(isRecord))
      throw unexpectedAnswer('batch');
    return replies;
  }

  const counts = new SubscriberCounts(
    async (channel) => {
      const { channels } = await call('channels', { pattern: channel });
      if (!isRecord(channels)) throw unexpectedAnswer('channels');
      const info = Object.hasOwn(channels, channel) ? channels[channel] : undefined;
      return isRecord(info) ? countOf(info.num_clients) : 0;
    },
    clock,
    subscriberCountMaxAgeMs,
  );

  const connections = new SubscriberCounts(
    async () => {
      const { nodes } = await call('info', {});
      if (!Array.isArray(nodes)) throw unexpectedAnswer('info');
      return nodes.filter(isRecord).reduce((sum, node) => sum + countOf(node.num_clients), 0);
    },
    clock,
    subscriberCountMaxAgeMs,
  );

  const policy =
    typeof spread === 'function'
      ? spread
      : spread &&
        spreadBySubscribers(
          { connections: () => connections.soon('all'), subscribers: (channel) => counts.soon(channel) },
          clock,
          spread,
        );

  return {
    async publish(channel, message, options) {
      const [outcome] = (await send([channel], message, options)).outcomes;
      if (!outcome) throw unexpectedAnswer('publish');
      if (!outcome.ok) throw outcome.error;
      return { channel: outcome.channel, position: outcome.position };
    },
    async publishMany(channels, message, options) {
      return (await send(channels, message, options)).outcomes;
    },
    async history(channel, { limit = 0, since, reverse = false, timeoutMs: limitMs } = {}) {
      const params = { channel: parseChannelName(channel), limit, reverse, ...(since && { since }) };
      const result = await call('history', params, limitMs);
      const position = positionOf(result);
      if (!position) throw unexpectedAnswer('history');
      const list = Array.isArray(result.publications) ? result.publications : [];
      return { position, publications: list.filter(isRecord).map(toHistoryPublication) };
    },
    async positions(channels, { timeoutMs: limitMs } = {}) {
      const names = [...new Set(channels.map(parseChannelName))];
      if (names.length === 0) return new Map();
      if (names.length === 1) {
        const [channel] = names as [ChannelName];
        return new Map([[channel, await call('history', { channel }, limitMs).then(positionOf, nullForBrokerError)]]);
      }
      const commands = names.map((channel) => ({ history: { channel } }));
      const replies = await batch(commands, true, limitMs);
      return new Map(names.map((channel, at) => [channel, positionOf(replies[at]?.history)]));
    },
    async presence(channel) {
      const { presence } = await call('presence', { channel: parseChannelName(channel) });
      if (!isRecord(presence)) throw unexpectedAnswer('presence');
      return Object.entries(presence).flatMap(([clientId, info]) =>
        isRecord(info) ? toPresentClient(clientId, info) : [],
      );
    },
    async presenceStats(channel) {
      const { num_clients, num_users } = await call('presence_stats', { channel: parseChannelName(channel) });
      return { clients: countOf(num_clients), users: countOf(num_users) };
    },
    async subscriberCount(channel) {
      return counts.get(parseChannelName(channel));
    },
    async connectionCount() {
      return connections.get('all');
    },
    async unsubscribe(userId, channel) {
      await call('unsubscribe', { user: parseUserId(userId), channel: parseChannelName(channel) });
    },
    async disconnect(userId, options = {}) {
      await call('disconnect', { user: parseUserId(userId), disconnect: { ...FORCE_DISCONNECT, ...options } });
    },
    async revoke(userId, channel) {
      const user = parseUserId(userId);
      const disconnect = { user, disconnect: STATE_INVALIDATED };
      if (channel === undefined) await call('disconnect', disconnect);
      else await callAll({ unsubscribe: { user, channel: parseChannelName(channel) } }, { disconnect });
    },
    async createConnectionToken(request) {
      return signer().connectionToken(request);
    },
    async createChannelToken(request) {
      return signer().channelToken(request);
    },
    async createChannelTokens({ channels, ...request }) {
      const tokens = signer();
      return Promise.all(
        Array.from(new Set(channels), async (channel) => ({
          channel,
          token: await tokens.channelToken({ ...request, channel }),
        })),
      );
    },
  };
}

function spreadFailed(error: unknown): void {
  countFault('spread');
  console.error('[@op/realtime] The spread policy threw; these refetches are not spread.', error);
}

/** The API acts on all anonymous users where the user is empty. */
function parseUserId(userId: unknown): string {
  if (typeof userId === 'string' && userId !== '') return userId;
  throw new InvalidArgumentError('userId must be a string that is not empty.');
}

function nullForBrokerError(error: unknown): null {
  if (error instanceof BrokerError) return null;
  throw error;
}

function countOf(value: unknown): number {
  return typeof value === 'number' && value >= 0 ? value : 0;
}

function toHistoryPublication({ offset, data, tags }: Record<string, unknown>): HistoryPublication {
  const texts = isRecord(tags) ? Object.entries(tags).filter((tag): tag is [string, string] => isText(tag[1])) : [];
  return { offset: countOf(offset), data, tags: Object.fromEntries(texts) };
}

function isText(value: unknown): value is string {
  return typeof value === 'string';
}

function toPresentClient(clientId: string, info: Record<string, unknown>): PresentClient {
  return {
    clientId,
    userId: isText(info.user) ? info.user : '',
    ...(info.conn_info !== undefined && { connectionInfo: info.conn_info }),
    ...(info.chan_info !== undefined && { channelInfo: info.chan_info }),
  };
}
