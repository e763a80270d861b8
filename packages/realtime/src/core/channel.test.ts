import fc from 'fast-check';
import { describe, expect, expectTypeOf, it } from 'vitest';
import {
  type ChannelId,
  type ChannelName,
  Channels,
  decodeChannelId,
  defineChannels,
  encodeChannelId,
  isChannelName,
  MAX_CHANNEL_BYTES,
  parseChannelName,
} from './channel.ts';
import { InvalidChannelError } from './errors.ts';

describe('Channels', () => {
  it('builds the names of the README', () => {
    expect(Channels.global()).toBe('trpc:global');
    expect(Channels.org('7')).toBe('trpc:org:7');
    expect(Channels.user('123')).toBe('trpc:user:123');
  });

  it('carries global and the own channel in the connection token, organisations as grants', () => {
    expect(Channels.global.delivery).toBe('connection');
    expect(Channels.user.delivery).toBe('connection');
    expect(Channels.org.delivery).toBe('grant');
  });

  const goodIds: ChannelId[] = [
    'a',
    '0',
    7,
    0,
    -1,
    Number.MAX_SAFE_INTEGER,
    'a.b_c~d@e+f=g-h',
    'user@example.com',
    '3f2b8c1e-9d7a-4b3e-8f00-1a2b3c4d5e6f',
    '__proto__',
  ];
  it.each(goodIds)('takes the id %j', (id) => {
    const name = Channels.org(id);
    expect(name).toBe(`trpc:org:${id}`);
    expect(isChannelName(name)).toBe(true);
  });

  const badIds: [string, unknown][] = [
    ['the empty string', ''],
    ['a space', 'a b'],
    ['a line break at the end', 'a\n'],
    ['a NUL', 'a\0'],
    ['letters beyond ASCII', 'é'],
    ['an emoji', '😀'],
    ['a lone surrogate', '\ud800'],
    ['the separator of ids', 'a:b'],
    ['the sign of user-limited channels', 'a#b'],
    ['the sign of private channels', '$a'],
    ['a slash', 'a/b'],
    ['a star', '*'],
    ['an ampersand', 'a&b'],
    ['a comma', 'a,b'],
    ['NaN', Number.NaN],
    ['Infinity', Number.POSITIVE_INFINITY],
    ['a fraction', 1.5],
    ['a number that has lost digits', 2 ** 53],
    ['nothing', undefined],
    ['null', null],
    ['true', true],
    ['a BigInt', 7n],
    ['an array', ['a']],
    ['an object', { toString: () => 'a' }],
    ['an object without a prototype', Object.create(null)],
    ['a symbol', Symbol('a')],
  ];
  it.each(badIds)('refuses %s as an id', (_, id) => {
    expect(() => Channels.org(id as ChannelId)).toThrow(InvalidChannelError);
  });

  it('says which id is wrong, and what to do', () => {
    expect(() => Channels.org('a b')).toThrow(
      'orgId of "trpc:org" must match [A-Za-z0-9._~@+=-]+, got "a b". encodeChannelId() makes any string an id.',
    );
  });

  it('does not print all of a long id', () => {
    expect(() => Channels.org(' '.repeat(10_000))).toThrow(/^.{0,200}$/);
  });

  it('takes names of 255 bytes and refuses those of 256', () => {
    const room = MAX_CHANNEL_BYTES - 'trpc:org:'.length;
    expect(Channels.org('x'.repeat(room))).toHaveLength(255);
    expect(() => Channels.org('x'.repeat(room + 1))).toThrow('at most 255 bytes, "org" got 256');
  });

  it('refuses a wrong number of ids', () => {
    const build = Channels.org as unknown as (...ids: ChannelId[]) => string;
    expect(() => build()).toThrow('takes 1 id(s), got 0');
    expect(() => build('a', 'b')).toThrow('takes 1 id(s), got 2');
  });

  it('never builds one name from two lists of ids', () => {
    const { pair } = defineChannels({ pair: { ids: ['a', 'b'] } });
    const id = fc.stringMatching(/^[A-Za-z0-9._~@+=-]{1,8}$/);
    fc.assert(
      fc.property(id, id, id, id, (a, b, c, d) => {
        expect(pair(a, b) === pair(c, d)).toBe(a === c && b === d);
      }),
    );
  });
});

