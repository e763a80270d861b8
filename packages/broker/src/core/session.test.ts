import { describe, expect, it } from 'vitest';
import { type Client, call, createEngine, NAMESPACES } from '../../test/engine-harness.ts';
import { signToken } from '../../test/tokens.ts';

describe('pings', () => {
  it('come first after half to a whole interval, then every interval, each wanting its pong', () => {
    const { clock, connect } = createEngine();
    const client = connect();
    clock.advance(18_700);
    expect(client.peer.take()).toEqual([]);
    clock.advance(200);
    expect(client.peer.take()).toEqual(['{}']);
    expect(client.send('{}')).toEqual([]);
    clock.advance(25_000);
    expect(client.peer.take()).toEqual(['{}']);
    expect(client.peer.closed).toBeUndefined();
  });

  it('end the connection with 3012 where no pong comes in time', () => {
    const { clock, connect } = createEngine();
    const { peer } = connect();
    clock.advance(18_900 + 7_800);
    expect(peer.closed).toBeUndefined();
    clock.advance(400);
    expect(peer.closed).toEqual({ code: 3012, reason: 'no pong' });
  });

  it('take one pong each: a second one breaks the protocol', () => {
    const { clock, connect } = createEngine();
    const client = connect();
    clock.advance(19_000);
    client.send('{}');
    client.send('{}');
    expect(client.peer.closed?.code).toBe(3501);
  });

  it('can be switched off', () => {
    const { clock, open } = createEngine({
      client: { token: { hmacSecretKey: 'k' }, pingIntervalMs: -1, pongTimeoutMs: -2 },
    });
    const client = open();
    const [reply] = client.send({ id: 1, connect: { token: signToken({ sub: 'u' }, 'k') } });
    expect(reply).toBe('{"id":1,"connect":{"client":"client-2","version":"6.9.1 OSS"}}');
    clock.advance(3_600_000);
    expect(client.peer.take()).toEqual([]);
    expect(client.peer.closed).toBeUndefined();
  });
});

