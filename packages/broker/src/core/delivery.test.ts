import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { call, createEngine } from '../../test/engine-harness.ts';
import { signToken } from '../../test/tokens.ts';

const publication = (channel: string, members: string) => `{"push":{"channel":"${channel}","pub":{${members}}}}`;

describe('publications', () => {
  it('reach all subscribers in one order, with the epoch in the first one of a stream alone', () => {
    const { connect, engine } = createEngine();
    const clients = [connect(), connect({ sub: 'u2', subs: { 'open:1': {} } })];
    clients[0]!.send({ id: 2, subscribe: { channel: 'open:1' } });
    for (const client of clients) client.peer.take();
    expect(call(engine, 'publish', { channel: 'open:1', data: 1 })).toEqual({
      result: { offset: 1, epoch: 'epoch001' },
    });
    call(engine, 'publish', { channel: 'open:1', data: 2, tags: { a: 'b' } });
    for (const client of clients)
      expect(client.peer.take()).toEqual([
        publication('open:1', '"data":1,"offset":1,"epoch":"epoch001"'),
        publication('open:1', '"data":2,"offset":2,"tags":{"a":"b"}'),
      ]);
  });

  it('of a client come to itself before the reply, and say who published', () => {
    const { connect } = createEngine();
    const client = connect({ sub: 'u1', info: { name: 'x' } });
    client.send({ id: 2, subscribe: { channel: 'open:1' } });
    expect(client.send({ id: 3, publish: { channel: 'open:1', data: { z: 1 } } })).toEqual([
      publication(
        'open:1',
        '"data":{"z":1},"info":{"user":"u1","client":"client-2","conn_info":{"name":"x"}},"offset":1,"epoch":"epoch001"',
      ),
      '{"id":3,"publish":{}}',
    ]);
  });

  it('without history have no offset', () => {
    const { connect, engine } = createEngine();
    const client = connect();
    client.send({ id: 2, subscribe: { channel: 'plain:1' } }, { id: 3, subscribe: { channel: 'open:1' } });
    expect(call(engine, 'publish', { channel: 'plain:1', data: 1 })).toEqual({ result: {} });
    expect(call(engine, 'publish', { channel: 'open:1', data: 2, skip_history: true })).toEqual({ result: {} });
    expect(client.peer.take()).toEqual([publication('plain:1', '"data":1'), publication('open:1', '"data":2')]);
  });

  it('that are no JSON close JSON connections with 3506, also when they are recovered', () => {
    const { connect, engine } = createEngine();
    const here = connect();
    here.send({ id: 2, subscribe: { channel: 'open:1' } });
    call(engine, 'publish', { channel: 'open:1', b64data: Buffer.from([255, 0]).toString('base64') });
    expect(here.peer.closed).toEqual({ code: 3506, reason: 'inappropriate protocol' });
    const later = connect();
    later.send({ id: 2, subscribe: { channel: 'open:1', recover: true } });
    expect(later.peer.closed?.code).toBe(3506);
    const reader = connect();
    reader.send({ id: 2, history: { channel: 'open:1', limit: 1 } });
    expect(reader.peer.closed?.code).toBe(3506);
  });

  it('stop with the subscription', () => {
    const { connect, engine } = createEngine();
    const client = connect();
    client.send({ id: 2, subscribe: { channel: 'plain:1' } }, { id: 3, unsubscribe: { channel: 'plain:1' } });
    call(engine, 'publish', { channel: 'plain:1', data: 1 });
    expect(client.peer.take()).toEqual([]);
    expect(engine.hub.channels.size).toBe(0);
  });

  it.each([
    '1.0',
    '12345678901234567890',
    '-0',
    '1e2',
    '1E400',
    String.raw`"\u00e9\/\n"`,
    '"é日本😀"',
    '{"a":1,"a":2}',
    String.raw`{"d":"\"}{[,"}`,
    'null',
    '"x"',
    '[ 1 , 2 ]',
    '{"__proto__":{"x":1}}',
    '"\u2028"',
  ])('carry %s byte for byte', (data) => {
    const { connect, engine } = createEngine();
    const client = connect();
    client.send({ id: 2, subscribe: { channel: 'plain:1' } });
    call(engine, 'publish', `{"channel":"plain:1", "data" : ${data} }`);
    const [message] = client.peer.take();
    expect(Buffer.from(message!, 'latin1').toString()).toBe(publication('plain:1', `"data":${data}`));
  });

  it.each([
    ['two data keys: the last one', '{"channel":"plain:1","data":1,"data":2}', '2'],
    ['an escaped key', String.raw`{"channel":"plain:1","d\u0061ta":3}`, '3'],
    ['line feeds, which separate messages', '{"channel":"plain:1","data":{\n"a":\n1,\t"b":\r2}}', '{"a":1,\t"b":\r2}'],
    ['data inside data', '{"channel":"plain:1","data":{"data":1}}', '{"data":1}'],
  ])('are cut out of %s', (_name, body, data) => {
    const { connect, engine } = createEngine();
    const client = connect();
    client.send({ id: 2, subscribe: { channel: 'plain:1' } });
    call(engine, 'publish', body);
    expect(client.peer.take()).toEqual([publication('plain:1', `"data":${data}`)]);
  });

  it('carry any JSON byte for byte, from the API and from clients', () => {
    const { connect, engine } = createEngine();
    const client = connect();
    client.send({ id: 2, subscribe: { channel: 'open:1' } });
    fc.assert(
      fc.property(fc.json(), (data) => {
        call(engine, 'publish', `{"channel":"open:1","data":${data}}`);
        const [pushed] = client.peer.take();
        expect(Buffer.from(pushed!, 'latin1').toString()).toContain(`"data":${data},"offset"`);
        const [own] = client.send(`{"id":3,"publish":{"channel":"open:1","data":${data}}}`);
        expect(Buffer.from(own!, 'latin1').toString()).toContain(`"data":${data},"info"`);
      }),
    );
  });
});

