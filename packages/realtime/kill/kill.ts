import { setTimeout as pause } from 'node:timers/promises';
import { createTRPCClient, httpLink, TRPCClientError } from '@trpc/client';
import pg from 'pg';
import { freePort } from '../../../test/free-port.ts';
import type { Random } from '../src/core/clock.ts';
import { migrateOutbox } from '../src/outbox/index.ts';
import { seededRandom } from '../src/testing/seeded-random.ts';
import { ApiRecorder, type Sent } from './api-recorder.ts';
import type { AppRouter } from './app.ts';
import { type KillResult, newKillResult } from './kill-result.ts';
import { KilledProcess, type Kind, type Programs } from './killed-process.ts';
import { channelOf, type Fault, TOPICS } from './settings.ts';
import { Tab } from './tab.ts';

export interface KillOptions {
  readonly seed: number;
  readonly rounds: number;
  /** An empty database. */
  readonly databaseUrl: string;
  readonly programs: Programs;
  /** A mistake to build in. The run ends with the first violation. */
  readonly fault?: Fault | null;
  /** How long a round may take to come to rest before what is missing counts as lost. @default 60000 */
  readonly limitMs?: number;
  /** Whether these violations end the run. @default any does */
  readonly isEnough?: (violations: readonly string[]) => boolean;
  /** Told after each round. */
  readonly onRound?: (result: KillResult) => void;
}

interface Mutation {
  readonly note: string;
  readonly topic: string;
  readonly delayMs: number;
  readonly fails: boolean;
  outcome: 'committed' | 'refused' | 'unknown';
  startedAt: number;
  endedAt: number;
}

const WRITERS = 3;
const MUTATIONS_PER_WRITER = 2;
const POLL_MS = 10;

/**
 * Application, two relays and broker, each a process, over a real PostgreSQL. In each round some transactions commit and some roll back while processes are killed (`kill -9`);
 * then all run again, and when everything is at rest the promise is checked. All is drawn from the seed; what a kill meets depends on the machine as well.
 */
export async function kill(options: KillOptions): Promise<KillResult> {
  const run = await Run.start(options);
  const { isEnough = (violations) => violations.length > 0 } = options;
  try {
    for (let round = 0; round < options.rounds && !isEnough(run.result.violations); round++) {
      await run.round(round);
      options.onRound?.(run.result);
    }
    return run.result;
  } finally {
    await run.close();
  }
}

class Run {
  readonly result = newKillResult();
  readonly #options: KillOptions;
  readonly #random: Random;
  readonly #database: pg.Client;
  readonly #recorder: ApiRecorder;
  readonly #app: KilledProcess;
  readonly #relays: readonly KilledProcess[];
  readonly #broker: KilledProcess;
  readonly #tabs: readonly Tab[];
  readonly #client: ReturnType<typeof createTRPCClient<AppRouter>>;
  #moment = 0;

  static async start(options: KillOptions): Promise<Run> {
    const database = new pg.Client(options.databaseUrl);
    await database.connect();
    await database.query(
      'CREATE TABLE IF NOT EXISTS notes (id serial PRIMARY KEY, topic text NOT NULL, note text NOT NULL)',
    );
    await migrateOutbox(database);
    const [appPort, brokerPort] = [await freePort(), await freePort()];
    const recorder = await ApiRecorder.listen(`http://127.0.0.1:${brokerPort}/api`);
    const settings = {
      databaseUrl: options.databaseUrl,
      apiUrl: `http://127.0.0.1:${brokerPort}/api`,
      recordedApiUrl: recorder.url,
      fault: options.fault ?? null,
    };
    const process = (kind: Kind, port: number) => new KilledProcess(kind, options.programs, { ...settings, port });
    const processes = {
      app: process('app', appPort),
      relays: [process('relay', 0), process('relay', 0)],
      broker: process('broker', brokerPort),
    };
    await Promise.all([processes.app, ...processes.relays, processes.broker].map((one) => one.start()));
    const ports = { app: appPort, broker: brokerPort };
    const run = new Run(
      options,
      database,
      recorder,
      processes,
      [new Tab('ann', ports), new Tab('bob', ports)],
      appPort,
    );
    await run.#rest([]);
    return run;
  }

