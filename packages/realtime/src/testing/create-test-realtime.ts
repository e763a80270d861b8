import { Connection } from '../client/connection.ts';
import { type ClientParts, RealtimeManager } from '../client/realtime-manager.ts';
import type { ChannelGrant, RealtimeConfig } from '../client/types.ts';
import { type ChannelName, Channels } from '../core/channel.ts';
import type { RealtimeError } from '../core/errors.ts';
import type { Message } from '../core/message.ts';
import type { Position } from '../core/position.ts';
import { MemoryBroker } from './memory-broker.ts';
import { MemoryTransports } from './memory-transport.ts';
import { seededRandom } from './seeded-random.ts';
import { VirtualClock } from './virtual-clock.ts';
import { WireFate, type WireFaults } from './wire-fate.ts';

/** What the broker and the network are like. */
export interface TestRealtimeOptions {
  /** Repeats a run: back-off, jitter and faults. @default 1 */
  readonly seed?: number;
  /** One way. @default 0 */
  readonly latencyMs?: number;
  /** Publications that a channel keeps for recovery. @default 300 */
  readonly historySize?: number;
  /** Channels that one connection may join; more are refused with 106. @default 128 */
  readonly channelLimit?: number;
  /** Who is given grants by `getChannelTokens`. @default everybody for everything */
  readonly mayRead?: (userId: string, channel: string) => boolean;
}

/** A client of the test broker; whatever else a `RealtimeManager` takes may be given as well. */
export interface TestClientOptions extends Partial<Omit<RealtimeConfig, 'clock' | 'random'>> {
  /** @default 'user-1' */
  readonly userId?: string;
  /** The app's own channels, as the manager takes them. */
  readonly channels?: RealtimeConfig['channels'];
  /** What the connection token lists. @default global and the user's own channel */
  readonly connectionChannels?: readonly string[];
  /** Life of connection tokens. @default 86_400 */
  readonly tokenTtlSeconds?: number;
  /** Life of grants. @default 600 */
  readonly grantTtlSeconds?: number;
}

/** A client of the test broker: a manager, and what it asked and reported. */
export interface TestClient {
  /** A real one; only its transport is not. */
  readonly manager: RealtimeManager;
  /** Whose tokens it is given. */
  readonly userId: string;
  /** What `onError` was given. */
  readonly errors: readonly RealtimeError[];
  /** How often `getToken` was called. */
  readonly tokenCalls: number;
  /** The arguments of each call of `getChannelTokens`. */
  readonly grantCalls: readonly (readonly string[])[];
  /** Sockets opened, successful or not. */
  readonly attempts: number;
  /** The channels that its connection has joined, as the broker sees it. */
  readonly channels: readonly string[];
  /** The network cuts the connection; the client notices at once. */
  drop(): void;
  /** Nothing travels any more, and the client does not notice before it misses a ping or probes. */
  halfOpen(): void;
}

/** A broker, a network and clients in memory, on one clock. */
export interface TestRealtime {
  /** Give it to whatever else the test drives, such as `bindQueryClient`. */
  readonly clock: VirtualClock;
  /** What happens on the server's side, and its faults. */
  readonly broker: MemoryBroker;
  /** A client with a manager of its own; it connects with its first subscription. */
  createClient(options?: TestClientOptions): TestClient;
  /** A grant as a server would issue it. */
  grant(userId: string, channel: ChannelName, ttlSeconds?: number): ChannelGrant;
  /** Publishes as a server would. @throws BrokerError while `broker.failPublishes()` is in force */
  publish(channel: ChannelName, message: Message): Position;
  /** What happens to publications on the wire from now on. `{}` ends it. */
  setFaults(faults: WireFaults): void;
  /** Everything that can happen at this moment has happened. */
  settled(): Promise<void>;
  /** Time goes on, step by step. */
  advance(durationMs: number): Promise<void>;
  /** Every machine sleeps: time passes, timers do not run. */
  sleep(durationMs: number): Promise<void>;
  /** Ends all clients. */
  dispose(): void;
}

/** Without a dynamic import: nothing in a test run waits for the real event loop longer than a turn. */
class TestManager extends RealtimeManager {
  protected override async loadParts(): Promise<ClientParts> {
    return { Connection };
  }
}

/**
 * A broker, a network and clients in memory, on a clock that stands still until it is told to go on.
 *
 * ```ts
 * const realtime = createTestRealtime();
 * const { manager } = realtime.createClient({ userId: '1' });
 * manager.subscribe('trpc:global', handler);
 * await realtime.settled();
 * realtime.publish('trpc:global', { type: 'channel-invalidation' });
 * await realtime.settled();
 * ```
 */
export function createTestRealtime(options: TestRealtimeOptions = {}): TestRealtime {
  const { seed = 1, latencyMs = 0, historySize = 300, channelLimit = 128, mayRead = () => true } = options;
  const clock = new VirtualClock();
  const random = seededRandom(seed);
  const broker = new MemoryBroker(clock, { historySize, channelLimit });
  const fate = new WireFate(random);
  const clients = new Set<TestClient>();

  function createClient(clientOptions: TestClientOptions = {}): TestClient {
    const {
      userId = 'user-1',
      connectionChannels,
      tokenTtlSeconds = 86_400,
      grantTtlSeconds = 600,
      ...config
    } = clientOptions;
    const transports = new MemoryTransports({ broker, clock, random, latencyMs, fate: () => fate.next() });
    const errors: RealtimeError[] = [];
    const grantCalls: (readonly string[])[] = [];
    let tokenCalls = 0;
    const channels = connectionChannels ?? [Channels.global(), Channels.user(userId)];
    const { getToken, getChannelTokens, onError } = config;
    const manager = new TestManager({
      wsUrl: 'ws://test/connection/websocket',
      ...config,
      clock,
      random,
      transport: config.transport ?? transports.factory,
      getToken: async () => {
        tokenCalls++;
        return getToken ? getToken() : broker.issueToken({ userId, channels, ttlSeconds: tokenTtlSeconds });
      },
      getChannelTokens:
        'getChannelTokens' in config && !getChannelTokens
          ? undefined
          : async (names) => {
              grantCalls.push(names);
              if (getChannelTokens) return getChannelTokens(names);
              const allowed = names.filter((channel) => mayRead(userId, channel));
              return allowed.map((channel) => ({
                channel,
                token: broker.issueToken({ userId, channel, ttlSeconds: grantTtlSeconds }),
              }));
            },
      onError: (error) => {
        errors.push(error);
        onError?.(error);
      },
    });
    const client: TestClient = {
      manager,
      userId,
      errors,
      grantCalls,
      get tokenCalls() {
        return tokenCalls;
      },
      get attempts() {
        return transports.attempts;
      },
      get channels() {
        return transports.channels;
      },
      drop: () => transports.drop(),
      halfOpen: () => transports.halfOpen(),
    };
    clients.add(client);
    return client;
  }

  return {
    clock,
    broker,
    createClient,
    grant: (userId, channel, ttlSeconds = 600) => ({
      channel,
      token: broker.issueToken({ userId, channel, ttlSeconds }),
    }),
    publish: (channel, message) => broker.publish(channel, message),
    setFaults: (faults) => fate.set(faults),
    settled: () => clock.settle(),
    advance: (durationMs) => clock.advance(durationMs),
    sleep: (durationMs) => clock.sleep(durationMs),
    dispose: () => {
      for (const { manager } of clients) manager.dispose();
      clients.clear();
    },
  };
}
