import { type ChannelName, parseChannelName } from '../core/channel.ts';
import { BrokerError, InvalidArgumentError } from '../core/errors.ts';
import type { Message } from '../core/message.ts';
import type { Position } from '../core/position.ts';
import { brokerErrorOf, isRecord, unexpectedAnswer } from './api-client.ts';
import { type RealtimeOptions, type RealtimeParts, resolveParts } from './config.ts';
import { type PublishOptions, toCommand } from './publication.ts';
import { type PublishCommand, type PublishOutcome, type PublishReply, positionOf } from './publish-queue.ts';
import { spreadBySubscribers, spreadOf } from './spread.ts';
import { SubscriberCounts } from './subscriber-counts.ts';
import { countFault, type ObservedPublish, observePublish } from './telemetry.ts';
import type { ChannelTokenRequest, ChannelTokensRequest, ConnectionTokenRequest, IssuedGrant } from './tokens.ts';

/** Centrifugo's code for "reconnect, and fetch new tokens first". centrifuge-js does so since 5.7. */
const STATE_INVALIDATED = { code: 3014, reason: 'state invalidated' };
/** Centrifugo's code for "do not come back". */
const FORCE_DISCONNECT = { code: 3503, reason: 'force disconnect' };

/** A publication that the broker took. */
export interface PublishResult {
  /** The channel that it went to. */
  readonly channel: ChannelName;
  /** Where the publication stands in the channel's stream; `null` where the namespace keeps no history, or the publication skipped it. */
  readonly position: Position | null;
}

/** What `history` is asked for. */
export interface HistoryOptions {
  /** How many publications at most; 0 gives only the position, -1 all there are. @default 0 */
  readonly limit?: number;
  /** Only what came after this position. */
  readonly since?: Position;
  /** Newest first. @default false */
  readonly reverse?: boolean;
}

/** A publication as the broker keeps it. */
export interface HistoryPublication {
  /** Its place in the stream whose epoch is that of `position`. */
  readonly offset: number;
  /** As published: parse it with `parseMessage`. */
  readonly data: unknown;
  /** As given to `publish`, and `traceparent` where the app traces. */
  readonly tags: Readonly<Record<string, string>>;
}

/** What `history` answers. */
export interface History {
  /** The top of the stream. */
  readonly position: Position;
  /** Oldest first, or newest first with `reverse`. Empty where `limit` is 0. */
  readonly publications: readonly HistoryPublication[];
}

/** One connection that is in a channel. */
export interface PresentClient {
  /** The broker's id of the connection. */
  readonly clientId: string;
  /** Empty for an anonymous connection. */
  readonly userId: string;
  /** `info` of the connection token. */
  readonly connectionInfo?: unknown;
  /** `info` of the channel token. */
  readonly channelInfo?: unknown;
}

/** How many are in a channel. */
export interface PresenceStats {
  /** Connections: a user with two tabs counts twice. */
  readonly clients: number;
  /** Different users. */
  readonly users: number;
}

/** For one call to the broker. */
export interface CallOptions {
  /** For the whole call with its retry. @default the instance's `timeoutMs` */
  readonly timeoutMs?: number;
}

/** How connections of a user are ended. */
export interface DisconnectOptions {
  /** Centrifugo's code: 3014, 4000–4499 reconnect; 3500–3999, 4500–4999 are final. @default 3503 (final) */
  readonly code?: number;
  /** At most 32 bytes. @default 'force disconnect' */
  readonly reason?: string;
}

/**
 * The server's side: publishes, asks the broker, and signs tokens.
 *
 * All calls reject with `RealtimeError`s: `invalid_config` (an option or variable is missing or malformed), `invalid_channel`, `invalid_argument`, `api_unavailable`,
 * `api_unauthorized`, `timeout`, and `broker_error` with Centrifugo's code.
 */
export interface Realtime {
  /**
   * Announces something on a channel. Call it after the commit. Publishes of one tick share a request; order per channel is that of the calls.
   * An invalidation without `spreadMs` is given one by the instance's `spread`.
   * @throws also `invalid_message`
   */
  publish(channel: ChannelName, message: Message, options?: PublishOptions): Promise<PublishResult>;
  /**
   * One message on several channels, in one command. Channels given twice are taken once. It is spread as the largest of its first twenty channels asks for;
   * where many small ones make a large one, give the message a `spreadMs`.
   * @returns one outcome per channel. It rejects only for what is wrong before anything was sent.
   */
  publishMany(
    channels: readonly ChannelName[],
    message: Message,
    options?: PublishOptions,
  ): Promise<readonly PublishOutcome[]>;
  /** A channel's position, and its latest publications if `limit` asks for them. Needs history in the namespace (else `broker_error` 108). */
  history(channel: ChannelName, options?: HistoryOptions & CallOptions): Promise<History>;
  /** The positions of several channels in one request; `null` where the broker cannot tell. */
  positions(
    channels: readonly ChannelName[],
    options?: CallOptions,
  ): Promise<ReadonlyMap<ChannelName, Position | null>>;
  /** Who is in a channel. Needs presence in the namespace (else `broker_error` 108). */
  presence(channel: ChannelName): Promise<readonly PresentClient[]>;
  /** How many are in a channel. Needs presence in the namespace (else `broker_error` 108). */
  presenceStats(channel: ChannelName): Promise<PresenceStats>;
  /** About how many connections a channel has. Needs no presence; remembered for `subscriberCountMaxAgeMs`. */
  subscriberCount(channel: ChannelName): Promise<number>;
  /** About how many connections the broker has, on all nodes. Remembered for `subscriberCountMaxAgeMs`. */
  connectionCount(): Promise<number>;
  /** Ends the user's subscriptions of one channel. Channels of the connection token come back with the next connection: see `revoke`. */
  unsubscribe(userId: string, channel: ChannelName): Promise<void>;
  /** Ends the user's connections. */
  disconnect(userId: string, options?: DisconnectOptions): Promise<void>;
  /**
   * Call it when a permission was taken away, after the change is committed. Ends the channel's subscription, or without a channel only makes every
   * client of the user come back with new tokens. At once for honest clients; a hostile one can use a token that it has kept until it expires (`ttlSeconds`).
   */
  revoke(userId: string, channel?: ChannelName): Promise<void>;
  /** A token for `getToken`: who the user is, and the channels that the connection has from the start. */
  createConnectionToken(request: ConnectionTokenRequest): Promise<string>;
  /** A token for one channel. Check first that the user may read it. */
  createChannelToken(request: ChannelTokenRequest): Promise<string>;
  /** Tokens for several channels of one user. Check first that the user may read all of them. */
  createChannelTokens(request: ChannelTokensRequest): Promise<readonly IssuedGrant[]>;
}

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
  console.error('@op/realtime: the spread policy failed', error);
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
