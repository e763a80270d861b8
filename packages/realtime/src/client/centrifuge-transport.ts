import {
  Centrifuge,
  type ClientInfo,
  type PublicationContext,
  UnauthorizedError as SdkUnauthorizedError,
  type ServerSubscribedContext,
} from 'centrifuge';
import { BrokerError, DisconnectedError, RealtimeError, UnauthorizedError } from '../core/errors.ts';
import { BrokerCode, FIRST_BROKER_CODE } from './broker-codes.ts';
import { guardFrames } from './guard-frames.ts';
import {
  type ChannelEvents,
  type Transport,
  type TransportConfig,
  type TransportEvents,
  type TransportJoin,
  type TransportPublication,
  toPublication,
} from './transport.ts';
import { UnnamedStreams } from './unnamed-streams.ts';

/** The transport over the official `centrifuge` client. It translates and decides nothing. */
export function createCentrifugeTransport(config: TransportConfig, events: TransportEvents): Transport {
  // The page's signals come through `networkChanged`: they also ask for proofs, and one listener is enough.
  const network = new EventTarget();
  const unnamed = new UnnamedStreams();
  const { minMs, maxMs } = config.retry;
  const sdk = new Centrifuge(config.wsUrl, {
    name: 'op-realtime',
    timeout: config.timeoutMs,
    minReconnectDelay: minMs,
    maxReconnectDelay: maxMs,
    networkEventTarget: network,
    websocket: guardFrames(
      config.websocket ?? globalThis.WebSocket,
      (reason) => events.failing(0, reason),
      (data) => unnamed.look(data),
    ),
    getToken: () => events.getToken().catch(rethrowForSdk),
  });

  sdk.on('connected', () => events.connected());
  sdk.on('connecting', ({ code, reason }) => events.connecting(code, reason));
  sdk.on('disconnected', ({ code, reason }) => events.disconnected(code, reason));
  sdk.on('error', ({ error }) => events.failing(error.code, error.message));
  const recovering = new Recovering();
  sdk.on('subscribed', (context) => {
    recovering.begin(context);
    unnamed.joined(context.channel, context.streamPosition);
    events.connectionChannel(context.channel).joined(toJoin(context));
  });
  sdk.on('publication', (context) => {
    const channelEvents = events.connectionChannel(context.channel);
    nameStream(context, unnamed, channelEvents);
    channelEvents.published(toTransportPublication(context, recovering));
  });
  sdk.on('join', ({ channel }) => events.connectionChannel(channel).presenceChanged());
  sdk.on('leave', ({ channel }) => events.connectionChannel(channel).presenceChanged());
  sdk.on('subscribing', ({ channel }) => {
    unnamed.left(channel);
    events.connectionChannel(channel).dropped();
  });
  sdk.on('unsubscribed', ({ channel }) => {
    unnamed.left(channel);
    events.connectionChannel(channel).ended(null, 'unsubscribed by the broker');
  });

  return {
    connect: () => sdk.connect(),
    disconnect: () => sdk.disconnect(),
    forgetToken: () => sdk.setToken(''),
    join: (channel, { token, renewToken, since, wantsPresence = false }, channelEvents) => {
      const subscription = sdk.newSubscription(channel, {
        token,
        getToken: () => renewToken().catch(rethrowForSdk),
        since: since ?? null,
        joinLeave: wantsPresence,
        minResubscribeDelay: minMs,
        maxResubscribeDelay: maxMs,
      });
      forward(subscription, channelEvents, recovering, unnamed);
      subscription.subscribe();
      return () => {
        subscription.removeAllListeners();
        unnamed.left(channel);
        sdk.removeSubscription(subscription);
      };
    },
    // Any reply proves the connection, also "not permitted": no namespace has to allow anything for this.
    probe: () => sdk.presenceStats('trpc:global').then(noop, (error: unknown) => void answered(error)),
    networkChanged: (isOnline) => void network.dispatchEvent(new Event(isOnline ? 'online' : 'offline')),
    publish: (channel, data) => sdk.publish(channel, data).then(noop, rejected),
    rpc: (method, data) => sdk.rpc(method, data).then((result) => result.data as unknown, rejected),
    presence: (channel) =>
      sdk.presence(channel).then(({ clients }) => Object.values(clients ?? {}).map(toPresentClient), rejected),
    presenceStats: (channel) =>
      sdk.presenceStats(channel).then((stats) => ({ clients: stats.numClients, users: stats.numUsers }), rejected),
    history: (channel, { limit = 0, since, reverse = false }) =>
      sdk.history(channel, { limit, reverse, ...(since && { since }) }).then(
        ({ epoch, offset, publications }) => ({
          position: { epoch, offset },
          publications: publications.map((context) => ({
            ...toPublication(channel, epoch, toTransportPublication(context)),
            data: context.data as unknown,
          })),
        }),
        rejected,
      ),
    dispose: () => {
      sdk.removeAllListeners();
      for (const subscription of Object.values(sdk.subscriptions())) subscription.removeAllListeners();
      // Without a listener an EventEmitter throws on 'error'.
      sdk.on('error', noop);
      sdk.disconnect();
    },
  };
}

