import { afterEach, describe, expect, it, vi } from 'vitest';
import { BrokerError, UnauthorizedError } from '../core/errors.ts';
import type { Message } from '../core/message.ts';
import {
  createRecorder,
  createTestRealtime,
  type TestClient,
  type TestRealtime,
  type TestRealtimeOptions,
} from '../testing/index.ts';

let realtime: TestRealtime;
const start = (options: TestRealtimeOptions = {}) => {
  realtime = createTestRealtime(options);
  return realtime;
};
afterEach(() => {
  realtime.dispose();
  vi.unstubAllGlobals();
});

const event = (name: string): Message => ({ type: 'event', name, data: null });
const states = ({ manager }: TestClient): string[] => {
  const seen: string[] = [];
  manager.onStatus(({ state }) => seen.push(state));
  return seen;
};

describe('the connection', () => {
  it('begins with the first need and ends a grace after the last', async () => {
    const client = start().createClient({ disconnectGraceMs: 5_000 });
    const seen = states(client);
    expect(client.manager.status).toMatchObject({ state: 'idle', reason: null });
    await realtime.advance(60_000);
    expect(client.tokenCalls).toBe(0);
    const end = client.manager.subscribe('trpc:global', () => {});
    await realtime.settled();
    expect(client.manager.status).toMatchObject({ state: 'connected', since: realtime.clock.now() });
    end();
    await realtime.advance(4_999);
    expect(realtime.broker.connections).toBe(1);
    await realtime.advance(2);
    expect(realtime.broker.connections).toBe(0);
    expect(seen).toEqual(['connecting', 'connected', 'idle']);
  });

  it('stays when a new subscription comes within the grace', async () => {
    const client = start().createClient();
    const end = client.manager.subscribe('trpc:global', () => {});
    await realtime.settled();
    end();
    await realtime.advance(4_000);
    client.manager.subscribe('trpc:user:user-1', () => {});
    await realtime.advance(60_000);
    expect(client.manager.status.state).toBe('connected');
    expect(client.attempts).toBe(1);
  });

  it('does not begin at all where the subscription ended before its code was loaded', async () => {
    const client = start().createClient();
    client.manager.subscribe('trpc:global', () => {})();
    await realtime.advance(10_000);
    expect(client.tokenCalls).toBe(0);
    expect(client.manager.status.state).toBe('idle');
  });

  it('comes back from idle, and recovers what it missed', async () => {
    const client = start().createClient();
    const listener = createRecorder();
    client.manager.subscribe('trpc:global', () => {})();
    const end = client.manager.subscribe('trpc:global', () => {});
    await realtime.settled();
    end();
    await realtime.advance(10_000);
    realtime.publish('trpc:global', event('meanwhile'));
    client.manager.subscribe('trpc:global', listener.handler, listener.options);
    await realtime.advance(10);
    expect(listener.lines).toEqual(['join 0 recovered', 'event meanwhile @1 recovered']);
    expect(client.tokenCalls).toBe(1);
  });

  it('reconnects with back-off, shows why, polls after a while, and is connected again', async () => {
    const client = start().createClient({ pollingAfterMs: 30_000 });
    client.manager.subscribe('trpc:global', () => {});
    await realtime.settled();
    const seen = states(client);
    realtime.broker.isUp = false;
    realtime.broker.restart();
    await realtime.settled();
    expect(client.manager.status).toMatchObject({
      state: 'reconnecting',
      reason: { code: 'disconnected', brokerCode: 3001 },
    });
    await realtime.advance(30_000);
    expect(client.manager.status.state).toBe('polling');
    const attempts = client.attempts;
    expect(attempts).toBeGreaterThan(3);
    expect(attempts).toBeLessThan(15);
    realtime.broker.isUp = true;
    await realtime.advance(25_000);
    expect(client.manager.status).toMatchObject({ state: 'connected', reason: null });
    expect(new Set(seen)).toEqual(new Set(['reconnecting', 'polling', 'connected']));
  });

  it('ends for good where the broker says so, until reconnect()', async () => {
    const client = start().createClient({ userId: '7' });
    client.manager.subscribe('trpc:global', () => {});
    await realtime.settled();
    realtime.broker.disconnect('7');
    await realtime.advance(60_000);
    expect(client.manager.status).toMatchObject({
      state: 'failed',
      reason: { code: 'disconnected', brokerCode: 3503 },
    });
    expect(client.attempts).toBe(1);
    client.manager.subscribe('trpc:user:7', () => {});
    await realtime.advance(60_000);
    expect(client.attempts).toBe(1);
    client.manager.reconnect();
    await realtime.advance(1_000);
    expect(client.manager.status.state).toBe('connected');
    expect(client.tokenCalls).toBe(2);
  });

  it('reports its status once per change, and listeners that throw or end harm nobody', async () => {
    const client = start().createClient();
    const seen: string[] = [];
    client.manager.onStatus(() => {
      throw new TypeError('mine');
    });
    const end = client.manager.onStatus(({ state }) => {
      seen.push(state);
      end();
      end();
    });
    const rest = states(client);
    client.manager.subscribe('trpc:global', () => {});
    await realtime.settled();
    expect(seen).toEqual(['connecting']);
    expect(rest).toEqual(['connecting', 'connected']);
    expect(client.errors.map(({ code }) => code)).toEqual(['handler_failed', 'handler_failed']);
  });
});

