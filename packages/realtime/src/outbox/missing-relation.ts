/** PostgreSQL's codes for a table, a schema and a function that do not exist. https://www.postgresql.org/docs/current/errcodes-appendix.html */
const MISSING = new Set(['42P01', '3F000', '42883']);

/** Depth of causes that are looked at: libraries wrap the database's error once or twice. */
const MAX_DEPTH = 5;

/** Whether a database error says that something which a statement names does not exist. */
export function isMissingRelation(error: unknown): boolean {
  let current = error;
  for (let depth = 0; depth < MAX_DEPTH; depth++) {
    if (typeof current !== 'object' || current === null) return false;
    const { code, originalCode, meta, cause } = current as Record<string, unknown>;
    // Prisma has a code of its own, and PostgreSQL's beside it.
    for (const candidate of [
      code,
      originalCode,
      inner(meta, 'code'),
      inner(inner(meta, 'driverAdapterError'), 'cause'),
    ])
      if (typeof candidate === 'string' && MISSING.has(candidate)) return true;
    current = cause ?? inner(meta, 'driverAdapterError');
  }
  return false;
}

function inner(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>)[name] : undefined;
}
