import { bindQueryClient } from '@op/realtime/query';
import { QueryClient } from '@tanstack/query-core';
import { backoffMs } from '../../../packages/realtime/src/core/backoff.ts';
import { DEFAULT_SCOPE, roomFor, spreadBySubscribers } from '../../../packages/realtime/src/server/spread.ts';
import { seededRandom } from '../../../packages/realtime/src/testing/seeded-random.ts';
import { FakeManager } from '../../../packages/realtime/test/fake-manager.ts';
import { observe, StampedServer } from '../client/bound-queries.ts';
import { CoarseClock } from './coarse-clock.ts';

const CHANNEL = 'trpc:global';
const QUERY_KEY = ['feed'];
/** As the client's defaults (`retry` of `RealtimeConfig`). */
const RETRY = { minMs: 500, maxMs: 20_000 };
const PEAK_WINDOWS_MS = [100, 1000] as const;

/** What happens to all tabs at once. */
export interface Scenario {
  readonly name: string;
  /** How long it is watched, in virtual milliseconds. */
  readonly durationMs: number;
  /** Whether answers tell how refetches after a loss of history are spread, as the server does by default. */
  readonly isLossSpread?: boolean;
  play(world: World): Promise<void> | void;
}

export interface Outcome {
  readonly scenario: string;
  readonly tabs: number;
  readonly requests: number;
  /** The most requests that began within a second. */
  readonly peakPerSecond: number;
  /** The most within a tenth of a second, as a rate. */
  readonly peakRatePer100Ms: number;
  /** When half of the requests had begun, and the last one, in milliseconds after it happened. */
  readonly halfMs: number;
  readonly lastMs: number;
}

/** Many tabs, each with the shipped binding and one mounted query, on one virtual clock. The connection is a stand-in; requests are answered at once. */
export class World {
  readonly clock = new CoarseClock();
  readonly random: () => number;
  readonly tabs: number;
  /** When requests began. */
  readonly #requests: number[] = [];
  readonly #manager = new FakeManager();
  readonly #ends: (() => void)[] = [];

  constructor(tabs: number, seed: number) {
    this.tabs = tabs;
    this.random = seededRandom(seed);
  }

  async open(isLossSpread: boolean): Promise<void> {
    const lossSpreadMs = isLossSpread ? roomFor(this.tabs, DEFAULT_SCOPE) : 0;
    const bindings = Array.from({ length: this.tabs }, () => {
      const client = new QueryClient();
      const server = new StampedServer(this.#manager, 0, lossSpreadMs);
      const { clock, random } = this;
      const binding = bindQueryClient(client, this.#manager, { answers: server.answers, clock, random });
      const fetch = server.queryFn(CHANNEL, () => ({}));
      const { end } = observe(client, QUERY_KEY, (context) => {
        this.#requests.push(this.clock.now());
        return fetch(context);
      });
      this.#ends.push(() => {
        end();
        binding.dispose();
        client.clear();
      });
      return binding;
    });
    for (;;) {
      await this.clock.advance(0);
      if (bindings.every((binding) => binding.status(QUERY_KEY).state === 'live')) break;
    }
    this.#requests.length = 0;
  }

  close(): void {
    for (const end of this.#ends) end();
  }

  /** One invalidation for everybody, with the spread that the server's default policy gives it, or none. */
  publish(isSpread: boolean): void {
    this.#manager.publish(CHANNEL, this.#message(isSpread));
  }

  /** Appended to the stream; nobody who is connected is told. */
  publishUnheard(isSpread: boolean): void {
    this.#manager.append(CHANNEL, this.#message(isSpread));
  }

  #message(isSpread: boolean) {
    const counts = { connections: () => this.tabs, subscribers: () => this.tabs };
    const spreadMs = isSpread ? spreadBySubscribers(counts, this.clock)(CHANNEL) : 0;
    return { type: 'channel-invalidation', spreadMs: spreadMs as number } as const;
  }

  /** The broker forgets everything, and is away for this long. Every tab comes back by itself, after the client's own pauses. */
  restartBroker(awayMs: number): void {
    this.#manager.drop();
    this.#manager.newEpoch(CHANNEL, 'after');
    this.#comeBack(1, awayMs, null);
  }