describe('time limits', () => {
  it('closes a client that does not connect with 3502', () => {
    const { clock, open } = createEngine();
    const { peer } = open();
    clock.advance(9_900);
    expect(peer.closed).toBeUndefined();
    clock.advance(200);
    expect(peer.closed).toEqual({ code: 3502, reason: 'stale' });
  });

  it('gives a refused client five seconds to leave, and looks at nothing more', () => {
    const { clock, open, engine } = createEngine();
    const client = open();
    client.send({ id: 1, connect: { token: signToken({ sub: 'u', exp: 1 }) } });
    expect(client.send({ id: 2, connect: { token: signToken({ sub: 'u' }) } })).toEqual([]);
    expect(client.peer.isTerminated).toBe(false);
    clock.advance(5_200);
    expect(client.peer.isTerminated).toBe(true);
    expect(engine.hub.sessions.size).toBe(0);
  });

  it('does not read the rest of the frame in which a client was refused', () => {
    const { open } = createEngine();
    const client = open();
    const connect = JSON.stringify({ id: 1, connect: { token: signToken({ sub: 'u', exp: 1 }) } });
    client.session.receive(Buffer.from(`${connect}\n\nnonsense`));
    expect(client.peer.take()).toEqual(['{"id":1,"error":{"code":109,"message":"token expired"}}']);
    expect(client.peer.closed).toBeUndefined();
  });

  it('closes a refused client with 3502 where the time to connect is up before that', () => {
    const { clock, open } = createEngine({ client: { token: { hmacSecretKey: 'k' }, staleCloseDelayMs: 2_000 } });
    const client = open();
    client.send({ id: 1, connect: { token: signToken({ sub: 'u', exp: 1 }, 'k') } });
    clock.advance(2_100);
    expect(client.peer.closed).toEqual({ code: 3502, reason: 'stale' });
  });

  it('closes an expired connection with 3005, after its grace', () => {
    const { clock, connect, nowSeconds } = createEngine({ client: { pingIntervalMs: -1, pongTimeoutMs: -2 } });
    const { peer } = connect({ sub: 'u1', exp: nowSeconds() + 60 });
    clock.advance(84_800);
    expect(peer.closed).toBeUndefined();
    clock.advance(400);
    expect(peer.closed).toEqual({ code: 3005, reason: 'connection expired' });
  });

  it('lets a client refresh within the grace', () => {
    const { clock, connect, nowSeconds } = createEngine({ client: { pingIntervalMs: -1, pongTimeoutMs: -2 } });
    const client = connect({ sub: 'u1', exp: nowSeconds() + 60 });
    clock.advance(80_000);
    const [reply] = client.send({ id: 2, refresh: { token: signToken({ sub: 'u1', exp: nowSeconds() + 60 }) } });
    expect(reply).toBe('{"id":2,"refresh":{"expires":true,"ttl":60}}');
    clock.advance(84_000);
    expect(client.peer.closed).toBeUndefined();
    clock.advance(1_200);
    expect(client.peer.closed?.code).toBe(3005);
  });

  const subscribe = (exp: number) => ({
    id: 2,
    subscribe: { channel: 'trpc:a', token: signToken({ sub: 'u1', channel: 'trpc:a', exp }) },
  });

  it('ends an expired subscription of the client with 2501, after its grace, at the next round', () => {
    const { clock, connect, nowSeconds } = createEngine({ client: { pingIntervalMs: -1, pongTimeoutMs: -2 } });
    const client = connect();
    client.send(subscribe(nowSeconds() + 10));
    clock.advance(35_000);
    expect(client.peer.take()).toEqual([]);
    clock.advance(27_000);
    expect(client.peer.take()).toEqual([
      '{"push":{"channel":"trpc:a","unsubscribe":{"code":2501,"reason":"subscription expired"}}}',
    ]);
    expect(client.session.subscriptions.size).toBe(0);
    expect(client.peer.closed).toBeUndefined();
  });

  it('keeps a subscription that was refreshed; an expired token does not refresh it', () => {
    const { clock, connect, nowSeconds } = createEngine({ client: { pingIntervalMs: -1, pongTimeoutMs: -2 } });
    const client = connect();
    client.send(subscribe(nowSeconds() + 10));
    const refresh = (exp: number) => ({
      id: 3,
      sub_refresh: { channel: 'trpc:a', token: signToken({ sub: 'u1', channel: 'trpc:a', exp }) },
    });
    client.send(refresh(nowSeconds() + 100));
    clock.advance(90_000);
    expect(client.session.subscriptions.size).toBe(1);
    client.send(refresh(nowSeconds() - 1));
    clock.advance(90_000);
    expect(client.session.subscriptions.size).toBe(0);
  });

  it('closes a client whose server-side subscription expired with 3006', () => {
    const { clock, connect, engine, nowSeconds } = createEngine({ client: { pingIntervalMs: -1, pongTimeoutMs: -2 } });
    const { peer } = connect();
    call(engine, 'subscribe', { user: 'u1', channel: 'trpc:a', expire_at: nowSeconds() + 10 });
    clock.advance(70_000);
    expect(peer.closed).toEqual({ code: 3006, reason: 'subscription expired' });
  });

  it('tells a subscriber that its stream is gone with 2500, a server-side one with 3010', () => {
    const short = { ...NAMESPACES, trpc: { ...NAMESPACES.trpc, historyTtlMs: 1000, historyMetaTtlMs: 5000 } };
    const { clock, connect, engine } = createEngine({
      client: { pingIntervalMs: -1, pongTimeoutMs: -2 },
      channel: { namespaces: short },
    });
    const own = connect({ sub: 'u1' });
    own.send({ id: 2, subscribe: { channel: 'trpc:a', token: signToken({ sub: 'u1', channel: 'trpc:a' }) } });
    const served = connect({ sub: 'u2', subs: { 'trpc:a': {} } });
    clock.advance(10_000);
    // The stream's epoch has been forgotten meanwhile; the next publication begins another.
    call(engine, 'publish', { channel: 'trpc:a', data: 1 });
    expect(own.peer.take().at(-1)).toBe(
      '{"push":{"channel":"trpc:a","unsubscribe":{"code":2500,"reason":"insufficient state"}}}',
    );
    expect(served.peer.closed).toEqual({ code: 3010, reason: 'insufficient state' });
  });
});

describe('limits', () => {
  it('refuses the 129th subscription with 106', () => {
    const { connect } = createEngine();
    const client = connect();
    for (let i = 0; i < 128; i++) client.send({ id: 2, subscribe: { channel: `plain:${i}` } });
    expect(client.send({ id: 3, subscribe: { channel: 'plain:more' } })).toEqual([
      '{"id":3,"error":{"code":106,"message":"limit exceeded"}}',
    ]);
    client.send({ id: 4, unsubscribe: { channel: 'plain:0' } });
    expect(client.send({ id: 5, subscribe: { channel: 'plain:more' } })).toEqual(['{"id":5,"subscribe":{}}']);
  });

  it('closes a client whose token lists 129 channels with 3505', () => {
    const { open } = createEngine();
    const client = open();
    const channels = Array.from({ length: 129 }, (_, i) => `plain:${i}`);
    client.send({ id: 1, connect: { token: signToken({ sub: 'u1', channels }) } });
    expect(client.peer.closed).toEqual({ code: 3505, reason: 'channel limit' });
  });

  it('closes the newest connection of a user over the limit with 3504', () => {
    const { connect, open } = createEngine({ client: { userConnectionLimit: 2 } });
    const first = connect();
    connect();
    const third = open();
    third.send({ id: 1, connect: { token: signToken({ sub: 'u1' }) } });
    expect(third.peer.closed).toEqual({ code: 3504, reason: 'connection limit' });
    expect(first.peer.closed).toBeUndefined();
  });

  it('returns no more than 300 publications of history, and recovers no more', () => {
    const namespaces = { big: { ...NAMESPACES.open, historySize: 1000 } };
    const { connect, engine } = createEngine({ channel: { namespaces } });
    for (let i = 0; i < 301; i++) call(engine, 'publish', { channel: 'big:1', data: i });
    const client = connect();
    const [reply] = client.send({ id: 2, history: { channel: 'big:1', limit: -1 } });
    expect(JSON.parse(reply!).history.publications).toHaveLength(300);
    const recover = (offset: number) => {
      const [answer] = client.send({ id: 3, subscribe: { channel: 'big:1', recover: true, offset } });
      client.send({ id: 4, unsubscribe: { channel: 'big:1' } });
      return JSON.parse(answer!).subscribe;
    };
    expect(recover(0)).toMatchObject({ was_recovering: true, offset: 301 });
    expect(recover(0).recovered).toBeUndefined();
    expect(recover(1).publications).toHaveLength(300);
  });
});