describe('getToken', () => {
  it('is not asked again by a reconnect, and silently at the expiry', async () => {
    const client = start().createClient({ tokenTtlSeconds: 600 });
    const listener = createRecorder();
    client.manager.subscribe('trpc:global', listener.handler, listener.options);
    await realtime.settled();
    client.drop();
    await realtime.advance(5_000);
    expect(client.tokenCalls).toBe(1);
    await realtime.advance(600_000);
    expect(client.tokenCalls).toBe(2);
    expect(listener.lines).toEqual(['join 0', 'loss dropped', 'join 0 recovered']);
  });

  it('is never called twice at a time', async () => {
    let running = 0;
    let most = 0;
    const waiting: (() => void)[] = [];
    const client = start().createClient({
      getToken: async () => {
        most = Math.max(most, ++running);
        await new Promise<void>((resolve) => waiting.push(resolve));
        running--;
        return realtime.broker.issueToken({ userId: 'user-1', channels: ['trpc:global'] });
      },
    });
    client.manager.subscribe('trpc:global', () => {});
    await realtime.settled();
    client.manager.reconnect();
    client.manager.reconnect();
    await realtime.advance(1_000);
    for (const resolve of waiting) resolve();
    await realtime.advance(1_000);
    expect(most).toBe(1);
    expect(client.manager.status.state).toBe('connected');
  });

  it('that fails is tried again with back-off, visible in the status, reported once', async () => {
    let calls = 0;
    const client = start().createClient({
      getToken: async () => {
        if (++calls < 4) throw new TypeError('no network');
        return realtime.broker.issueToken({ userId: 'user-1', channels: ['trpc:global'] });
      },
    });
    client.manager.subscribe('trpc:global', () => {});
    await realtime.settled();
    expect(client.manager.status).toMatchObject({ state: 'reconnecting', reason: { code: 'token_unavailable' } });
    expect(client.manager.status.reason?.cause).toMatchObject({ message: 'no network' });
    await realtime.advance(20_000);
    expect(calls).toBe(4);
    expect(client.manager.status).toMatchObject({ state: 'connected', reason: null });
    expect(client.errors.map(({ code }) => code)).toEqual(['token_unavailable']);
  });

  it('that throws at once, and one that never answers, are failures like any other', async () => {
    let calls = 0;
    const client = start().createClient({
      tokenTimeoutMs: 1_000,
      getToken: () => {
        calls++;
        if (calls === 1) throw new TypeError('synchronously');
        if (calls === 2) return new Promise(() => {});
        return Promise.resolve(realtime.broker.issueToken({ userId: 'user-1', channels: ['trpc:global'] }));
      },
    });
    client.manager.subscribe('trpc:global', () => {});
    await realtime.advance(20_000);
    expect(calls).toBe(3);
    expect(client.manager.status.state).toBe('connected');
  });

  it.each([
    ['throws UnauthorizedError', () => Promise.reject(new UnauthorizedError())],
    [
      'throws one of another copy of the library',
      () => Promise.reject(Object.assign(new TypeError(), { code: 'unauthorized' })),
    ],
    [
      'throws what tRPC answers with 401',
      () => Promise.reject(Object.assign(new TypeError(), { data: { httpStatus: 401 } })),
    ],
    ['answers null', () => Promise.resolve(null)],
    ['answers undefined', () => Promise.resolve(undefined)],
    ['answers an empty string', () => Promise.resolve('')],
  ])('that %s is final until reconnect()', async (_name, answer) => {
    let isLoggedIn = false;
    const client = start().createClient({
      getToken: () =>
        isLoggedIn ? Promise.resolve(realtime.broker.issueToken({ userId: '1', channels: ['trpc:global'] })) : answer(),
    });
    const listener = createRecorder();
    client.manager.subscribe('trpc:global', listener.handler, listener.options);
    await realtime.advance(600_000);
    expect(client.manager.status).toMatchObject({ state: 'unauthorized', reason: { code: 'unauthorized' } });
    expect(client.tokenCalls).toBe(1);
    expect(client.errors).toEqual([]);
    client.manager.subscribe('trpc:global', () => {});
    await realtime.advance(600_000);
    expect(client.tokenCalls).toBe(1);
    isLoggedIn = true;
    client.manager.reconnect();
    await realtime.advance(1_000);
    expect(client.manager.status.state).toBe('connected');
    expect(listener.lines).toEqual(['join 0']);
  });

  it.each([
    ['signed by another secret', () => createTestRealtime().broker.issueToken({ userId: '1' })],
    ['no token at all', () => 'hello'],
    ['a grant instead', () => realtime.grant('1', 'trpc:global').token],
  ])('that gives a token which is %s ends in `unauthorized`, without the token in any message', async (_name, make) => {
    let token = '';
    const client = start().createClient({
      getToken: async () => {
        token = make();
        return token;
      },
    });
    client.manager.subscribe('trpc:global', () => {});
    await realtime.advance(60_000);
    expect(client.manager.status).toMatchObject({ state: 'unauthorized', reason: { code: 'unauthorized' } });
    expect(client.errors).toHaveLength(1);
    expect(client.errors[0]?.message).not.toContain(token);
    expect(client.attempts).toBe(1);
  });

  it('that gives an expired token is asked again with back-off', async () => {
    let calls = 0;
    const client = start().createClient({
      getToken: async () =>
        realtime.broker.issueToken({ userId: '1', channels: ['trpc:global'], ttlSeconds: ++calls < 3 ? -60 : 600 }),
    });
    client.manager.subscribe('trpc:global', () => {});
    await realtime.settled();
    expect(client.manager.status).toMatchObject({
      state: 'reconnecting',
      reason: { code: 'broker_error', brokerCode: 109 },
    });
    await realtime.advance(20_000);
    expect(calls).toBe(3);
    expect(client.manager.status.state).toBe('connected');
  });

  it('is asked again when all tokens were made to expire, and everything recovers', async () => {
    const client = start().createClient();
    const listener = createRecorder();
    client.manager.subscribe('trpc:org:1', listener.handler, listener.options);
    await realtime.advance(10);
    realtime.broker.expireTokens();
    realtime.publish('trpc:org:1', event('meanwhile'));
    await realtime.advance(10_000);
    expect(client.tokenCalls).toBe(2);
    expect(client.grantCalls).toHaveLength(2);
    expect(listener.lines).toEqual(['join 0', 'loss dropped', 'join 0 recovered', 'event meanwhile @1 recovered']);
  });

  it('may list other channels than before: each is delivered one way at a time', async () => {
    let listed = ['trpc:org:1'];
    const client = start().createClient({
      userId: '7',
      getToken: async () => realtime.broker.issueToken({ userId: '7', channels: listed, ttlSeconds: 60 }),
    });
    const first = createRecorder();
    const second = createRecorder();
    client.manager.subscribe('trpc:org:1', first.handler, first.options);
    client.manager.subscribe('trpc:org:2', second.handler, second.options);
    await realtime.advance(10);
    expect(client.grantCalls).toEqual([['trpc:org:2']]);
    listed = ['trpc:org:2'];
    await realtime.advance(65_000);
    expect(client.grantCalls.slice(1)).toContainEqual(['trpc:org:1']);
    expect([first.lines.at(-1), second.lines.at(-1)]).toEqual(['join 0', 'join 0']);
    expect(client.manager.isConnectionChannel('trpc:org:2')).toBe(true);
    realtime.publish('trpc:org:1', event('a'));
    realtime.publish('trpc:org:2', event('b'));
    await realtime.settled();
    expect([first.lines.at(-1), second.lines.at(-1)]).toEqual(['event a @1', 'event b @1']);
    expect([...first.losses, ...second.losses].map(({ kind }) => kind)).not.toContain('refused');
  });

  it('may be for another user after a login: the connection is made anew, and nothing of the former user is used', async () => {
    let userId = '7';
    const client = start().createClient({
      userId: '7',
      getToken: async () => realtime.broker.issueToken({ userId, channels: [`trpc:user:${userId}`], ttlSeconds: 60 }),
      getChannelTokens: async (channels) => channels.map((channel) => realtime.grant(userId, channel as 'trpc:org:1')),
    });
    const old = createRecorder();
    const mine = createRecorder();
    const shared = createRecorder();
    client.manager.subscribe('trpc:user:7', old.handler, old.options);
    client.manager.subscribe('trpc:user:8', mine.handler, mine.options);
    client.manager.subscribe('trpc:org:1', shared.handler, shared.options);
    await realtime.advance(10);
    userId = '8';
    await realtime.advance(65_000);
    expect(client.manager.status.state).toBe('connected');
    expect(realtime.broker.channelsOf('8').sort()).toEqual(['trpc:org:1', 'trpc:user:8']);
    expect(realtime.broker.channelsOf('7')).toEqual([]);
    expect(old.lines).toEqual(['join 0', 'loss dropped', 'loss refused']);
    expect(shared.lines).toEqual(['join 0', 'loss dropped', 'join 0']);
  });
});

