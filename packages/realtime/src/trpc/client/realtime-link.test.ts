import {
  createTRPCClient,
  httpBatchLink,
  httpBatchStreamLink,
  httpLink,
  httpSubscriptionLink,
  loggerLink,
  retryLink,
  splitLink,
  TRPCClientError,
} from '@trpc/client';
import superjson from 'superjson';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { eventually } from '../../../../../test/eventually.ts';
import {
  type BackendRouter,
  createBackend,
  openTransport,
  TRANSPORTS,
  type Transport,
  touchedChannel,
  watched,
} from '../../../test/trpc-backend.ts';
import { type Answer, Answers, type Call, type CallListener } from '../../query/answers.ts';
import { parseMeta } from '../parse-meta.ts';
import { realtimeLink } from './realtime-link.ts';

const CHANNEL = watched('trpc:org:1', { epoch: 'e', offset: 7 }, 'grant');
const closing: (() => Promise<void>)[] = [];
afterEach(async () => {
  await Promise.all(closing.splice(0).map((close) => close()));
});

/** Records what a bound query client would be told. */
function recorder(answers: Answers) {
  const calls: Call[] = [];
  const log: unknown[] = [];
  let tick = 0;
  const listener: CallListener = {
    tick: () => ++tick,
    on(event) {
      if (event.type === 'called') calls.push(event.call);
      else if (event.type === 'mutating') log.push('started');
      else if (event.type === 'mutated') log.push(parseMeta(event.wire)?.touched);
      else if (event.type === 'settled') log.push(event.failed ? 'failed' : 'ended');
    },
  };
  answers.listeners.add(listener);
  return { calls, log, listener, ticks: () => tick };
}

const channelsOf = (answer: Answer | null | undefined) => (answer ? parseMeta(answer.wire)?.channels : undefined);

async function connect(kind: Transport, transformer: typeof superjson | null) {
  const backend = createBackend({ transformer });
  const transport = await openTransport(backend, kind, transformer);
  closing.push(transport.close);
  const answers = new Answers('tab');
  const client = createTRPCClient<BackendRouter>({ links: [realtimeLink(transport.make, { answers })] });
  const bare = createTRPCClient<BackendRouter>({ links: [transport.make()] });
  return { backend, client, bare, answers, ...recorder(answers) };
}

const MATRIX = TRANSPORTS.flatMap((kind) => [
  { kind, name: 'JSON', transformer: null },
  { kind, name: 'superjson', transformer: superjson },
]);

describe.each(MATRIX)('over $kind with $name', ({ kind, transformer }) => {
  it.each<readonly [string, unknown]>([
    ['an object', { a: 1 }],
    ['an empty object', {}],
    ['an array', [1, { b: 2 }]],
    ['a number', 5],
    ['zero', 0],
    ['a string', 'text'],
    ['false', false],
    ['null', null],
    ['undefined', undefined],
    // superjson itself refuses prototype keys
    ...(transformer
      ? ([
          ['a Date', new Date(5)],
          ['a Map', new Map([['k', new Set([1])]])],
        ] as const)
      : ([['prototype keys', JSON.parse('{"__proto__":{"x":1},"constructor":2}')]] as const)),
  ])('hands on %s as if it were not there', async (_, value) => {
    const { backend, client, bare, calls } = await connect(kind, transformer);
    backend.items.set('value', value);
    backend.meta.watch = () => [CHANNEL];
    const [wrapped, plain] = await Promise.all([client.value.query(), bare.value.query()]);
    expect(wrapped).toEqual(plain);
    if (transformer || value === null || typeof value !== 'object') expect(wrapped).toEqual(value);
    expect(calls).toHaveLength(1);
    expect(channelsOf(calls[0]?.answer)).toEqual([CHANNEL]);
  });

  it('keeps the answers of a batch apart and finds them by identity', async () => {
    const { backend, client, answers, listener } = await connect(kind, transformer);
    backend.meta.watch = (_, input) => [watched(`trpc:item:${(input as { id: string }).id}`)];
    const items = await Promise.all(['1', '2', '3'].map((id) => client.item.query({ id })));
    expect(items.map((item) => channelsOf(answers.get(item))?.[0]?.channel)).toEqual([
      'trpc:item:1',
      'trpc:item:2',
      'trpc:item:3',
    ]);
    for (const item of items) expect(answers.get(item)?.sentAt?.get(listener)).toBeGreaterThan(0);
  });

  it('says what a mutation touched before its answer is seen, and counts it until the end', async () => {
    const { backend, client, log } = await connect(kind, transformer);
    const touched = touchedChannel(
      'trpc:org:1',
      { epoch: 'e', offset: 8 },
      { type: 'query-invalidation', queryKey: ['item'] },
    );
    backend.meta.touch = () => [touched];
    const saved = client.save.mutate({ id: '1', value: 1 }).then((data) => log.push(data));
    expect(log).toEqual(['started']);
    await saved;
    expect(log).toEqual(['started', [touched], 'ended', { id: '1' }]);
  });

  it('hands on errors, and tells of failed mutations', async () => {
    const { client, bare, log, calls } = await connect(kind, transformer);
    const [wrapped, plain] = await Promise.all(
      [client, bare].map((c) => c.fails.query().catch((error: unknown) => error)),
    );
    expect(wrapped).toBeInstanceOf(TRPCClientError);
    expect(wrapped).toMatchObject({ message: 'no such thing', data: (plain as TRPCClientError<BackendRouter>).data });
    expect(calls[0]?.answer).toBeNull();
    await expect(client.saveFails.mutate()).rejects.toMatchObject({ data: { code: 'CONFLICT' } });
    expect(log).toEqual(['started', 'failed']);
  });

  it('takes plain data where the server has no middleware', async () => {
    const { client, answers, calls } = await connect(kind, transformer);
    const item = await client.item.query({ id: '1' });
    expect(item).toEqual({ id: '1' });
    expect(answers.get(item)).toBeUndefined();
    expect(calls[0]?.answer).toBeNull();
  });

  it.each([
    ['of a newer version', { v: 2, anything: 1 }],
    ['malformed', { v: 1, watch: 'all' }],
    ['nothing', null],
  ])('ignores metadata that is %s', async (_, meta) => {
    const { backend, client, answers, calls } = await connect(kind, transformer);
    backend.meta.raw = (d) => ({ '~op/rt': meta, d });
    const item = await client.item.query({ id: '1' });
    expect(item).toEqual({ id: '1' });
    expect(channelsOf(answers.get(item))).toBeUndefined();
    expect(channelsOf(calls[0]?.answer)).toBeUndefined();
  });

  it('tells the server nothing once it is removed', async () => {
    const { backend, client, bare } = await connect(kind, transformer);
    const seen: unknown[] = [];
    backend.meta.raw = (d) => {
      seen.push(d);
      return d;
    };
    await client.item.query({ id: '1' });
    expect(seen).toHaveLength(1);
    await bare.item.query({ id: '1' });
    expect(seen).toHaveLength(1);
  });

  it('counts a mutation whose caller gave up as lost', async () => {
    const { backend, client, log } = await connect(kind, transformer);
    const abort = new AbortController();
    let release = () => {};
    backend.before = () =>
      new Promise<void>((resolve) => {
        release = resolve;
      });
    const saved = client.save.mutate({ id: '1', value: 1 }, { signal: abort.signal }).catch(() => 'aborted');
    abort.abort();
    expect(await saved).toBe('aborted');
    await eventually(() => expect(log).toEqual(['started', 'failed']));
    release();
  });
});

