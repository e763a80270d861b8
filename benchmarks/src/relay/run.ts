import { mkdirSync, writeFileSync } from 'node:fs';
import { loadavg } from 'node:os';
import { fileURLToPath } from 'node:url';
import { RealtimeManager } from '@op/realtime/client';
import { migrateOutbox, publishAllInTransaction, publishInTransaction, startOutboxRelay } from '@op/realtime/outbox';
import { Channels, createRealtime, type Realtime } from '@op/realtime/server';
import pg from 'pg';
import { findPostgres, startPostgres } from '../../../test/postgres.ts';
import { updateReadme } from '../broker/report.ts';
import { API_KEY, TOKEN_SECRET } from '../broker/settings.ts';
import { type RunningTarget, startTarget, type TargetName, versionOf } from '../broker/targets.ts';
import { describeMachine } from '../measure/machine.ts';
import { percentile, type Spread, spread } from '../measure/statistics.ts';

const RESULTS = fileURLToPath(new URL('../../results/', import.meta.url));
const BACKLOG_ROWS = 2_000;
const ROWS_PER_STATEMENT = 500;
const SINGLE_COMMITS = 200;

interface Round {
  /** Rows that waited for a relay, on this many channels, published and deleted per second. */
  readonly rowsPerSecondOneChannel: number;
  readonly rowsPerSecondManyChannels: number;
  /** From the end of COMMIT to the handler of a subscriber, one commit after the other on an idle relay. */
  readonly commitToPublicationMsP50: number;
  readonly commitToPublicationMsP99: number;
  /** The commit itself, with its announcement, beside it. */
  readonly commitMsP50: number;
}

interface RelayResult {
  readonly target: string;
  readonly database: string;
  readonly rounds: readonly Round[];
}

const TITLES: Readonly<Record<keyof Round, string>> = {
  rowsPerSecondOneChannel: `${BACKLOG_ROWS.toLocaleString('en-US')} waiting rows of one channel, rows/s`,
  rowsPerSecondManyChannels: `${BACKLOG_ROWS.toLocaleString('en-US')} waiting rows of 100 channels, rows/s`,
  commitToPublicationMsP50: 'from the end of a commit to the subscriber, p50, ms',
  commitToPublicationMsP99: 'from the end of a commit to the subscriber, p99, ms',
  commitMsP50: 'the commit with its announcement, p50, ms',
};

/** How many rows the relay announces per second, and how long a committed row is on its way. PostgreSQL, broker and this process share the machine. */
export async function benchRelay({ rounds }: { readonly rounds: number }): Promise<void> {
  const folder = findPostgres();
  if (!folder) throw new RangeError('pnpm bench relay needs PostgreSQL (initdb and postgres).');
  const targets: TargetName[] = process.env.CENTRIFUGO_BIN ? ['embedded', 'centrifugo'] : ['embedded'];
  // Every commit is flushed, as in production.
  const cluster = await startPostgres(folder, { settings: { fsync: 'on' } });
  const pool = new pg.Pool({ connectionString: cluster.url, max: 4 });
  const results: RelayResult[] = [];
  try {
    await migrateOutbox(pool);
    const { rows } = await pool.query<{ server_version: string }>('SHOW server_version');
    const database = `PostgreSQL ${rows[0]?.server_version.split(' ')[0]}`;
    for (const name of targets) {
      const measured: Round[] = [];
      for (let round = -1; round < rounds; round++) {
        const one = await measure(pool, name);
        if (round >= 0) measured.push(one); // the first warms up
      }
      results.push({ target: versionOf(name), database, rounds: measured });
    }
  } finally {
    await pool.end();
    await cluster.close();
  }
  const machine = describeMachine();
  const date = new Date().toISOString().slice(0, 10);
  mkdirSync(RESULTS, { recursive: true });
  writeFileSync(`${RESULTS}relay.json`, `${JSON.stringify({ machine, date, results }, null, 2)}\n`);
  const text = relayTable(machine, date, results);
  updateReadme('relay', text);
  process.stdout.write(`${text}\n`);
}

async function measure(pool: pg.Pool, name: TargetName): Promise<Round> {
  await pool.query('TRUNCATE realtime_outbox');
  const broker = await startTarget(name);
  try {
    const realtime = createRealtime({
      apiUrl: `http://127.0.0.1:${broker.port}/api`,
      apiKey: API_KEY,
      tokenSecret: TOKEN_SECRET,
      spread: false,
    });
    return {
      rowsPerSecondOneChannel: await drainBacklog(pool, realtime, 1),
      rowsPerSecondManyChannels: await drainBacklog(pool, realtime, 100),
      ...(await followCommits(pool, realtime, broker)),
    };
  } finally {
    await broker.stop();
  }
}

