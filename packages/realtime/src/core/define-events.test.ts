import { describe, expect, expectTypeOf, it } from 'vitest';
import { z } from 'zod';
import { defineEvents, type StandardSchema } from './define-events.ts';
import type { EventMessage } from './message.ts';

const events = defineEvents({
  typing: z.object({ userId: z.string(), at: z.coerce.date<string>() }),
  scored: z.number().int(),
});
const AT = '2026-01-01T00:00:00.000Z';

describe('declared events', () => {
  it('travel as they are given and are read as their schema parses them', () => {
    const message = events.create('typing', { userId: '1', at: AT });
    expectTypeOf(message).toEqualTypeOf<EventMessage<'typing', { userId: string; at: string }>>();
    expect(message).toEqual({ type: 'event', name: 'typing', data: { userId: '1', at: AT } });
    const event = events.read(JSON.parse(JSON.stringify(message)));
    if (event?.name === 'typing') expectTypeOf(event.data).toEqualTypeOf<{ userId: string; at: Date }>();
    expect(event).toEqual({ name: 'typing', data: { userId: '1', at: new Date(AT) } });
  });

  it.each([
    ['an invalidation', { type: 'channel-invalidation' }],
    ['an event of somebody else', { type: 'event', name: 'other', data: 1 }],
    ['a prototype key', { type: 'event', name: 'constructor', data: 1 }],
  ] as const)('are not what %s is', (_, message) => {
    expect(events.read(message)).toBe(null);
  });

  it('that are not as declared are refused at both ends, with the place and without the data', () => {
    const bad = { userId: 7, at: AT, secret: 'do-not-show' };
    const refusal = expect.objectContaining({
      code: 'invalid_message',
      message: expect.stringMatching(/^The event typing is not as declared: userId: (?!.*do-not-show)/),
    });
    expect(() => events.create('typing', bad as never)).toThrow(refusal);
    expect(() => events.read({ type: 'event', name: 'typing', data: bad })).toThrow(refusal);
    expect(() => events.create('scored', 1.5)).toThrow(expect.objectContaining({ code: 'invalid_message' }));
  });

  it('take a schema of any library, but no asynchronous one', () => {
    const schema = (validate: StandardSchema<number>['~standard']['validate']): StandardSchema<number> => ({
      '~standard': { version: 1, vendor: 'test', validate },
    });
    const own = defineEvents({
      even: schema((value) =>
        Number(value) % 2 ? { issues: [{ message: 'odd', path: [{ key: 'n' }] }] } : { value: Number(value) },
      ),
      later: schema(async () => ({ value: 1 })),
    });
    expect(own.create('even', 2).data).toBe(2);
    expect(() => own.create('even', 3)).toThrow('not as declared: n: odd');
    expect(() => own.create('later', 1)).toThrow(expect.objectContaining({ code: 'invalid_argument' }));
    expect(() => own.create('other' as 'even', 2)).toThrow('There is no event "other". Declared: even,later.');
  });
});
