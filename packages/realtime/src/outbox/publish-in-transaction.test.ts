import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { Channels } from '../core/channel.ts';
import {
  centrifugoConsumer,
  centrifugoStream,
  type Message,
  migrateOutbox,
  type OutboxTarget,
  outboxSchema,
  publishAllInTransaction,
  publishInTransaction,
  relayTable,
} from './index.ts';

const ORG = Channels.org('1');
const ALL: Message = { type: 'channel-invalidation' };

/** A transaction of a library that is not known, which records what it is to run. */
function recorder(fail?: () => Error) {
  const statements: { text: string; parameters: readonly (string | null)[] }[] = [];
  return {
    statements,
    async runSql(text: string, parameters: readonly (string | null)[]) {
      statements.push({ text, parameters });
      if (fail) throw fail();
      return [];
    },
  };
}

const nothing = (): null => null;

it.each([
  ['nothing', undefined, 'Expected a transaction, got undefined'],
  ['null', null, 'Expected a transaction, got null'],
  ['a string', 'tx', 'Expected a transaction, got string'],
  ['an object', {}, 'pg, '],
  ['a function', nothing, 'pg, '],
  ['something with another query()', { query: nothing }, 'pg, '],
  ["mysql2's connection", { query: nothing, execute: nothing, connect: nothing, beginTransaction: nothing }, 'runSql'],
  ["better-sqlite3's database", { prepare: nothing, exec: nothing, transaction: nothing }, 'runSql'],
  ["Knex's transaction", Object.assign(nothing, { raw: nothing, commit: nothing, savepoint: nothing }), 'runSql'],
  ['Drizzle for MySQL', { execute: nothing, transaction: nothing, rollback: nothing, dialect: {} }, 'runSql'],
])('a transaction that is %s is refused by what is accepted', async (_, tx, text) => {
  await expect(publishInTransaction(tx as object, ORG, ALL)).rejects.toMatchObject({
    code: 'unsupported_transaction',
    message: expect.stringContaining(text),
  });
});

it('any object that runs SQL is a transaction', async () => {
  const tx = recorder();
  await publishInTransaction(tx, ORG, ALL);
  expect(tx.statements).toEqual([
    { text: expect.stringContaining('"realtime_outbox"'), parameters: [expect.any(String), null] },
  ]);
});

const cyclic: Record<string, unknown> = {};
cyclic.self = cyclic;

it.each<[string, unknown, string, OutboxTarget?]>([
  ['without a type', {}, 'invalid_message'],
  ['that is a string', 'channel-invalidation', 'invalid_message'],
  ['of an unknown type', { type: 'refresh' }, 'invalid_message'],
  ['whose queryKey is a string', { type: 'query-invalidation', queryKey: 'posts' }, 'invalid_message'],
  ['with a cycle', { type: 'event', name: 'x', data: cyclic }, 'invalid_message'],
  ['that is too large', { type: 'event', name: 'x', data: 'x'.repeat(65_536) }, 'invalid_message'],
  ['that jsonb refuses (NUL)', { type: 'event', name: 'x', data: '\0' }, 'invalid_message', centrifugoConsumer()],
  ['that jsonb refuses (surrogate)', { type: 'event', name: '\ud800', data: 1 }, 'invalid_message', centrifugoStream()],
])('a message %s is refused before anything is written', async (_, message, code, target) => {
  const tx = recorder();
  const announcements = [
    { channel: ORG, message: ALL },
    { channel: ORG, message: message as Message },
  ];
  await expect(publishAllInTransaction(tx, announcements, target && { target })).rejects.toMatchObject({ code });
  expect(tx.statements).toEqual([]);
});

it('what only looks like a NUL character is taken', async () => {
  const tx = recorder();
  await publishInTransaction(
    tx,
    ORG,
    { type: 'event', name: 'x', data: '\\u0000 \\\\ud800' },
    { target: centrifugoStream() },
  );
  expect(tx.statements).toHaveLength(1);
});

it('a channel name that is none is refused before anything is written', async () => {
  const tx = recorder();
  await expect(publishInTransaction(tx, 'org:1' as typeof ORG, ALL)).rejects.toMatchObject({ code: 'invalid_channel' });
  expect(tx.statements).toEqual([]);
});

it('an empty list writes nothing', async () => {
  const tx = recorder();
  await publishAllInTransaction(tx, []);
  expect(tx.statements).toEqual([]);
});

it.each([
  ['a code on the error', () => Object.assign(new Error('x'), { code: '42P01' }), true],
  ['a cause', () => new Error('Failed query', { cause: Object.assign(new Error('x'), { code: '42P01' }) }), true],
  ['an error about something else', () => Object.assign(new Error('x'), { code: '40001' }), false],
])('a missing table is recognised by %s', async (_, fail, isMissing) => {
  const error = await publishInTransaction(recorder(fail), ORG, ALL).catch((thrown: unknown) => thrown);
  expect((error as { code?: string }).code === 'outbox_not_migrated').toBe(isMissing);
  if (!isMissing) expect(error).toMatchObject({ code: '40001' });
});

it.each<[string, () => unknown]>([
  ['a table that is no name', () => relayTable({ table: 'x; DROP TABLE users' })],
  ['a table in quotes', () => relayTable({ table: '"Outbox"' })],
  ['a table that PostgreSQL would cut off', () => relayTable({ table: 'x'.repeat(51) })],
  ['an empty table', () => centrifugoConsumer({ table: '' })],
  ['no partition', () => centrifugoConsumer({ partitions: 0 })],
  ['half a partition', () => centrifugoConsumer({ partitions: 1.5 })],
  ['a notification channel that is no name', () => centrifugoConsumer({ notificationChannel: "a'b" })],
  ['a prefix that is no name', () => centrifugoStream({ prefix: 'c f' })],
  ['no history', () => centrifugoStream({ historySize: 0 })],
  ['a history without an end', () => centrifugoStream({ historyTtlSeconds: Number.POSITIVE_INFINITY })],
])('%s is an error of the option', (_, make) => {
  expect(make).toThrow(expect.objectContaining({ code: 'invalid_argument' }));
});

it.each([
  ['sql/realtime-outbox.sql', relayTable()],
  ['sql/centrifugo-outbox.sql', centrifugoConsumer()],
])('%s is what outboxSchema gives', (file, target) => {
  expect(readFileSync(new URL(`../../${file}`, import.meta.url), 'utf8')).toBe(outboxSchema(target));
});

it('the stream broker needs no migration', async () => {
  const database = recorder();
  await migrateOutbox(database, centrifugoStream());
  expect(outboxSchema(centrifugoStream())).toBe('');
  expect(database.statements).toEqual([]);
});
