import type { Random } from '../src/core/clock.ts';
import { seededRandom } from '../src/testing/seeded-random.ts';
import { startAppServer, Topics } from './app-server.ts';
import { type BrokerEngine, BrokerProcess } from './broker-process.ts';
import { Database } from './database.ts';
import { Tab } from './tab.ts';

export interface ConvergeOptions {
  readonly seed: number;
  /** @default 20 */
  readonly tabs?: number;
  /** Random events before the network heals. @default 200 */
  readonly steps?: number;
  /** @default 'embedded' */
  readonly engine?: BrokerEngine;
}

export interface ConvergeResult {
  readonly seed: number;
  readonly commits: number;
  readonly faults: number;
  /** From the last fault healed to every tab live and equal to the database. */
  readonly convergedAfterMs: number;
  /** Empty if every mounted query shows the truth and says so. */
  readonly differences: readonly string[];
}

const TOPICS = ['a', 'b', 'c'];
const CONVERGENCE_LIMIT_MS = 45_000;

/**
 * The whole stack for real: tRPC server, broker in a process of its own, tabs with real query clients behind bad networks. Random writes and faults, all drawn
 * from the seed; then the network heals, and every mounted query must become live and equal to the database. Which call meets which fault still depends on
 * the machine: a seed repeats the events, not their timing.
 */
export async function converge({
  seed,
  tabs: count = 20,
  steps = 200,
  engine = 'embedded',
}: ConvergeOptions): Promise<ConvergeResult> {
  const random = seededRandom(seed);
  const database = new Database();
  const broker = await BrokerProcess.start(engine);
  const server = await startAppServer({ database, broker, random: seededRandom(seed + 1), maxLatencyMs: 30 });
  const ports = { api: server.port, broker: broker.port };
  const tabs = await Promise.all(Array.from({ length: count }, (_, at) => Tab.open(`tab-${at}`, ports)));
  const running: Promise<void>[] = [];
  let faults = 0;
  try {
    for (const tab of tabs) mountSomething(tab, random);
    for (let step = 0; step < steps; step++) {
      const event = pick(random, EVENTS);
      const isFault = await event({ random, database, broker, tabs, running, note: `${seed}.${step}`, server });
      if (isFault) faults++;
      await new Promise((resolve) => setTimeout(resolve, random() * 40));
    }
    await broker.revive();
    for (const tab of tabs) {
      tab.api.heal();
      tab.sockets.heal();
      tab.focus.set(true);
      if (tab.shown.length === 0) mountSomething(tab, random);
    }
    await Promise.all(running);
    const healedAt = performance.now();
    let differences: string[];
    do {
      await new Promise((resolve) => setTimeout(resolve, 50));
      for (const tab of tabs) tab.tryAgain();
      differences = tabs.flatMap((tab) => tab.differences(database));
    } while (differences.length > 0 && performance.now() - healedAt < CONVERGENCE_LIMIT_MS);
    const convergedAfterMs = Math.round(performance.now() - healedAt);
    return { seed, commits: database.commits, faults, convergedAfterMs, differences };
  } finally {
    await Promise.all(tabs.map((tab) => tab.close()));
    await server.close();
    await broker.kill();
  }
}

interface World {
  readonly random: Random;
  readonly database: Database;
  readonly broker: BrokerProcess;
  readonly server: Awaited<ReturnType<typeof startAppServer>>;
  readonly tabs: readonly Tab[];
  /** What must be over before the truth is final. */
  readonly running: Promise<void>[];
  readonly note: string;
}

/** Something happens. Returns whether it is a fault. */
type Event = (world: World) => boolean | Promise<boolean>;

const write: Event = ({ random, tabs, running, note }) => {
  running.push(pick(random, tabs).append(pick(random, TOPICS), note));
  return false;
};

/** A write that no tab made: a job of the server. */
const writeOnServer: Event = ({ random, database, server, running, note }) => {
  const topic = pick(random, TOPICS);
  database.append(topic, note);
  running.push(announce(server, topic));
  return false;
};

const mount: Event = ({ random, tabs }) => {
  mountSomething(pick(random, tabs), random);
  return false;
};

/** Each event with its weight. */
const EVENTS: readonly Event[] = [
  ...Array<Event>(10).fill(write),
  ...Array<Event>(4).fill(writeOnServer),
  ...Array<Event>(2).fill(mount),
  ({ random, tabs, running }) => {
    running.push(pick(random, tabs).clear(pick(random, TOPICS)));
    return false;
  },
  ({ random, tabs, running }) => {
    running.push(pick(random, tabs).appendOptimistically(pick(random, TOPICS)));
    return false;
  },
  ({ random, tabs }) => {
    const tab = pick(random, tabs);
    if (tab.shown.length > 1) tab.unmount(pickNumber(random, tab.shown.length));
    return false;
  },
  ({ random, tabs }) => {
    const tab = pick(random, tabs);
    tab.focus.set(!tab.focus.on);
    return false;
  },
  ({ random, tabs }) => {
    pick(random, tabs).sockets.cut();
    return true;
  },
  ({ random, tabs }) => {
    // Asleep: nothing passes until the network heals or the stall is taken back.
    const tab = pick(random, tabs);
    const isAsleep = random() < 0.5;
    tab.sockets.stall(isAsleep);
    tab.api.stall(isAsleep);
    return true;
  },
  ({ random, tabs }) => {
    pick(random, tabs).api.delay(random() < 0.5 ? 0 : random() * 300);
    return true;
  },
  ({ random, tabs }) => {
    const tab = pick(random, tabs);
    tab.sockets.refuse(random() < 0.5);
    tab.sockets.cut();
    return true;
  },
  ({ random, tabs }) => {
    pick(random, tabs).api.cut();
    return true;
  },
  async ({ random, broker }) => {
    // Killed, or back again, some of the times that this comes up.
    if (random() < 0.7) return false;
    if (broker.isRunning) await broker.kill();
    else await broker.revive();
    return true;
  },
];

function mountSomething(tab: Tab, random: Random): void {
  if (tab.shown.length > 6) return;
  const kind = random();
  const topic = pick(random, TOPICS);
  if (kind < 0.5) tab.mountList(topic);
  else if (kind < 0.8)
    tab.mountBoth(
      topic,
      pick(
        random,
        TOPICS.filter((other) => other !== topic),
      ),
    );
  else tab.mountCount(topic);
}

/**
 * A job announces until the broker has taken it: "publish after commit" with a retry of its own. Otherwise a broker that is down at that moment would be right to
 * leave everybody unaware (freshness rule A8).
 */
async function announce(server: World['server'], topic: string): Promise<void> {
  for (;;) {
    try {
      await server.realtime.publish(Topics.topic(topic), { type: 'channel-invalidation' });
      return;
    } catch {
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }
}

function pickNumber(random: Random, below: number): number {
  return Math.floor(random() * below);
}

function pick<T>(random: Random, items: readonly T[]): T {
  const item = items[pickNumber(random, items.length)];
  if (item === undefined) throw new RangeError('nothing to pick from');
  return item;
}