describe('reconnect()', () => {
  it('fetches a new token on a live connection, and recovers', async () => {
    const client = start().createClient();
    const listener = createRecorder();
    client.manager.subscribe('trpc:org:1', listener.handler, listener.options);
    await realtime.advance(10);
    client.manager.reconnect();
    expect(client.manager.status.state).toBe('reconnecting');
    await realtime.advance(1_000);
    expect(client.tokenCalls).toBe(2);
    expect(listener.lines).toEqual(['join 0', 'loss dropped', 'join 0 recovered']);
  });

  it('gives refused channels another chance', async () => {
    let isMember = false;
    const client = start({ mayRead: () => isMember }).createClient();
    const listener = createRecorder();
    client.manager.subscribe('trpc:org:1', listener.handler, listener.options);
    await realtime.advance(10);
    isMember = true;
    client.manager.reconnect();
    await realtime.advance(1_000);
    expect(listener.lines).toEqual(['loss refused', 'join 0']);
  });

  it('connects nobody where nothing needs a connection', async () => {
    const client = start().createClient();
    client.manager.reconnect();
    await realtime.advance(1_000);
    expect(client.tokenCalls).toBe(0);
    const end = client.manager.subscribe('trpc:global', () => {});
    await realtime.settled();
    end();
    await realtime.advance(10_000);
    client.manager.reconnect();
    await realtime.advance(10_000);
    expect(client.manager.status.state).toBe('idle');
    expect(realtime.broker.connections).toBe(0);
  });
});