describe.each([
  { name: 'JSON', transformer: null },
  { name: 'superjson', transformer: superjson },
])('streams with $name', ({ transformer }) => {
  it('waits for an answer that holds promises, and leaves these pending', async () => {
    const { backend, client, answers } = await connect('httpBatchStreamLink', transformer);
    backend.meta.watch = () => [CHANNEL];
    const data = await client.deferred.query();
    expect(data.now).toBe(1);
    expect(data.later).toBeInstanceOf(Promise);
    expect(await data.later).toBe(2);
    expect(channelsOf(answers.get(data))).toEqual([CHANNEL]);
  });

  it('hands on a promise inside that fails', async () => {
    const { backend, client } = await connect('httpBatchStreamLink', transformer);
    backend.meta.watch = () => [CHANNEL];
    const data = await client.failLater.query();
    await expect(data.later).rejects.toThrow();
  });

  it('hands on an async generator', async () => {
    const { backend, client, calls } = await connect('httpBatchStreamLink', transformer);
    backend.meta.watch = () => [CHANNEL];
    const seen: number[] = [];
    for await (const value of await client.stream.query()) seen.push(value);
    expect(seen).toEqual([1, 2]);
    expect(channelsOf(calls[0]?.answer)).toEqual([CHANNEL]);
  });
});

describe('subscriptions', () => {
  const collect = (client: Pick<ReturnType<typeof createTRPCClient<BackendRouter>>, 'ticks'>) =>
    new Promise((resolve, reject) => {
      const subscription = client.ticks.subscribe(undefined, {
        onData: (event) => {
          subscription.unsubscribe();
          resolve(event);
        },
        onError: reject,
      });
    });

  it('pass untouched over WebSocket', async () => {
    const { client } = await connect('wsLink', null);
    expect(await collect(client)).toEqual({ id: 'a', data: { '~op/rt': 'user data' } });
    const mark = await new Promise((resolve, reject) => {
      client.marks.subscribe(undefined, { onData: resolve, onError: reject });
    });
    expect(mark).toEqual({ '~op/rt': 'user data', d: 1 });
  });

  it('pass untouched over server-sent events', async () => {
    const backend = createBackend();
    const url = 'http://test.local/api/trpc';
    const seen: string[] = [];
    const client = createTRPCClient<BackendRouter>({
      links: [
        realtimeLink(
          (rt) =>
            splitLink({
              condition: (op) => op.type === 'subscription',
              true: httpSubscriptionLink({
                url,
                EventSource: class {
                  constructor(to: string) {
                    seen.push(to);
                  }
                  addEventListener() {}
                  close() {}
                  readonly readyState = 1;
                  static CLOSED = 2;
                } as never,
              }),
              false: httpBatchLink({ url, fetch: backend.fetch, ...rt }),
            }),
          { answers: new Answers() },
        ),
      ],
    });
    const subscription = client.ticks.subscribe(undefined, {});
    await eventually(() => expect(seen).toHaveLength(1));
    expect(seen[0]).not.toContain('op-realtime');
    subscription.unsubscribe();
    expect(await client.item.query({ id: '1' })).toEqual({ id: '1' });
  });
});