describe('joins and leaves', () => {
  it('are told to who wants them; the own join after the subscribe reply', () => {
    const { connect } = createEngine();
    const first = connect();
    const info = (user: string, client: string) => `{"info":{"user":"${user}","client":"${client}"}}`;
    const join = (user: string, client: string) => `{"push":{"channel":"pres:1","join":${info(user, client)}}}`;
    expect(first.send({ id: 2, subscribe: { channel: 'pres:1' } })).toEqual([
      '{"id":2,"subscribe":{}}',
      join('u1', 'client-2'),
    ]);
    const second = connect({ sub: 'u2' });
    second.send({ id: 2, subscribe: { channel: 'pres:1' } });
    expect(first.peer.take()).toEqual([join('u2', 'client-3')]);
    second.session.close(undefined);
    expect(first.peer.take()).toEqual([`{"push":{"channel":"pres:1","leave":${info('u2', 'client-3')}}}`]);
    expect(first.send({ id: 3, unsubscribe: { channel: 'pres:1' } })).toEqual(['{"id":3,"unsubscribe":{}}']);
  });

  it('need to be asked for where the namespace does not force them', () => {
    const namespaces = {
      quiet: { allowSubscribeForClient: true, joinLeave: true, presence: true, allowPresenceForSubscriber: true },
    };
    const { connect } = createEngine({ channel: { namespaces } });
    const deaf = connect();
    deaf.send({ id: 2, subscribe: { channel: 'quiet:1' } });
    const curious = connect({ sub: 'u2' });
    expect(curious.send({ id: 2, subscribe: { channel: 'quiet:1', join_leave: true } })).toHaveLength(2);
    expect(deaf.peer.take()).toEqual([]);
  });
});

