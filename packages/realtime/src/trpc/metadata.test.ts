import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { ChannelName } from '../core/channel.ts';
import {
  type AnswerMeta,
  MAX_CHANNELS_PER_ANSWER,
  MAX_GRANT_LENGTH,
  openEnvelope,
  toEnvelope,
  toWireMeta,
} from './metadata.ts';
import { parseMeta } from './parse-meta.ts';

const position = fc.record({ epoch: fc.string(), offset: fc.nat() });
const channel = fc
  .stringMatching(/^[a-z]{1,8}(:[A-Za-z0-9._~@+=-]{1,8}){0,2}$/)
  .map((name): ChannelName => `trpc:${name}`);
const message = fc.oneof(
  fc.constant({ type: 'channel-invalidation' } as const),
  fc.record({ type: fc.constant('query-invalidation' as const), queryKey: fc.array(fc.string()) }),
  fc.record({ type: fc.constant('event' as const), name: fc.string({ minLength: 1 }), data: fc.integer() }),
);
const answerMeta: fc.Arbitrary<AnswerMeta> = fc.record({
  requestId: fc.oneof(fc.string(), fc.constant(true as const), fc.constant(null)),
  channels: fc.array(fc.record({ channel, stamp: fc.option(position), grant: fc.option(fc.string()) })),
  touched: fc.array(fc.record({ channel, position: fc.option(position), message })),
});

function open(value: unknown) {
  const opened = openEnvelope(value);
  return opened && { data: opened.data, meta: parseMeta(opened.wire) };
}

describe('metadata of an answer', () => {
  it('survives the wire', () => {
    fc.assert(
      fc.property(answerMeta, fc.jsonValue(), (meta, data) => {
        const wire: unknown = JSON.parse(JSON.stringify(toEnvelope(meta, data)));
        expect(open(wire)).toEqual({ data: JSON.parse(JSON.stringify(data)), meta });
      }),
    );
  });

  it('never throws on anything', () => {
    fc.assert(
      fc.property(fc.anything({ withNullPrototype: true, withBigInt: true }), (value) => {
        open(value);
        parseMeta(value);
        parseMeta({ v: 1, watch: value, touch: value });
        parseMeta({ v: 1, watch: [value], touch: [value] });
      }),
    );
  });

  it('tells the spread after lost history with what an answer depends on, and takes none that is no time', () => {
    const channels = [{ channel: 'trpc:global' as const, stamp: null, grant: null }];
    const told = (lostHistorySpreadMs: number, depends = channels) =>
      open(toEnvelope({ requestId: null, channels: depends, touched: [], lostHistorySpreadMs }, 'data'))?.meta;
    expect(told(700)).toEqual({ requestId: null, channels, touched: [], lostHistorySpreadMs: 700 });
    for (const without of [told(0), told(-1), told(Number.NaN), told(Number.POSITIVE_INFINITY), told(600_001)])
      expect(without).toEqual({ requestId: null, channels, touched: [] });
    expect(told(700, [])).toEqual({ requestId: null, channels: [], touched: [] });
    expect(parseMeta({ v: 1, spread: '700' })).toEqual({ requestId: null, channels: [], touched: [] });
  });

  it('leaves out what is unknown', () => {
    const meta: AnswerMeta = {
      requestId: null,
      channels: [{ channel: 'trpc:global', stamp: null, grant: null }],
      touched: [{ channel: 'trpc:global', position: null, message: { type: 'channel-invalidation' } }],
    };
    expect(toWireMeta(meta)).toEqual({
      v: 1,
      watch: [{ channel: 'trpc:global' }],
      touch: [{ channel: 'trpc:global' }],
    });
    expect(toWireMeta({ requestId: null, channels: [], touched: [] })).toEqual({ v: 1 });
  });

  it('reads undefined data, which JSON drops', () => {
    expect(
      open(JSON.parse(JSON.stringify(toEnvelope({ requestId: 'a', channels: [], touched: [] }, undefined)))),
    ).toEqual({
      data: undefined,
      meta: { requestId: 'a', channels: [], touched: [] },
    });
  });

  it.each([
    ['a number', 5],
    ['null', null],
    ['plain data', { d: 1 }],
    ['an array', [1]],
    ['an inherited key', Object.create({ '~op/rt': { v: 1 } })],
  ])('is no envelope: %s', (_, value) => {
    expect(open(value)).toBeNull();
  });

  it.each([
    ['a newer version', { v: 2, watch: [] }],
    ['no version', { watch: [] }],
    ['no object', 'v1'],
    ['null', null],
    ['a list that is none', { v: 1, watch: {} }],
    ['an entry that is none', { v: 1, watch: [null] }],
    ['an entry without channel', { v: 1, watch: [{ epoch: 'a', offset: 1 }] }],
    ['a channel of another namespace', { v: 1, watch: [{ channel: 'chat:1' }] }],
    ['a touched entry without channel', { v: 1, touch: [{}] }],
    [
      'too many channels',
      { v: 1, watch: Array.from({ length: MAX_CHANNELS_PER_ANSWER + 1 }, () => ({ channel: 'trpc:global' })) },
    ],
  ])('ignores the metadata and keeps the data: %s', (_, meta) => {
    expect(open({ '~op/rt': meta, d: 'data' })).toEqual({ data: 'data', meta: null });
  });

  it.each([
    ['a negative offset', { epoch: 'a', offset: -1 }],
    ['an epoch that is no string', { epoch: 7, offset: 1 }],
    ['no offset', { epoch: 'a' }],
  ])('takes a malformed position as unknown: %s', (_, bad) => {
    const channel = 'trpc:org:1';
    const meta = parseMeta({ v: 1, watch: [{ channel, ...bad }], touch: [{ channel, ...bad }] });
    expect(meta?.channels).toEqual([{ channel, stamp: null, grant: null }]);
    expect(meta?.touched).toEqual([{ channel, position: null, message: { type: 'channel-invalidation' } }]);
  });

  it('drops a grant that is no string or too long, and a touched message of an unknown type', () => {
    const channel = 'trpc:org:1';
    const meta = parseMeta({
      v: 1,
      id: 7,
      watch: [
        { channel, grant: 1 },
        { channel, grant: 'x'.repeat(MAX_GRANT_LENGTH + 1) },
      ],
      touch: [{ channel, message: { type: 'from-the-future' } }],
      later: true,
    });
    expect(meta).toEqual({
      requestId: null,
      channels: [
        { channel, stamp: null, grant: null },
        { channel, stamp: null, grant: null },
      ],
      touched: [],
    });
  });
});