describe('request ids and floors', () => {
  const url = 'http://test.local/api/trpc';

  it('are one per HTTP request, and taken when it leaves', async () => {
    const { backend, client, answers, calls, listener, ticks } = await connect('httpBatchLink', null);
    backend.meta.watch = () => [CHANNEL];
    const both = [client.item.query({ id: '1' }), client.item.query({ id: '2' })];
    const before = ticks();
    await Promise.all(both);
    expect(backend.requests).toHaveLength(1);
    expect(backend.requests[0]?.headers.get('x-op-realtime-id')).toBe('tab-1');
    const floors = calls.map((call) => call.answer?.sentAt?.get(listener));
    expect(floors[0]).toBe(floors[1]);
    expect(floors[0]).toBeGreaterThan(before);
    await client.item.query({ id: '1' });
    expect(backend.requests[1]?.headers.get('x-op-realtime-id')).toBe('tab-2');
    expect(answers.get({})).toBeUndefined();
  });

  it.each([
    ['no id', null],
    ['an id of somebody else', 'other-1'],
  ])('are not believed with %s in the answer', async (_, requestId) => {
    const { backend, client, calls } = await connect('httpBatchLink', null);
    backend.meta.watch = () => [CHANNEL];
    backend.meta.requestId = requestId;
    await client.item.query({ id: '1' });
    expect(channelsOf(calls[0]?.answer)).toEqual([CHANNEL]);
    expect(calls[0]?.answer?.sentAt).toBeNull();
  });

  it('of a replayed answer are those of the request that it was made for', async () => {
    const { backend, client, calls, listener } = await connect('httpBatchLink', null);
    backend.meta.watch = () => [CHANNEL];
    await client.item.query({ id: '1' });
    backend.meta.requestId = 'tab-1';
    await client.item.query({ id: '1' });
    expect(calls[1]?.answer?.sentAt).toBe(calls[0]?.answer?.sentAt);
    expect(calls[1]?.answer?.sentAt?.get(listener)).toBeLessThan(listener.tick());
  });

  it('are forgotten after 512 later requests', async () => {
    const answers = new Answers('tab');
    answers.listeners.add(recorder(new Answers()).listener);
    const read = answers.called('item', undefined);
    const first = answers.requestLeaves();
    const second = answers.requestLeaves();
    for (let at = 0; at < 511; at++) answers.requestLeaves();
    expect(read({ v: 1, id: first }).sentAt).toBeNull();
    expect(read({ v: 1, id: second }).sentAt).not.toBeNull();
  });

  it('are new for each attempt of a retryLink', async () => {
    const backend = createBackend();
    let failures = 2;
    const client = createTRPCClient<BackendRouter>({
      links: [
        retryLink({ retry: ({ attempts }) => attempts <= 3 }),
        realtimeLink(
          (rt) =>
            httpLink({
              url,
              ...rt,
              fetch: async (to, init) => {
                const response = await backend.fetch(to, init);
                if (failures-- > 0) throw new Error('network');
                return response;
              },
            }),
          { answers: new Answers('tab') },
        ),
      ],
    });
    await client.item.query({ id: '1' });
    expect(backend.requests.map(({ headers }) => headers.get('x-op-realtime-id'))).toEqual(['tab-1', 'tab-2', 'tab-3']);
  });

  it('travel beside headers of the app', async () => {
    const backend = createBackend();
    const client = createTRPCClient<BackendRouter>({
      links: [
        loggerLink({ enabled: () => false }),
        realtimeLink(
          (rt) =>
            httpBatchStreamLink({
              url,
              fetch: backend.fetch,
              headers: async () => ({ authorization: 'me', ...rt.headers() }),
            }),
          {
            answers: new Answers('tab'),
          },
        ),
      ],
    });
    await client.item.query({ id: '1' });
    expect(Object.fromEntries(backend.requests[0]?.headers ?? [])).toMatchObject({
      authorization: 'me',
      'x-op-realtime': '1',
      'x-op-realtime-id': 'tab-1',
    });
  });

  it('that the app overwrote are missed once, loudly', async () => {
    const warn = vi.spyOn(console, 'warn').mockReturnValue();
    const backend = createBackend();
    const client = createTRPCClient<BackendRouter>({
      links: [
        realtimeLink((rt) => httpBatchLink({ url, fetch: backend.fetch, ...rt, headers: { authorization: 'me' } }), {
          answers: new Answers(),
        }),
      ],
    });
    await client.item.query({ id: '1' });
    await client.item.query({ id: '2' });
    expect(warn.mock.calls).toEqual([[expect.stringContaining('rt.headers()')]]);
    warn.mockRestore();
  });
});
