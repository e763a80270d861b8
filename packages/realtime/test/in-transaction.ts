import type pg from 'pg';

/** What an app's middleware does around a mutation: a transaction that commits what came out well and takes back what did not. */
export async function inTransaction<Result extends { readonly ok: boolean }>(
  pool: pg.Pool,
  run: (tx: pg.PoolClient) => Promise<Result>,
): Promise<Result> {
  const tx = await pool.connect();
  try {
    await tx.query('BEGIN');
    const result = await run(tx);
    await tx.query(result.ok ? 'COMMIT' : 'ROLLBACK');
    return result;
  } finally {
    tx.release();
  }
}
