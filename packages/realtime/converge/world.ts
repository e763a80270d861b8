import type { Random } from '../src/core/clock.ts';
import type { AppServer } from './app-server.ts';
import type { BrokerProcess } from './broker-process.ts';
import type { Database } from './database.ts';
import { Tab } from './tab.ts';

export const TOPICS = ['a', 'b', 'c'];

/** For a run, for ever. */
const LONG_CONNECTION_SECONDS = 600;
const LONG_GRANT_SECONDS = 60;

/** How long a fault is waited for until it has taken hold. One that does not in time is no less a fault. */
const TAKES_HOLD_MS = 8_000;

/** Everything that a run is made of. */
export class World {
  readonly random: Random;
  readonly database: Database;
  readonly broker: BrokerProcess;
  readonly server: AppServer;
  readonly tabs: Tab[] = [];
  /** What must be over before the truth is final. */
  readonly running: Promise<void>[] = [];
  #notes = 0;
  #opened = 0;

  constructor(parts: Pick<World, 'random' | 'database' | 'broker' | 'server'>) {
    this.random = parts.random;
    this.database = parts.database;
    this.broker = parts.broker;
    this.server = parts.server;
  }

  /** A user opens a page. One in four has the grants in answers only; those of the others expire in a run, and so do all connection tokens. */
  async open(): Promise<Tab> {
    const at = this.#opened++;
    const name = `tab-${at}`;
    const asksForGrants = at % 4 !== 0;
    Object.assign(this.server.livesOf(name), {
      connectionSeconds: 4,
      grantSeconds: asksForGrants ? 4 : LONG_GRANT_SECONDS,
    });
    const leaveGraceMs = at % 2 ? 300 : 1_500;
    return Tab.open({ name, asksForGrants, leaveGraceMs, ports: { api: this.server.port, broker: this.broker.port } });
  }

  /** Tokens live long from now on: on a busy machine those of a second may have expired before they are used, again and again. */
  issueLongTokens(): void {
    for (const { name } of this.tabs)
      Object.assign(this.server.livesOf(name), {
        connectionSeconds: LONG_CONNECTION_SECONDS,
        grantSeconds: LONG_GRANT_SECONDS,
      });
  }

  /** The page is closed, and another one opened instead. */
  async replace(tab: Tab): Promise<Tab> {
    const next = await this.open();
    this.tabs[this.tabs.indexOf(tab)] = next;
    this.running.push(tab.close());
    return next;
  }

  mountSomething(tab: Tab): void {
    if (tab.shown.length > 6) return;
    const kind = this.random();
    const topic = this.pick(TOPICS);
    if (kind < 0.5) tab.mountList(topic);
    else if (kind < 0.8) tab.mountBoth(topic, this.pick(TOPICS.filter((other) => other !== topic)));
    else tab.mountVersion(topic);
  }

  /** A write that no tab made: a job of the server. */
  writeOnServer(topic: string): Promise<void> {
    this.database.append(topic, this.note());
    return this.server.announce(topic);
  }

  note(): string {
    return `n${++this.#notes}`;
  }

  below(limit: number): number {
    return Math.floor(this.random() * limit);
  }

  shuffle<T>(items: readonly T[]): T[] {
    return items
      .map((item) => [this.random(), item] as const)
      .sort(([a], [b]) => a - b)
      .map(([, item]) => item);
  }

  pick<T>(items: readonly T[]): T {
    const item = items[this.below(items.length)];
    if (item === undefined) throw new RangeError('nothing to pick from');
    return item;
  }
}

export function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

/** Waits until something is so, or has had its time. */
export async function until(condition: () => boolean): Promise<void> {
  const deadlineMs = performance.now() + TAKES_HOLD_MS;
  while (!condition() && performance.now() < deadlineMs) await pause(20);
}
