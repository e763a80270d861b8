import pg from 'pg';
import { afterAll, beforeAll, describe, it } from 'vitest';
import { hasLane } from '../../../test/lanes.ts';
import { findPostgres, type PostgresCluster, startPostgres } from '../../../test/postgres.ts';
import { kill } from './kill.ts';
import { describeKills } from './kill-result.ts';
import { buildPrograms, type Programs } from './killed-process.ts';
import type { Fault } from './settings.ts';

/** `pnpm kill --rounds 1000 --seed N` runs more. */
const SEED = 1;
const ROUNDS = 20;

/** What each mistake must be noticed by. */
const NOTICED: Record<Fault, RegExp> = {
  'deletes-first': /committed and was never accepted/,
  'remembers-last-id': /still in the outbox|committed and was never accepted/,
  'no-lock': /two relays have the lock at once/,
  'publishes-before-commit': /rolled back and published all the same/,
};

const folder = findPostgres();

describe.skipIf(!hasLane('postgres', folder))('while app, relays and broker are killed', () => {
  let cluster: PostgresCluster;
  let programs: Programs;
  beforeAll(async () => {
    [cluster, programs] = await Promise.all([startPostgres(folder!), buildPrograms()]);
  });
  afterAll(async () => {
    await cluster?.close();
  });

  async function emptyDatabase(name: string): Promise<string> {
    const admin = new pg.Client(cluster.url);
    await admin.connect();
    await admin.query(`CREATE DATABASE "${name}"`);
    await admin.end();
    return cluster.url.replace(/[^/]+$/, name);
  }

  it.concurrent('what is committed reaches everybody, what is rolled back nobody, and the order is kept', {
    timeout: 600_000,
  }, async ({ expect }) => {
    const databaseUrl = await emptyDatabase('sound');
    const result = await kill({ seed: SEED, rounds: ROUNDS, databaseUrl, programs });
    process.stderr.write(`kill seed ${SEED}: ${describeKills(result)}\n`);
    expect(result.violations).toEqual([]);
    expect(result.rounds).toBe(ROUNDS);
    expect(result.accepted).toBe(result.commits);
    expect(result.commits).toBeGreaterThan(ROUNDS);
    expect(result.rollbacks).toBeGreaterThan(5);
  });

  it.concurrent.for(Object.keys(NOTICED) as Fault[])(
    'an outbox that %s is noticed',
    { timeout: 600_000 },
    async (fault, { expect }) => {
      const databaseUrl = await emptyDatabase(fault);
      // A machine that stalls for longer than the limit looks like other mistakes: those do not end the run.
      const isEnough = (violations: readonly string[]) => NOTICED[fault].test(violations.join('\n'));
      const run = { seed: SEED, rounds: 40, limitMs: 3000, isEnough };
      const { violations } = await kill({ ...run, databaseUrl, programs, fault });
      expect(violations.join('\n')).toMatch(NOTICED[fault]);
    },
  );
});