/** Rows that were committed before a relay starts. What counts is the table: a row is done when it was published and deleted. */
async function drainBacklog(pool: pg.Pool, realtime: Realtime, channels: number): Promise<number> {
  const writer = await pool.connect();
  await writer.query('BEGIN');
  for (let written = 0; written < BACKLOG_ROWS; written += ROWS_PER_STATEMENT) {
    const announcements = Array.from({ length: ROWS_PER_STATEMENT }, (_, at) => ({
      channel: Channels.org(at % channels),
      message: { type: 'query-invalidation', queryKey: ['posts', written + at] } as const,
    }));
    await publishAllInTransaction(writer, announcements);
  }
  await writer.query('COMMIT');
  writer.release();
  let begun = 0;
  let ended: (atMs: number) => void = () => {};
  const drained = new Promise<number>((resolve) => {
    ended = resolve;
  });
  const relay = startOutboxRelay({
    database: pool,
    realtime,
    onState: (state) => {
      if (state === 'draining' && !begun) begun = performance.now();
      if (state === 'idle') ended(performance.now());
    },
  });
  const tookMs = (await drained) - begun;
  const { published, retries } = relay.status;
  await relay.stop();
  const { rows } = await pool.query('SELECT 1 FROM realtime_outbox LIMIT 1');
  if (published !== BACKLOG_ROWS || retries > 0 || rows.length > 0)
    throw new RangeError(`${published} of ${BACKLOG_ROWS} rows were published, with ${retries} retries`);
  return (BACKLOG_ROWS / tookMs) * 1000;
}

type Latencies = Pick<Round, 'commitToPublicationMsP50' | 'commitToPublicationMsP99' | 'commitMsP50'>;

/** One commit after the other, each seen by a subscriber before the next begins: the relay is woken for each. */
async function followCommits(pool: pg.Pool, realtime: Realtime, { port }: RunningTarget): Promise<Latencies> {
  const relay = startOutboxRelay({ database: pool, realtime });
  const manager = new RealtimeManager({
    wsUrl: `ws://127.0.0.1:${port}/connection/websocket`,
    getToken: () => realtime.createConnectionToken({ userId: '7' }),
  });
  const channel = Channels.user('7');
  let seen: (data: unknown) => void = () => {};
  try {
    await new Promise<void>((resolve) => {
      manager.subscribe(
        channel,
        (message) => {
          if (message.type === 'event') seen(message.data);
        },
        { onJoin: () => resolve() },
      );
    });
    const delays: number[] = [];
    const commits: number[] = [];
    const connection = await pool.connect();
    for (let at = 0; at < SINGLE_COMMITS; at++) {
      let seenAtMs = 0;
      const arrived = new Promise<void>((resolve, reject) => {
        seen = (data) => {
          seenAtMs = performance.now();
          if (data === at) resolve();
          else reject(new RangeError(`expected publication ${at}, got ${String(data)}`));
        };
      });
      const begunMs = performance.now();
      await connection.query('BEGIN');
      await publishInTransaction(connection, channel, { type: 'event', name: 'commit', data: at });
      await connection.query('COMMIT');
      const committedMs = performance.now();
      commits.push(committedMs - begunMs);
      await arrived;
      // The notification may overtake the answer to COMMIT.
      delays.push(Math.max(0, seenAtMs - committedMs));
    }
    connection.release();
    return {
      commitToPublicationMsP50: percentile(delays, 50),
      commitToPublicationMsP99: percentile(delays, 99),
      commitMsP50: percentile(commits, 50),
    };
  } finally {
    manager.dispose();
    await relay.stop();
  }
}

function relayTable(
  machine: ReturnType<typeof describeMachine>,
  date: string,
  results: readonly RelayResult[],
): string {
  const cell = ({ median, min, max }: Spread) => `${format(median)} (${format(min)} … ${format(max)})`;
  return [
    `${machine.cores} cores (${machine.cpu}), ${machine.system}, Node ${machine.node}; ${results[0]?.database}. Medians of ${results[0]?.rounds.length} measured rounds, in parentheses the lowest and the highest, ${date}, load average at the end ${loadavg()[0]?.toFixed(1)}.`,
    '',
    `| figure | ${results.map(({ target }) => target).join(' | ')} |`,
    `| --- | ${results.map(() => '---:').join(' | ')} |`,
    ...Object.entries(TITLES).map(
      ([figure, title]) =>
        `| ${title} | ${results.map(({ rounds }) => cell(spread(rounds.map((one) => one[figure as keyof Round])))).join(' | ')} |`,
    ),
  ].join('\n');
}

function format(value: number): string {
  return value >= 100 ? Math.round(value).toLocaleString('en-US') : value.toPrecision(3);
}
