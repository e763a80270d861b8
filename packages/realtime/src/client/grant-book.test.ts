import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { backoffMs } from '../core/backoff.ts';
import type { RealtimeError } from '../core/errors.ts';
import { encodeTestToken } from '../testing/test-token.ts';
import { VirtualClock } from '../testing/virtual-clock.ts';
import { GrantBook } from './grant-book.ts';
import { fitsJoinBudget } from './join-budget.ts';
import { readTokenClaims } from './token-claims.ts';

function open(
  clock = new VirtualClock(),
  fetchGrant: ((channel: string) => string) | null = () => '',
  /** How far the page's clock is ahead of the server's. */
  aheadMs = () => 0,
) {
  const reported: RealtimeError[] = [];
  const book = new GrantBook({
    clock: { now: () => clock.now() + aheadMs(), after: (delayMs, fn) => clock.after(delayMs, fn) },
    random: () => 0.5,
    retry: { minMs: 100, maxMs: 1_000 },
    tokenTimeoutMs: 1_000,
    getChannelTokens: () =>
      fetchGrant ? async (channels) => channels.map((channel) => ({ channel, token: fetchGrant(channel) })) : undefined,
    report: (error) => reported.push(error),
  });
  const grant = (channel: string, ttlSeconds = 600, issuedAtMs = clock.now()) =>
    encodeTestToken({ userId: '1', channel, ttlSeconds }, issuedAtMs, 0);
  const login = (issuedAtMs = clock.now()) =>
    book.setIdentity(readTokenClaims(encodeTestToken({ userId: '1' }, issuedAtMs, 1)));
  return { book, clock, reported, grant, login };
}

describe('the grant book', () => {
  it('gives a grant as often as it is asked, until it expires, and says nothing about that', async () => {
    const { book, clock, reported, grant, login } = open();
    login();
    const token = book.add('a', grant('a', 60));
    expect([book.take('a'), book.take('a'), book.take('b')]).toEqual([token, token, null]);
    await clock.advance(61_000);
    expect(book.take('a')).toBeNull();
    expect(reported).toEqual([]);
  });

  it('believes the time of the server, not a clock that is wrong by hours', () => {
    const { book, clock, grant, login } = open();
    const serverMs = clock.now() - 3 * 3_600_000; // this machine is three hours ahead
    login(serverMs);
    const token = book.add('a', grant('a', 600, serverMs));
    expect(book.take('a')).toBe(token);
    book.add('b', grant('b', 600, serverMs - 700_000));
    expect(book.take('b')).toBeNull();
  });

  it('takes what the server has just sent, though this clock was set forward by an hour since the connection token came', async () => {
    let aheadMs = 0;
    const clock = new VirtualClock();
    const fresh = (channel: string) => encodeTestToken({ userId: '1', channel, ttlSeconds: 600 }, clock.now(), 0);
    const { book, reported, login } = open(clock, fresh, () => aheadMs);
    login(clock.now());
    aheadMs = 3_600_000;
    const asked = book.request('a');
    await clock.advance(10);
    const token = await asked;
    expect(token).toBe(fresh('a'));
    expect(book.take('a')).toBe(token);
    expect(reported).toEqual([]);
  });

  it('leaves it to the broker whether a grant has expired, where nobody can be asked for another', () => {
    let aheadMs = 0;
    const { book, grant, login } = open(new VirtualClock(), null, () => aheadMs);
    login();
    aheadMs = 3_600_000; // set forward: everything seems to have expired
    const token = book.add('a', grant('a'));
    expect(book.take('a')).toBe(token);
    book.drop('a', token);
    expect(book.take('a')).toBeNull();
  });

  it('drops only the token that went bad', () => {
    const { book, clock, grant, login } = open();
    login();
    const old = book.add('a', grant('a'));
    const fresh = book.add('a', grant('a', 700, clock.now()));
    book.drop('a', old);
    expect(book.take('a')).toBe(fresh);
    book.drop('a', fresh);
    expect(book.take('a')).toBeNull();
  });

  it('stays bounded, and lets the oldest go first', () => {
    const { book, grant, login } = open();
    login();
    for (let id = 0; id < 2_100; id++) book.add(`c${id}`, grant(`c${id}`));
    expect(book.take('c99')).toBeNull();
    expect(book.take('c100')).not.toBeNull();
    expect(book.take('c2099')).not.toBeNull();
  });
});

describe('the back-off', () => {
  it('never waits less than its least nor more than its most, and may reach both', () => {
    fc.assert(
      fc.property(fc.nat(100), fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }), (attempt, random) => {
        const pauseMs = backoffMs(attempt, { minMs: 500, maxMs: 20_000 }, () => random);
        return pauseMs >= 500 && pauseMs <= 20_000;
      }),
    );
    expect(backoffMs(0, { minMs: 500, maxMs: 20_000 }, () => 0.99)).toBe(500);
    expect(backoffMs(50, { minMs: 500, maxMs: 20_000 }, () => 1)).toBe(20_000);
  });
});

describe('the join budget', () => {
  const joins = (count: number, tokenBytes: number) =>
    Array.from({ length: count }, (_, at) => ({ channel: `trpc:org:${at}`, token: 'x'.repeat(tokenBytes) }));

  it.each([
    ['128 small grants', joins(128, 250), true],
    ['129 of them', joins(129, 10), false],
    ['few, but so large that rejoining them would not fit a frame', joins(40, 1_500), false],
    [
      'channels that the connection carries, which need no command',
      joins(128, 0).map(({ channel }) => ({ channel, token: null })),
      true,
    ],
  ])('%s', (_name, list, fits) => {
    expect(fitsJoinBudget(list, 128)).toBe(fits);
  });
});
