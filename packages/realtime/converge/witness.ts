import type { Database } from './database.ts';
import { isWishful, type Shown, type Tab } from './tab.ts';

/** A tab hears of an announcement within this time, unless its network is at fault. */
const HEARD_WITHIN_MS = 5_000;
/** A look that comes later than this after the last one says that this process stood still: no more than this counts. */
const MAX_STEP_MS = 100;
const MAX_LIES = 10;

/**
 * Watches what tabs say about their data while things happen. To call data live is a lie
 * - without a connection;
 * - while it shows what was never committed, or lacks an own write whose answer came;
 * - if the same entry was newer before;
 * - if it lacks what was announced long ago, and the socket's network was good ever since.
 */
export class Witness {
  readonly lies: string[] = [];
  readonly #database: Database;
  readonly #topics: readonly string[];
  readonly #tabs: () => readonly Tab[];
  readonly #timer: NodeJS.Timeout;
  readonly #highest = new WeakMap<Shown, readonly number[]>();
  readonly #healthySince = new WeakMap<Tab, number>();
  readonly #announced: { readonly atMs: number; readonly versions: ReadonlyMap<string, number> }[] = [];
  readonly #ends = new Map<Tab, () => void>();
  #lastMs = performance.now();
  /** Time during which this process ran. */
  #awakeMs = 0;

  constructor(database: Database, topics: readonly string[], tabs: () => readonly Tab[]) {
    this.#database = database;
    this.#topics = topics;
    this.#tabs = tabs;
    this.#timer = setInterval(() => this.#look(), 40);
  }

  stop(): void {
    clearInterval(this.#timer);
    for (const end of this.#ends.values()) end();
  }

  #look(): void {
    const nowMs = performance.now();
    this.#awakeMs += Math.min(nowMs - this.#lastMs, MAX_STEP_MS);
    this.#lastMs = nowMs;
    const versions = new Map(this.#topics.map((topic) => [topic, this.#database.announcedVersion(topic)]));
    this.#announced.push({ atMs: this.#awakeMs, versions });
    while ((this.#announced[1]?.atMs ?? Number.POSITIVE_INFINITY) <= this.#awakeMs - HEARD_WITHIN_MS)
      this.#announced.shift();
    for (const tab of this.#tabs()) {
      if (!this.#ends.has(tab))
        this.#ends.set(
          tab,
          tab.binding.subscribe(() => this.#judge(tab)),
        );
      if (!tab.sockets.isHealthy || tab.clock.isAsleep) this.#healthySince.delete(tab);
      else if (!this.#healthySince.has(tab)) this.#healthySince.set(tab, this.#awakeMs);
      this.#judge(tab);
    }
  }

  #judge(tab: Tab): void {
    for (const shown of tab.shown) {
      if (tab.binding.status(shown.queryKey).state !== 'live') continue;
      const data = tab.queryClient.getQueryData(shown.queryKey);
      const held = data === undefined ? [] : shown.versions(data);
      const highest = this.#highest.get(shown);
      this.#highest.set(shown, held);
      if (tab.manager.status.state !== 'connected') this.#lie(tab, shown, 'has no connection');
      if (isWishful(data)) this.#lie(tab, shown, 'shows what was never committed');
      for (const [at, topic] of shown.topics.entries()) {
        const version = held[at] ?? -1;
        const own = tab.acknowledged.get(topic) ?? 0;
        const announced = this.#announcedToAll(tab)?.get(topic) ?? 0;
        if (version < own) this.#lie(tab, shown, `lacks its own write ${own} of ${topic}`);
        if (version < (highest?.[at] ?? 0)) this.#lie(tab, shown, `held ${highest?.[at]} of ${topic} before`);
        if (version < announced) this.#lie(tab, shown, `lacks ${announced} of ${topic}, announced long ago`);
      }
    }
  }

  /** What had been announced so long ago that this tab must have heard of it. */
  #announcedToAll(tab: Tab): ReadonlyMap<string, number> | undefined {
    const healthySince = this.#healthySince.get(tab);
    const known = this.#announced[0];
    const latestMs = this.#awakeMs - HEARD_WITHIN_MS;
    return known && healthySince !== undefined && healthySince <= latestMs && known.atMs <= latestMs
      ? known.versions
      : undefined;
  }

  #lie(tab: Tab, shown: Shown, why: string): void {
    if (this.lies.length < MAX_LIES) this.lies.push(`LIE: ${why}: ${tab.describe(shown)}`);
  }
}