describe('presence', () => {
  it('shows each client with what its tokens say', () => {
    const { connect, engine } = createEngine();
    connect({ sub: 'u1', info: { a: 1 }, subs: { 'pres:1': { info: { b: 2 } } } });
    connect({ sub: 'u1', subs: { 'pres:1': {} } });
    connect({ sub: 'u2', subs: { 'pres:1': { override: { presence: { value: false } } } } });
    expect(call(engine, 'presence', { channel: 'pres:1' })).toEqual({
      result: {
        presence: {
          'client-2': { user: 'u1', client: 'client-2', conn_info: { a: 1 }, chan_info: { b: 2 } },
          'client-3': { user: 'u1', client: 'client-3' },
        },
      },
    });
    expect(call(engine, 'presence_stats', { channel: 'pres:1' })).toEqual({ result: { num_clients: 2, num_users: 1 } });
  });
});

describe('recovery', () => {
  const setUp = () => {
    const harness = createEngine();
    const publish = (data: number) => call(harness.engine, 'publish', { channel: 'open:1', data });
    const subscribe = (request: object) => {
      const client = harness.connect();
      const [reply] = client.send({ id: 2, subscribe: { channel: 'open:1', recover: true, ...request } });
      return JSON.parse(reply!).subscribe as Record<string, unknown>;
    };
    for (let i = 1; i <= 3; i++) publish(i);
    return { ...harness, publish, subscribe };
  };
  const BASE = { recoverable: true, positioned: true, was_recovering: true, epoch: 'epoch001' };
  const pub = (n: number) => ({ data: n, offset: n, ...(n === 1 ? { epoch: 'epoch001' } : {}) });

  it.each<[string, object, object]>([
    [
      'from the beginning',
      { offset: 0, epoch: 'epoch001' },
      { recovered: true, publications: [pub(1), pub(2), pub(3)] },
    ],
    ['from the middle', { offset: 2, epoch: 'epoch001' }, { recovered: true, offset: 2, publications: [pub(3)] }],
    ['from the top', { offset: 3, epoch: 'epoch001' }, { recovered: true, offset: 3 }],
    ['with the empty epoch', { offset: 2, epoch: '' }, { recovered: true, offset: 2, publications: [pub(3)] }],
    ['ahead of the stream', { offset: 99, epoch: 'epoch001' }, { offset: 3 }],
    ['of another epoch', { offset: 2, epoch: 'zz' }, { offset: 3 }],
  ])('%s', (_name, request, expected) => {
    expect(setUp().subscribe(request)).toEqual({ ...BASE, ...expected });
  });

  it('fails where the history is not long enough', () => {
    const { publish, subscribe } = setUp();
    for (let i = 4; i <= 13; i++) publish(i);
    expect(subscribe({ offset: 3, epoch: 'epoch001' }).recovered).toBe(true);
    expect(subscribe({ offset: 2, epoch: 'epoch001' })).toEqual({ ...BASE, offset: 13 });
  });

  it('after the history expired: at the exact top, and nowhere else', () => {
    const { clock, subscribe } = setUp();
    clock.advance(61_000);
    expect(subscribe({ offset: 3, epoch: 'epoch001' })).toEqual({ ...BASE, recovered: true, offset: 3 });
    expect(subscribe({ offset: 2, epoch: 'epoch001' })).toEqual({ ...BASE, offset: 3 });
  });

  it('goes on counting after history_remove', () => {
    const { engine, publish, subscribe } = setUp();
    call(engine, 'history_remove', { channel: 'open:1' });
    expect(subscribe({ offset: 3, epoch: 'epoch001' }).recovered).toBe(true);
    expect(publish(4)).toEqual({ result: { offset: 4, epoch: 'epoch001' } });
  });

  it('in cache mode brings the latest publication only', () => {
    const namespaces = {
      cache: {
        allowSubscribeForClient: true,
        historySize: 5,
        historyTtlMs: 60_000,
        forceRecovery: true,
        forceRecoveryMode: 'cache',
      },
    } as const;
    const { connect, engine } = createEngine({ channel: { namespaces } });
    const subscribe = (request: object) =>
      JSON.parse(connect().send({ id: 2, subscribe: { channel: 'cache:1', ...request } })[0]!).subscribe;
    expect(subscribe({ recover: true }).recovered).toBeUndefined();
    for (let i = 1; i <= 3; i++) call(engine, 'publish', { channel: 'cache:1', data: i });
    expect(subscribe({ recover: true, offset: 1, epoch: 'zz' })).toMatchObject({
      recovered: true,
      offset: 1,
      publications: [{ data: 3, offset: 3 }],
    });
    expect(subscribe({ recover: true, offset: 3, epoch: 'epoch001' })).toEqual({ ...BASE, recovered: true, offset: 3 });
    expect(subscribe({}).publications).toBeUndefined();
  });

  it('neither loses nor doubles anything, whatever happens between', () => {
    // What clients do: publish, drop one client's connection, bring it back.
    const step = fc.oneof(
      { weight: 3, arbitrary: fc.record({ kind: fc.constant('publish' as const), client: fc.nat(2) }) },
      { weight: 1, arbitrary: fc.record({ kind: fc.constant('drop' as const), client: fc.nat(2) }) },
      { weight: 1, arbitrary: fc.record({ kind: fc.constant('return' as const), client: fc.nat(2) }) },
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
        const { connect, engine } = createEngine();
        const seen: number[][] = [[], [], []];
        const gaps = [false, false, false];
        const clients = seen.map(() => undefined as ReturnType<typeof connect> | undefined);
        const position = [0, 0, 0];
        const note = (i: number, texts: readonly string[]) => {
          for (const text of texts) {
            const { push, subscribe } = JSON.parse(text);
            const offsets: number[] = [push?.pub, ...(subscribe?.publications ?? [])]
              .filter(Boolean)
              .map((pub) => pub.offset);
            seen[i]!.push(...offsets);
            position[i] = offsets.at(-1) ?? position[i]!;
            if (subscribe && !subscribe.recovered) {
              gaps[i] = true;
              position[i] = subscribe.offset;
            }
          }
        };
        const read = (i: number) => note(i, clients[i]?.peer.take() ?? []);
        const come = (i: number) => {
          if (clients[i]) return;
          const client = connect({ sub: `u${i}` });
          client.peer.take();
          clients[i] = client;
          note(i, client.send({ id: 2, subscribe: { channel: 'open:1', recover: true, offset: position[i] } }));
        };
        for (let i = 0; i < 3; i++) come(i);
        let top = 0;
        for (const { kind, client } of steps) {
          if (kind === 'return') come(client);
          else if (kind === 'drop') {
            clients[client]?.session.close(undefined);
            clients[client] = undefined;
          } else {
            top++;
            call(engine, 'publish', { channel: 'open:1', data: top });
          }
          for (let i = 0; i < 3; i++) read(i);
        }
        for (let i = 0; i < 3; i++) {
          come(i);
          const all = seen[i]!;
          expect(all).toEqual([...new Set(all)].sort((a, b) => a - b));
          if (!gaps[i]) expect(all).toEqual(Array.from({ length: top }, (_, n) => n + 1));
        }
      }),
    );
  });

  it('of server-side subscriptions works the same, in the connect reply', () => {
    const { engine, open } = createEngine();
    call(engine, 'publish', { channel: 'trpc:a', data: 1 });
    const client = open();
    const token = signToken({ sub: 'u1', subs: { 'trpc:a': {} } });
    const [reply] = client.send({
      id: 1,
      connect: { token, subs: { 'trpc:a': { recover: true, epoch: 'epoch001' } } },
    });
    expect(JSON.parse(reply!).connect.subs['trpc:a']).toEqual({ ...BASE, recovered: true, publications: [pub(1)] });
  });
});
