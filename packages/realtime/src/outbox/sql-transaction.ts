import { UnsupportedTransactionError } from './errors.ts';
import type { SqlParameter } from './target.ts';

/**
 * What we ask of a transaction: to run a statement with parameters (`$1` being the first) inside it. Implement it for a library that is not known here.
 */
export interface SqlTransaction {
  /** Rejects with the database's error, whose `code` (or that of a `cause`) is PostgreSQL's, like `42P01`. */
  runSql(text: string, parameters: readonly SqlParameter[]): Promise<unknown>;
}

type Shape = Readonly<Record<string, unknown>>;

/** One library: how its objects are told from others', and how they run SQL. */
interface Adapter {
  readonly library: string;
  /** How a transaction of it is got, for errors. */
  readonly example: string;
  /** Whether the object is this library's, be it a transaction or the database. */
  knows(object: Shape): boolean;
  isTransaction(object: Shape): boolean;
  run(object: Shape, text: string, parameters: readonly SqlParameter[]): Promise<unknown>;
}

// biome-ignore lint/complexity/noBannedTypes: called only as its own library's function
type AnyFunction = Function;
const has = (object: Shape, ...names: readonly string[]) => names.every((name) => typeof object[name] === 'function');
const call = async (object: Shape, name: string, ...args: readonly unknown[]): Promise<unknown> =>
  (object[name] as AnyFunction).apply(object, args);

const prisma: Adapter = {
  library: 'Prisma',
  example: 'prisma.$transaction(async (tx) => …)',
  knows: (object) => has(object, '$queryRawUnsafe', '$executeRawUnsafe'),
  // A transaction can open another one inside it, but not connect.
  isTransaction: (object) => !has(object, '$connect') && !has(object, '$disconnect'),
  run: (object, text, parameters) => call(object, '$queryRawUnsafe', text, ...parameters),
};

const DRIZZLE_KIND = Symbol.for('drizzle:entityKind');

const drizzle: Adapter = {
  library: 'Drizzle',
  example: 'db.transaction(async (tx) => …)',
  knows: (object) => has(object, 'execute', 'transaction') && drizzleDialect(object) === 'PgDialect',
  isTransaction: (object) => has(object, 'rollback'),
  // What `sql` of drizzle-orm makes is an object of this form; its module is not ours to import.
  run: (object, text, parameters) =>
    call(object, 'execute', { getSQL: () => ({ toQuery: () => ({ sql: text, params: [...parameters] }) }) }),
};

function drizzleDialect({ dialect }: Shape): unknown {
  if (typeof dialect !== 'object' || dialect === null) return undefined;
  return (dialect.constructor as { [DRIZZLE_KIND]?: unknown })[DRIZZLE_KIND];
}

const kysely: Adapter = {
  library: 'Kysely',
  example: 'db.transaction().execute(async (tx) => …)',
  knows: (object) => has(object, 'executeQuery', 'selectFrom') && typeof object.isTransaction === 'boolean',
  isTransaction: (object) => object.isTransaction === true,
  // What `CompiledQuery.raw` of kysely makes.
  run: (object, text, parameters) =>
    call(object, 'executeQuery', {
      sql: text,
      parameters,
      query: { kind: 'RawNode', sqlFragments: [text], parameters: [] },
      queryId: { queryId: 'op-realtime' },
    }),
};

const postgresJs: Adapter = {
  library: 'postgres.js',
  example: 'sql.begin(async (tx) => …)',
  knows: (object) => has(object, 'unsafe') && (has(object, 'begin') || has(object, 'savepoint')),
  isTransaction: (object) => has(object, 'savepoint'),
  run: (object, text, parameters) => call(object, 'unsafe', text, [...parameters]),
};

const pglite: Adapter = {
  library: 'PGlite',
  example: 'pglite.transaction(async (tx) => …)',
  knows: (object) => has(object, 'query', 'exec', 'sql'),
  isTransaction: (object) => has(object, 'rollback') && !has(object, 'transaction'),
  run: (object, text, parameters) => call(object, 'query', text, [...parameters]),
};

const pg: Adapter = {
  library: 'pg',
  example: 'a client of pool.connect(), after its BEGIN',
  knows: (object) => has(object, 'query', 'connect') && (has(object, 'escapeLiteral') || 'totalCount' in object),
  // A pool runs each statement on any of its clients. Older clients do not tell whether they are in a transaction.
  isTransaction: (object) =>
    has(object, 'escapeLiteral') &&
    !(has(object, 'getTransactionStatus') && (object.getTransactionStatus as () => unknown)() === 'I'),
  run: (object, text, parameters) => call(object, 'query', text, [...parameters]),
};

const ADAPTERS: readonly Adapter[] = [pg, drizzle, prisma, kysely, pglite, postgresJs];

/**
 * The given object as something that runs SQL. It is recognised by its form, so that no library is imported.
 *
 * @param allowsDatabase also takes what is not a transaction, such as a pool
 * @throws UnsupportedTransactionError (`unsupported_transaction`)
 */
export function sqlOf(object: unknown, allowsDatabase = false): SqlTransaction {
  if ((typeof object !== 'object' && typeof object !== 'function') || object === null)
    throw new UnsupportedTransactionError(`Expected a transaction, got ${object === null ? 'null' : typeof object}.`);
  const shape = object as Shape;
  if (has(shape, 'runSql')) return object as SqlTransaction;
  const adapter = ADAPTERS.find(({ knows }) => knows(shape));
  if (!adapter)
    throw new UnsupportedTransactionError(
      `This object is not a transaction of a known library (${ADAPTERS.map(({ library }) => library).join(', ')}). For another one pass { runSql(text, parameters) }.`,
    );
  if (!allowsDatabase && !adapter.isTransaction(shape))
    throw new UnsupportedTransactionError(
      `This is ${adapter.library}, but not an open transaction: what is written would not be undone with it. Pass the transaction: ${adapter.example}.`,
    );
  return { runSql: (text, parameters) => adapter.run(shape, text, parameters) };
}