  private constructor(
    options: KillOptions,
    database: pg.Client,
    recorder: ApiRecorder,
    { app, relays, broker }: { app: KilledProcess; relays: readonly KilledProcess[]; broker: KilledProcess },
    tabs: readonly Tab[],
    appPort: number,
  ) {
    this.#options = options;
    this.#random = seededRandom(options.seed);
    this.#database = database;
    this.#recorder = recorder;
    this.#app = app;
    this.#relays = relays;
    this.#broker = broker;
    this.#tabs = tabs;
    this.#client = createTRPCClient<AppRouter>({ links: [httpLink({ url: `http://127.0.0.1:${appPort}` })] });
    for (const relay of relays)
      relay.onLock = () => {
        if (relays.every((one) => one.hasLock)) this.#violation('two relays have the lock at once');
      };
  }

  async round(round: number): Promise<void> {
    this.#recorder.take();
    for (const tab of this.#tabs) tab.startRound();
    // Drawn before anything happens, so that the seed repeats it.
    const writers = Array.from({ length: WRITERS }, (_, writer) =>
      Array.from({ length: MUTATIONS_PER_WRITER }, (__, at) =>
        this.#draw(`${this.#options.seed}.${round}.${writer}.${at}`),
      ),
    );
    const kills = Array.from({ length: 1 + Math.floor(this.#random() * 2) }, () => ({
      at: this.#random(),
      afterMs: this.#random() * 60,
      deadMs: this.#random() * 40,
    }));
    await Promise.all([
      ...writers.map((mutations) => this.#write(mutations)),
      ...kills.map(async ({ at, afterMs, deadMs }) => {
        await pause(afterMs);
        await this.#killOne(at, deadMs);
      }),
    ]);
    await Promise.all(this.#processes.map((process) => process.ready));
    const mutations = writers.flat();
    const { sent, isAtRest } = await this.#rest(mutations);
    await this.#check(mutations, sent, isAtRest);
    this.result.rounds += 1;
  }

  async close(): Promise<void> {
    for (const tab of this.#tabs) tab.close();
    await Promise.all(this.#processes.map((process) => process.kill()));
    await this.#recorder.close();
    await this.#database.end();
  }

  get #processes(): readonly KilledProcess[] {
    return [this.#app, ...this.#relays, this.#broker];
  }

  #draw(note: string): Mutation {
    const random = this.#random;
    return {
      note,
      topic: TOPICS[Math.floor(random() * TOPICS.length)] ?? 'a',
      delayMs: random() < 0.5 ? 0 : random() * 30,
      fails: random() < 0.25,
      outcome: 'unknown',
      startedAt: 0,
      endedAt: 0,
    };
  }

  /** One after the other, so that their order is known. */
  async #write(mutations: readonly Mutation[]): Promise<void> {
    for (const mutation of mutations) {
      const { topic, note, delayMs, fails } = mutation;
      mutation.startedAt = this.#moment++;
      try {
        await this.#client.write.mutate({ topic, note, delayMs, fails });
        mutation.outcome = 'committed';
      } catch (error) {
        if (error instanceof TRPCClientError && error.data?.code === 'CONFLICT') mutation.outcome = 'refused';
        else await this.#app.ready;
      }
      mutation.endedAt = this.#moment++;
    }
  }

  /** `at` chooses; the relay that works more often than the one that stands by. */
  async #killOne(at: number, deadMs: number): Promise<void> {
    const working = this.#relays.find(({ hasLock }) => hasLock);
    const victims = [this.#app, this.#app, this.#broker, this.#broker, ...this.#relays, ...(working ? [working] : [])];
    const victim = victims[Math.floor(at * victims.length)] ?? this.#app;
    this.result.kills[victim.kind] += 1;
    await victim.restart(deadMs);
  }

  /** Waits until nothing is under way any more and every tab shows the truth, or the limit is reached. */
  async #rest(mutations: readonly Mutation[]): Promise<{ sent: readonly Sent[]; isAtRest: boolean }> {
    const deadline = performance.now() + (this.#options.limitMs ?? 60_000);
    const sent: Sent[] = [];
    for (;;) {
      sent.push(...this.#recorder.take());
      const { open, waiting, truth, committed } = await this.#look(mutations);
      const missing = this.#tabs.flatMap((tab) => [
        ...tab.differences(truth),
        ...committed.filter(({ note, topic }) => tab.deliveries(note) === 0 && !tab.wasUnrecovered(topic)),
      ]);
      sent.push(...this.#recorder.take());
      if (open === 0 && waiting === 0 && missing.length === 0) return { sent, isAtRest: true };
      if (performance.now() > deadline) return { sent, isAtRest: false };
      for (const tab of this.#tabs) tab.tryAgain();
      await pause(POLL_MS);
    }
  }

  async #look(mutations: readonly Mutation[]) {
    const { rows } = await this.#database.query(
      `SELECT (SELECT count(*)::integer FROM pg_stat_activity WHERE application_name = 'app' AND xact_start IS NOT NULL) AS open,
  (SELECT count(*)::integer FROM realtime_outbox WHERE failed_at IS NULL) AS waiting,
  (SELECT count(*)::integer FROM realtime_outbox WHERE failed_at IS NOT NULL) AS aside,
  (SELECT coalesce(json_object_agg(topic, shown), '{}') FROM (
    SELECT topic, (SELECT json_agg(note ORDER BY id) FROM (SELECT id, note FROM notes WHERE topic = t.topic ORDER BY id DESC LIMIT 20) AS last) AS shown
    FROM (SELECT DISTINCT topic FROM notes) AS t
  ) AS lists) AS truth,
  ARRAY(SELECT note FROM notes WHERE note = ANY($1)) AS committed`,
      [mutations.map(({ note }) => note)],
    );
    const { open, waiting, aside, truth, committed } = rows[0];
    const notes = new Set<string>(committed);
    return {
      open: Number(open),
      waiting: Number(waiting),
      aside: Number(aside),
      truth: new Map<string, readonly string[]>(Object.entries(truth)),
      committed: mutations.filter(({ note }) => notes.has(note)),
    };
  }

  async #check(mutations: readonly Mutation[], sent: readonly Sent[], isAtRest: boolean): Promise<void> {
    const { result } = this;
    const { waiting, aside, truth, committed } = await this.#look(mutations);
    const isCommitted = new Set(committed);
    const acceptances = new Map<string, number[]>();
    for (const { note, acceptedAt } of sent)
      if (note !== null && acceptedAt !== null) acceptances.set(note, [...(acceptances.get(note) ?? []), acceptedAt]);

    result.commits += committed.length;
    for (const mutation of mutations) {
      const { note, outcome } = mutation;
      if (outcome === 'unknown') result.unanswered += 1;
      if (!isCommitted.has(mutation)) result.rollbacks += 1;
      if (outcome === 'committed' && !isCommitted.has(mutation))
        this.#violation(`${note} was confirmed and is not in the database`);
      if (outcome === 'refused' && isCommitted.has(mutation))
        this.#violation(`${note} was refused and is in the database`);
      if (!isCommitted.has(mutation) && sent.some((one) => one.note === note))
        this.#violation(`${note} was rolled back and published all the same`);
    }
    for (const { note, topic } of committed) {
      const times = acceptances.get(note) ?? [];
      if (times.length === 0) {
        result.losses += 1;
        this.#violation(`${note} is committed and was never accepted by the broker`);
      } else result.accepted += 1;
      result.acceptedAgain += Math.max(0, times.length - 1);
      for (const tab of this.#tabs) {
        const deliveries = tab.deliveries(note);
        result.deliveries += deliveries;
        result.duplicates += Math.max(0, deliveries - 1);
        if (deliveries > 0) continue;
        if (tab.wasUnrecovered(topic)) result.rejoined += 1;
        else {
          result.losses += 1;
          this.#violation(`${tab.name} never got ${note} and does not know that it missed something`);
        }
      }
    }
    this.#checkOrder(committed, acceptances);
    if (waiting > 0) this.#violation(`${waiting} rows are still in the outbox`);
    if (aside > 0) this.#violation(`${aside} rows were set aside`);
    if (!isAtRest)
      for (const tab of this.#tabs) for (const difference of tab.differences(truth)) this.#violation(difference);
  }

  /** Where one transaction was confirmed before the other began, the broker takes their announcements in this order; the last ones count as well, if some are repeated. */
  #checkOrder(committed: readonly Mutation[], acceptances: ReadonlyMap<string, readonly number[]>): void {
    for (const before of committed)
      for (const after of committed) {
        if (before.outcome !== 'committed' || before.endedAt >= after.startedAt) continue;
        if (channelOf(before.topic) !== channelOf(after.topic)) continue;
        const [first, second] = [acceptances.get(before.note) ?? [], acceptances.get(after.note) ?? []];
        if (first.length === 0 || second.length === 0) continue;
        if (Math.min(...first) > Math.min(...second) || Math.max(...first) > Math.max(...second))
          this.#violation(`${after.note} was accepted before ${before.note}, which was committed before it began`);
      }
  }

  #violation(text: string): void {
    this.result.violations.push(text);
  }
}