describe('a dead socket', () => {
  const page = () => {
    const target = new EventTarget();
    const addEventListener = target.addEventListener.bind(target);
    const document = Object.assign(new EventTarget(), { visibilityState: 'visible' });
    vi.stubGlobal('window', { addEventListener });
    vi.stubGlobal('document', document);
    return {
      online: () => target.dispatchEvent(new Event('online')),
      offline: () => target.dispatchEvent(new Event('offline')),
      show: (isShown: boolean) => {
        document.visibilityState = isShown ? 'visible' : 'hidden';
        document.dispatchEvent(new Event('visibilitychange'));
      },
      pageshow: () => target.dispatchEvent(Object.assign(new Event('pageshow'), { persisted: true })),
    };
  };

  it('is found after sleep by the jump of the clock, and replaced within the deadline', async () => {
    const client = start().createClient({ probeTimeoutMs: 4_000 });
    const listener = createRecorder();
    client.manager.subscribe('trpc:org:1', listener.handler, listener.options);
    await realtime.advance(1_000);
    client.halfOpen();
    realtime.publish('trpc:org:1', event('while asleep'));
    await realtime.sleep(20_000); // less than the SDK takes to miss a ping
    expect(listener.lines).toEqual(['join 0']);
    await realtime.advance(4_100);
    expect(listener.lines).toEqual(['join 0', 'loss dropped', 'join 0 recovered', 'event while asleep @1 recovered']);
  });

  it.each(['online', 'pageshow'] as const)('is found after %s', async (signal) => {
    const signals = page();
    const client = start().createClient({ probeTimeoutMs: 4_000 });
    client.manager.subscribe('trpc:global', () => {});
    await realtime.advance(1_000);
    client.halfOpen();
    signals[signal]();
    await realtime.advance(3_900);
    expect(client.attempts).toBe(1);
    await realtime.advance(1_000);
    expect(client.attempts).toBe(2);
    expect(client.manager.status.state).toBe('connected');
  });

  it('is found when a page is shown that was hidden for long; a glance at another tab asks for no proof', async () => {
    const signals = page();
    const client = start().createClient({ probeTimeoutMs: 4_000 });
    client.manager.subscribe('trpc:global', () => {});
    await realtime.advance(1_000);
    signals.show(false);
    await realtime.advance(9_000);
    client.halfOpen();
    signals.show(true);
    await realtime.advance(5_000);
    expect(client.attempts).toBe(1);
    signals.show(false);
    await realtime.advance(11_000);
    signals.show(true);
    await realtime.advance(4_100);
    expect(client.attempts).toBe(2);
  });

  it('is not looked for by the clock while the page is hidden, where browsers slow timers down', async () => {
    const signals = page();
    const client = start().createClient({ probeTimeoutMs: 4_000 });
    client.manager.subscribe('trpc:global', () => {});
    await realtime.advance(1_000);
    signals.show(false);
    client.halfOpen();
    await realtime.sleep(20_000);
    await realtime.advance(5_000);
    expect(client.attempts).toBe(1);
  });

  it('is not suspected where the broker answers', async () => {
    const signals = page();
    const client = start({ latencyMs: 100 }).createClient();
    client.manager.subscribe('trpc:global', () => {});
    await realtime.advance(1_000);
    const seen = states(client);
    const timers = realtime.clock.pending;
    signals.online();
    const withProbe = realtime.clock.pending;
    expect(withProbe).toBeGreaterThan(timers);
    signals.online();
    expect(realtime.clock.pending).toBe(withProbe);
    await realtime.advance(30_000);
    expect(seen).toEqual([]);
    expect(client.attempts).toBe(1);
  });

  it('is given up at once when the network goes, and the way back does not wait for the back-off', async () => {
    const signals = page();
    const client = start().createClient();
    client.manager.subscribe('trpc:global', () => {});
    await realtime.advance(1_000);
    realtime.broker.isUp = false;
    signals.offline();
    expect(client.manager.status.state).toBe('reconnecting');
    await realtime.advance(25_000);
    realtime.broker.isUp = true;
    signals.online();
    await realtime.settled();
    expect(client.manager.status.state).toBe('connected');
  });

  it('is not looked for any more after dispose()', async () => {
    const signals = page();
    const client = start().createClient();
    client.manager.subscribe('trpc:global', () => {});
    await realtime.advance(1_000);
    client.manager.dispose();
    signals.online();
    signals.offline();
    await realtime.advance(60_000);
    expect(client.attempts).toBe(0);
    expect(realtime.broker.connections).toBe(0);
  });
});