describe('who may do what', () => {
  const join = (client: Client, channel: string) => client.send({ id: 2, subscribe: { channel } }).join();

  it('keeps anonymous clients out of channels for clients, unless they are let in', () => {
    const namespaces = {
      shut: { allowSubscribeForClient: true },
      free: { allowSubscribeForClient: true, allowSubscribeForAnonymous: true },
    };
    const { connect } = createEngine({ channel: { namespaces } });
    expect(join(connect({}), 'shut:1')).toContain('103');
    expect(join(connect({}), 'free:1')).toBe('{"id":2,"subscribe":{}}');
  });

  it('lets the users of a user-limited channel in, and nobody else', () => {
    const namespaces = { only: { allowUserLimitedChannels: true } };
    const { connect } = createEngine({ channel: { namespaces } });
    expect(join(connect({ sub: '17' }), 'only:room#17,42')).toBe('{"id":2,"subscribe":{}}');
    expect(join(connect({ sub: '42' }), 'only:room#17,42')).toBe('{"id":2,"subscribe":{}}');
    expect(join(connect({ sub: '7' }), 'only:room#17,42')).toContain('103');
    expect(join(connect({}), 'only:room#17')).toContain('103');
  });

  it('holds names against the expression of the namespace', () => {
    const { connect } = createEngine({
      channel: { namespaces: { re: { allowSubscribeForClient: true, channelRegex: '^[a-zé]+$' } } },
    });
    expect(join(connect(), 're:aé')).toBe('{"id":2,"subscribe":{}}');
    expect(join(connect(), 're:a1')).toContain('107');
  });

  it('lets subscribers publish, read history and presence where that is allowed to subscribers', () => {
    const namespaces = {
      club: {
        allowSubscribeForClient: true,
        allowPublishForSubscriber: true,
        allowHistoryForSubscriber: true,
        allowPresenceForSubscriber: true,
        presence: true,
        historySize: 5,
        historyTtlMs: 5000,
      },
    };
    const { connect } = createEngine({ channel: { namespaces } });
    const client = connect();
    const all = () => [
      client.send({ id: 3, publish: { channel: 'club:1', data: 1 } }).at(-1),
      client.send({ id: 4, history: { channel: 'club:1' } })[0],
      client.send({ id: 5, presence_stats: { channel: 'club:1' } })[0],
    ];
    expect(all().map((reply) => JSON.parse(reply!).error?.code)).toEqual([103, 103, 103]);
    join(client, 'club:1');
    expect(all()).toEqual([
      '{"id":3,"publish":{}}',
      '{"id":4,"history":{"publications":[],"epoch":"epoch001","offset":1}}',
      '{"id":5,"presence_stats":{"num_clients":1,"num_users":1}}',
    ]);
  });

  it('lets clients without a token in where that is allowed', () => {
    const { open } = createEngine({ client: { allowAnonymousConnectWithoutToken: true } });
    expect(open().send('{"id":1,"connect":{}}')[0]).toContain('"connect":{"client":"client-2"');
  });

  it('closes anonymous tokens with 3507 where they are not wanted', () => {
    const { open } = createEngine({
      client: { token: { hmacSecretKey: 'k' }, disallowAnonymousConnectionTokens: true },
    });
    const client = open();
    client.send({ id: 1, connect: { token: signToken({}, 'k') } });
    expect(client.peer.closed).toEqual({ code: 3507, reason: 'permission denied' });
  });

  it('subscribes every user to its own channel, and closes its other connections if there shall be one', () => {
    const { connect } = createEngine({
      client: {
        subscribeToUserPersonalChannel: { enabled: true, personalChannelNamespace: 'pres', singleConnection: true },
      },
    });
    const first = connect();
    expect([...first.session.subscriptions.keys()]).toEqual(['pres:#u1']);
    connect();
    expect(first.peer.closed?.code).toBe(3504);
  });
});