describe('defineChannels', () => {
  const App = defineChannels({
    pollVotes: { ids: ['pollId', 'userId'] },
    lobby: {},
    feed: { ids: ['id'], scope: 'news-feed', delivery: 'connection' },
  });

  it('takes the scope from the key, in kebab-case, unless it is given', () => {
    expect(App.pollVotes(7, 42)).toBe('trpc:poll-votes:7:42');
    expect(App.lobby()).toBe('trpc:lobby');
    expect(App.feed('x')).toBe('trpc:news-feed:x');
    expect(App.pollVotes.scope).toBe('poll-votes');
  });

  it('grants by default', () => {
    expect(App.lobby.delivery).toBe('grant');
    expect(App.feed.delivery).toBe('connection');
  });

  it('types the names and the number of ids', () => {
    expectTypeOf(App.pollVotes(7, 42)).toEqualTypeOf<`trpc:poll-votes:${string}:${string}`>();
    expectTypeOf(App.lobby()).toEqualTypeOf<'trpc:lobby'>();
    expectTypeOf(App.feed('x')).toEqualTypeOf<`trpc:news-feed:${string}`>();
    expectTypeOf(Channels.user('1')).toEqualTypeOf<`trpc:user:${string}`>();
    expectTypeOf(App.pollVotes).parameters.toEqualTypeOf<[ChannelId, ChannelId]>();
    expectTypeOf(App.lobby).parameters.toEqualTypeOf<[]>();
    expectTypeOf(App.pollVotes(1, 2)).toExtend<ChannelName>();
    expectTypeOf('foreign:name' as const).not.toExtend<ChannelName>();
  });

  it.each(['Poll', 'poll votes', 'poll:votes', 'poll_votes', '-poll', 'poll-', 'poll--votes', '', 'é', '*'])(
    'refuses the scope %j',
    (scope) => {
      expect(() => defineChannels({ x: { scope } })).toThrow(InvalidChannelError);
    },
  );

  it('refuses a scope that is defined twice', () => {
    expect(() => defineChannels({ pollVotes: {}, other: { scope: 'poll-votes' } })).toThrow('defined twice');
  });

  it('is not fooled by a key from JSON that names the prototype', () => {
    expect(() => defineChannels(JSON.parse('{"__proto__":{}}'))).toThrow(InvalidChannelError);
    expect({}).not.toHaveProperty('scope');
  });

  it('cannot be changed', () => {
    expect(Object.isFrozen(App)).toBe(true);
  });
});

describe('isChannelName and parseChannelName', () => {
  it.each(['trpc:global', 'trpc:org:7', 'trpc:poll-votes:7:42', 'trpc:user:user@example.com'])('take %j', (name) => {
    expect(isChannelName(name)).toBe(true);
    expect(parseChannelName(name)).toBe(name);
  });

  const foreign: unknown[] = [
    '',
    'trpc',
    'trpc:',
    'trpc:org:',
    'trpc::7',
    'trpc:org::7',
    'trpc:Org:7',
    'trpc:org:7\n',
    'trpc:org:*',
    'trpc:org:7#42',
    '$trpc:org:7',
    'chat:org:7',
    'TRPC:org:7',
    ' trpc:org:7',
    `trpc:org:${'x'.repeat(247)}`,
    7,
    null,
    undefined,
    ['trpc:global'],
    { toString: () => 'trpc:global' },
    Object.create(null),
  ];
  it.each(foreign.map((name) => [name]))('refuse %o', (name) => {
    expect(isChannelName(name)).toBe(false);
    expect(() => parseChannelName(name)).toThrow(InvalidChannelError);
  });

  it('agree with the builders', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 12 }), (id) => {
        let built: string | null = null;
        try {
          built = Channels.org(id);
        } catch (error) {
          expect(error).toBeInstanceOf(InvalidChannelError);
        }
        expect(isChannelName(`trpc:org:${id}`)).toBe(built !== null || isTwoIds(id));
      }),
    );
  });
});

function isTwoIds(id: string): boolean {
  return id.includes(':') && id.split(':').every((part) => /^[A-Za-z0-9._~@+=-]+$/.test(part));
}

describe('encodeChannelId', () => {
  const anyString = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.string({ unit: 'grapheme' }),
    fc.array(fc.integer({ min: 0, max: 0xffff })).map((units) => String.fromCharCode(...units)),
    fc.stringMatching(/^[=~A-F0-9]{0,8}$/),
  );

  it('makes any string an id, and decodeChannelId brings it back', () => {
    fc.assert(
      fc.property(anyString, (value) => {
        const id = encodeChannelId(value);
        expect(id).toMatch(/^[A-Za-z0-9._~@+=-]+$/);
        expect(decodeChannelId(id)).toBe(value);
      }),
      { numRuns: 2000 },
    );
  });

  it('never gives two strings the same id', () => {
    fc.assert(
      fc.property(anyString, anyString, (a, b) => {
        expect(encodeChannelId(a) === encodeChannelId(b)).toBe(a === b);
      }),
    );
  });

  it.each([
    ['', '~'],
    ['7', '7'],
    ['user@example.com', 'user@example.com'],
    ['auth0|123', 'auth0=7C123'],
    ['a:b', 'a=3Ab'],
    ['=', '=3D'],
    ['~', '=7E'],
    ['é', '=C3=A9'],
    ['😀', '=F0=9F=98=80'],
    ['\ufeff', '=EF=BB=BF'],
    ['\ud800', '~D800'],
  ])('writes %j as %s', (value, id) => {
    expect(encodeChannelId(value)).toBe(id);
  });

  it.each([
    '',
    '=',
    '=4',
    '=41',
    '=c3=a9',
    '=C3',
    '=ED=A0=80',
    '~~',
    '~00',
    '~D83D~DE00',
    '~0041',
    'é',
    'a b',
    '=EF=BF',
  ])('refuses to decode %j, which it cannot have written', (id) => {
    expect(() => decodeChannelId(id)).toThrow(InvalidChannelError);
  });
});
