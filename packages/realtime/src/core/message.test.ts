import { describe, expect, expectTypeOf, it } from 'vitest';
import { InvalidMessageError } from './errors.ts';
import { assertMessage, type EventMessage, type Message, parseMessage } from './message.ts';

describe('parseMessage', () => {
  const good: [string, unknown, Message][] = [
    [
      'an invalidation by key',
      { type: 'query-invalidation', queryKey: ['user', 'notifications'] },
      { type: 'query-invalidation', queryKey: ['user', 'notifications'] },
    ],
    ['an empty key', { type: 'query-invalidation', queryKey: [] }, { type: 'query-invalidation', queryKey: [] }],
    [
      'an exact key',
      { type: 'query-invalidation', queryKey: ['a'], exact: true },
      { type: 'query-invalidation', queryKey: ['a'], exact: true },
    ],
    [
      'exact: false, which is the default',
      { type: 'query-invalidation', queryKey: ['a'], exact: false },
      { type: 'query-invalidation', queryKey: ['a'] },
    ],
    [
      'a spread',
      { type: 'query-invalidation', queryKey: ['a'], spreadMs: 500 },
      { type: 'query-invalidation', queryKey: ['a'], spreadMs: 500 },
    ],
    ['a channel invalidation', { type: 'channel-invalidation' }, { type: 'channel-invalidation' }],
    [
      'a channel invalidation with a spread',
      { type: 'channel-invalidation', spreadMs: 20 },
      { type: 'channel-invalidation', spreadMs: 20 },
    ],
    [
      'an event',
      { type: 'event', name: 'typing', data: { userId: '7' } },
      { type: 'event', name: 'typing', data: { userId: '7' } },
    ],
    ['an event without data', { type: 'event', name: 'ping' }, { type: 'event', name: 'ping', data: undefined }],
    [
      'fields that it does not know, and drops them',
      { type: 'channel-invalidation', later: 1 },
      { type: 'channel-invalidation' },
    ],
  ];
  it.each(good)('takes %s', (_, value, message) => {
    expect(parseMessage(value)).toEqual({ ok: true, message });
  });

  it.each([-1, Number.NaN, '500', null, {}])('ignores the spread %j and keeps the invalidation', (spreadMs) => {
    expect(parseMessage({ type: 'channel-invalidation', spreadMs })).toStrictEqual({
      ok: true,
      message: { type: 'channel-invalidation' },
    });
  });

  it('keeps the spread 0, which says "at once" to a publishing server', () => {
    const message = { type: 'channel-invalidation', spreadMs: 0 };
    expect(parseMessage(message)).toStrictEqual({ ok: true, message });
  });

  const bad: [string, unknown, string][] = [
    ['nothing', undefined, 'expected an object, got undefined'],
    ['null', null, 'expected an object, got null'],
    ['a string', 'channel-invalidation', 'expected an object, got string'],
    ['an array', [{ type: 'channel-invalidation' }], 'expected an object, got array'],
    ['no type', {}, 'unknown type undefined'],
    ['a type of a newer server', { type: 'query-patch' }, 'unknown type "query-patch"'],
    ['a type that is no string', { type: 7 }, 'unknown type number'],
    ['a type on the prototype', { type: '__proto__' }, 'unknown type "__proto__"'],
    ['no queryKey', { type: 'query-invalidation' }, 'queryKey must be an array, got undefined'],
    ['a string as queryKey', { type: 'query-invalidation', queryKey: 'a' }, 'queryKey must be an array, got string'],
    ['an object as queryKey', { type: 'query-invalidation', queryKey: {} }, 'queryKey must be an array, got object'],
    [
      'exact that is no boolean',
      { type: 'query-invalidation', queryKey: [], exact: 'true' },
      'exact must be a boolean, got string',
    ],
    ['an event without a name', { type: 'event', data: 1 }, 'an event needs a name that is not empty, got undefined'],
    ['an event with an empty name', { type: 'event', name: '' }, 'an event needs a name that is not empty, got string'],
  ];
  it.each(bad)('reports %s, with the reason', (_, value, reason) => {
    expect(parseMessage(value)).toEqual({ ok: false, reason });
  });

  it('does not print all of a long type', () => {
    expect(parseMessage({ type: 'x'.repeat(10_000) })).toEqual({
      ok: false,
      reason: expect.stringMatching(/^.{0,80}$/),
    });
  });
});

describe('assertMessage', () => {
  it('hands back a message', () => {
    expect(assertMessage({ type: 'channel-invalidation' })).toEqual({ type: 'channel-invalidation' });
  });

  it('throws what was expected and what came', () => {
    expect(() => assertMessage({ type: 'oops' })).toThrow(InvalidMessageError);
    expect(() => assertMessage({ type: 'oops' })).toThrow(/^Not a message: unknown type "oops"\. Expected \{ type/);
  });
});

it('types of messages narrow by their type', () => {
  const names = (message: Message): string => {
    switch (message.type) {
      case 'query-invalidation':
        expectTypeOf(message.queryKey).toEqualTypeOf<readonly unknown[]>();
        return 'key';
      case 'channel-invalidation':
        return 'channel';
      case 'event':
        expectTypeOf(message).toEqualTypeOf<EventMessage>();
        return message.name;
    }
  };
  expect(names({ type: 'event', name: 'x', data: 1 })).toBe('x');
});