describe('calls', () => {
  it('connect, answer, and let go of the connection', async () => {
    const client = start().createClient();
    const position = realtime.publish('trpc:global', event('a'));
    const asked = client.manager.history('trpc:global', { limit: 10 });
    await realtime.settled();
    expect(await asked).toMatchObject({ position, publications: [{ position, data: event('a') }] });
    const stats = client.manager.presenceStats('trpc:global');
    await realtime.settled();
    expect(await stats).toEqual({ clients: 1, users: 1 });
    const present = client.manager.presence('trpc:global');
    await realtime.settled();
    expect(await present).toMatchObject([{ userId: 'user-1' }]);
    await realtime.advance(10_000);
    expect(client.manager.status.state).toBe('idle');
  });

  it('reject with what the broker said, and with what is too large before it costs the connection', async () => {
    const client = start().createClient();
    const failures = Promise.allSettled([
      client.manager.publish('trpc:global', event('a')),
      client.manager.rpc('x', 1),
      client.manager.rpc('x', 'y'.repeat(1_000_000)),
      client.manager.publish('trpc:global', { type: 'nonsense' } as unknown as Message),
    ]);
    await realtime.settled();
    expect((await failures).map((result) => result.status === 'rejected' && result.reason)).toMatchObject([
      { code: 'broker_error', brokerCode: 103 },
      { code: 'broker_error', brokerCode: 108 },
      { code: 'invalid_message' },
      { code: 'invalid_message' },
    ]);
    expect(client.manager.status.state).toBe('connected');
  });

  it('reject at once where the connection is closed for good', async () => {
    const client = start().createClient({ getToken: async () => null });
    client.manager.subscribe('trpc:global', () => {});
    await realtime.settled();
    await expect(client.manager.rpc('x')).rejects.toMatchObject({ code: 'unauthorized' });
  });
});