  /** A share of the tabs loses its node, moves to another one at once or after the client's pause, and recovers what it missed. */
  endNode(share: number, missed = () => {}): void {
    const since = this.#manager.top(CHANNEL);
    missed();
    this.#comeBack(share, 0, since);
  }

  /** @param since where recovery begins; nothing is recovered without it */
  #comeBack(share: number, awayMs: number, since: { epoch: string; offset: number } | null): void {
    const subscriptions = [...(this.#manager.subscriptions.get(CHANNEL) ?? [])];
    const movers = subscriptions.slice(0, Math.round(subscriptions.length * share));
    for (const subscription of movers) {
      if (subscription.joined) subscription.options.onLoss?.({ channel: CHANNEL, kind: 'dropped' });
      subscription.joined = false;
      let afterMs = 0;
      let attempt = 0;
      do afterMs += backoffMs(attempt++, RETRY, this.random);
      while (afterMs < awayMs);
      this.clock.after(afterMs, () => {
        subscription.joined = true;
        const top = this.#manager.top(CHANNEL);
        const position = since ?? top;
        subscription.options.onJoin?.({ channel: CHANNEL, position, recovered: since !== null, wasRecovering: true });
        if (!since) return;
        for (let offset = since.offset + 1; offset <= top.offset; offset++)
          subscription.handler(this.#message(true), {
            channel: CHANNEL,
            position: { epoch: top.epoch, offset },
            recovered: true,
            tags: {},
          });
      });
    }
  }

  outcome(scenario: string, startedAt: number): Outcome {
    const times = this.#requests.map((at) => at - startedAt).sort((a, b) => a - b);
    const [peakPer100Ms, peakPerSecond] = PEAK_WINDOWS_MS.map((windowMs) => mostWithin(times, windowMs));
    return {
      scenario,
      tabs: this.tabs,
      requests: times.length,
      peakPerSecond: peakPerSecond!,
      peakRatePer100Ms: peakPer100Ms! * 10,
      halfMs: Math.round(times[Math.floor((times.length - 1) / 2)] ?? 0),
      lastMs: Math.round(times.at(-1) ?? 0),
    };
  }
}

/** The most of these sorted moments that lie within one window. */
function mostWithin(times: readonly number[], windowMs: number): number {
  let most = 0;
  for (let first = 0, last = 0; last < times.length; last++) {
    while (times[last]! - times[first]! >= windowMs) first++;
    most = Math.max(most, last - first + 1);
  }
  return most;
}

export async function simulate(scenario: Scenario, tabs: number, seed: number): Promise<Outcome> {
  const world = new World(tabs, seed);
  await world.open(scenario.isLossSpread ?? false);
  const startedAt = world.clock.now();
  await scenario.play(world);
  await world.clock.advance(startedAt + scenario.durationMs - world.clock.now());
  const outcome = world.outcome(scenario.name, startedAt);
  world.close();
  return outcome;
}

export const SCENARIOS: readonly Scenario[] = [
  { name: 'one publication for all, not spread', durationMs: 5_000, play: (world) => world.publish(false) },
  { name: 'one publication for all, spread by default', durationMs: 30_000, play: (world) => world.publish(true) },
  {
    name: 'ten publications a second for 10 s, spread by default',
    durationMs: 60_000,
    async play(world) {
      for (let at = 0; at < 100; at++) {
        world.publish(true);
        await world.clock.advance(100);
      }
    },
  },
  {
    name: 'the only broker restarts, away for 3 s, history lost, not spread',
    durationMs: 60_000,
    play: (world) => world.restartBroker(3_000),
  },
  {
    name: 'the only broker restarts, away for 3 s, history lost, spread by default',
    durationMs: 60_000,
    isLossSpread: true,
    play: (world) => world.restartBroker(3_000),
  },
  {
    name: 'a deploy ends one of two nodes, history kept, nothing missed',
    durationMs: 60_000,
    play: (world) => world.endNode(0.5),
  },
  {
    name: 'the same, one publication missed, spread by default',
    durationMs: 60_000,
    play: (world) => world.endNode(0.5, () => world.publishUnheard(true)),
  },
  {
    name: 'the broker is away for 5 minutes, history lost, spread by default',
    durationMs: 360_000,
    isLossSpread: true,
    play: (world) => world.restartBroker(300_000),
  },
];