type SdkSubscription = ReturnType<Centrifuge['newSubscription']>;

function forward(
  subscription: SdkSubscription,
  events: ChannelEvents,
  recovering: Recovering,
  unnamed: UnnamedStreams,
): void {
  subscription.on('subscribed', (context) => {
    recovering.begin(context);
    unnamed.joined(context.channel, context.streamPosition);
    events.joined(toJoin(context));
  });
  subscription.on('publication', (context) => {
    nameStream(context, unnamed, events);
    events.published(toTransportPublication(context, recovering));
  });
  for (const kind of ['join', 'leave'] as const)
    subscription.on(kind, ({ info }) => events.presenceChanged({ kind, client: toPresentClient(info) }));
  subscription.on('subscribing', ({ channel }) => {
    unnamed.left(channel);
    events.dropped();
  });
  subscription.on('unsubscribed', ({ channel, code, reason }) => {
    unnamed.left(channel);
    events.ended(code, reason);
  });
}

/** A stream that was joined before it existed begins: the join is told again, now with its place. Nothing was missed. */
function nameStream({ channel, offset }: PublicationContext, unnamed: UnnamedStreams, events: ChannelEvents): void {
  const position = unnamed.begun(channel, offset);
  if (position) events.joined({ position, recovered: true, wasRecovering: false });
}

/**
 * Which channels are being recovered in this turn. The SDK emits a join and the publications that it recovered in one
 * synchronous turn, so a microtask is after the last of them and before the next live one.
 */
class Recovering {
  readonly #channels = new Set<string>();

  begin(context: Pick<ServerSubscribedContext, 'channel' | 'hasRecoveredPublications'>): void {
    if (!context.hasRecoveredPublications) return;
    this.#channels.add(context.channel);
    queueMicrotask(() => this.#channels.delete(context.channel));
  }

  has(channel: string): boolean {
    return this.#channels.has(channel);
  }
}

function toJoin(context: Omit<ServerSubscribedContext, 'channel'>): TransportJoin {
  const { streamPosition, recovered, wasRecovering } = context;
  // An empty epoch means "any" to the broker, so it proves nothing (`unnamed-streams.ts`).
  const position = streamPosition?.epoch ? { epoch: streamPosition.epoch, offset: streamPosition.offset } : null;
  return { position, recovered, wasRecovering };
}

function toTransportPublication(context: PublicationContext, recovering?: Recovering): TransportPublication {
  return {
    data: context.data as unknown,
    offset: context.offset ?? null,
    recovered: recovering?.has(context.channel) ?? false,
    tags: context.tags ?? {},
    ...(context.info === undefined ? {} : { info: toPresentClient(context.info) }),
  };
}

function toPresentClient(info: ClientInfo) {
  return {
    clientId: info.client,
    userId: info.user,
    ...(info.connInfo === undefined ? {} : { connectionInfo: info.connInfo as unknown }),
    ...(info.chanInfo === undefined ? {} : { channelInfo: info.chanInfo as unknown }),
  };
}

function rethrowForSdk(error: unknown): never {
  throw error instanceof UnauthorizedError ? new SdkUnauthorizedError(error.message) : error;
}

/** Passes where the broker answered with an error of its own, throws where nothing came. */
function answered(error: unknown): void {
  const reason = toError(error);
  if (!(reason instanceof BrokerError)) throw reason;
}

function rejected(error: unknown): never {
  throw toError(error);
}

/** The SDK rejects with `{ code, message }` objects. */
function toError(error: unknown): RealtimeError {
  const { code, message } = error as { code?: unknown; message?: unknown };
  if (typeof code !== 'number') return new DisconnectedError('The command could not be sent.');
  if (code >= FIRST_BROKER_CODE) return new BrokerError(code, String(message));
  if (code === BrokerCode.CallTimeout)
    return new RealtimeError('timeout', 'The broker did not answer in time (timeoutMs).');
  return new DisconnectedError(`The connection ended before the broker answered: ${String(message)}.`);
}

function noop(): void {}