describe('dispose()', () => {
  it('ends everything: no timer, no socket, no event, and no further use', async () => {
    const client = start().createClient();
    const listener = createRecorder();
    const end = client.manager.subscribe('trpc:org:1', listener.handler, listener.options);
    await realtime.advance(10);
    const seen = states(client);
    client.manager.dispose();
    client.manager.dispose();
    end();
    realtime.publish('trpc:org:1', event('a'));
    await realtime.advance(600_000);
    expect(realtime.broker.connections).toBe(0);
    expect(realtime.clock.pending).toBe(0);
    expect(listener.messages).toEqual([]);
    expect(seen).toEqual(['disposed']);
    expect(client.manager.status.state).toBe('disposed');
    expect(() => client.manager.subscribe('trpc:global', () => {})).toThrow(
      expect.objectContaining({ code: 'disposed' }),
    );
    await expect(client.manager.rpc('x')).rejects.toMatchObject({ code: 'disposed' });
    client.manager.addGrant(realtime.grant('1', 'trpc:org:1'));
    client.manager.reconnect();
    expect(client.manager.status.state).toBe('disposed');
  });

  it('also from inside of a handler or a status listener', async () => {
    const client = start().createClient();
    const other = createRecorder();
    client.manager.subscribe('trpc:global', () => client.manager.dispose());
    client.manager.subscribe('trpc:global', other.handler);
    client.manager.onMessage(other.handler);
    await realtime.settled();
    realtime.publish('trpc:global', event('a'));
    await realtime.settled();
    expect(other.lines).toEqual([]);
    for (const when of ['connecting', 'connected', 'reconnecting', 'idle']) {
      const listening = realtime.createClient();
      listening.manager.onStatus(({ state }) => state === when && listening.manager.dispose());
      const end = listening.manager.subscribe('trpc:global', () => {});
      await realtime.advance(1_000);
      listening.drop();
      await realtime.advance(1_000);
      end();
      await realtime.advance(60_000);
      expect([when, listening.manager.status.state, listening.errors]).toEqual([when, 'disposed', []]);
    }
    expect(realtime.broker.connections).toBe(0);
    expect(realtime.clock.pending).toBe(0);
  });

  it('also before the code was loaded, and while a token is on its way', async () => {
    const early = start().createClient();
    early.manager.subscribe('trpc:global', () => {});
    early.manager.dispose();
    let resolve: (token: string) => void = () => {};
    const late = realtime.createClient({ getToken: () => new Promise((onToken) => (resolve = onToken)) });
    late.manager.subscribe('trpc:global', () => {});
    await realtime.settled();
    late.manager.dispose();
    resolve(realtime.broker.issueToken({ userId: '1' }));
    await realtime.advance(60_000);
    expect(realtime.broker.connections).toBe(0);
    expect([early.errors, late.errors]).toEqual([[], []]);
  });
});

describe('errors of a publish on the server', () => {
  it('can be injected', () => {
    start().broker.failPublishes();
    expect(() => realtime.publish('trpc:global', event('a'))).toThrow(BrokerError);
    expect(realtime.publish('trpc:global', event('b')).offset).toBe(1);
  });
});
