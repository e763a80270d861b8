import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { QueryClient } from '@tanstack/react-query';
import { initTRPC } from '@trpc/server';
import { createHTTPHandler } from '@trpc/server/adapters/standalone';
import { createTRPCOptionsProxy } from '@trpc/tanstack-react-query';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { FakeApi } from '../../../test/fake-api.ts';
import { TrpcApp } from '../../../test/trpc-app.ts';
import { Channels } from '../../core/channel.ts';
import { createRealtime } from '../../server/create-realtime.ts';
import { ANNOUNCE_HEADER, REQUEST_ID_HEADER } from '../metadata.ts';
import { type HeadersLike, initRealtime, realtimeContext } from './index.ts';

const ANNOUNCED = { [ANNOUNCE_HEADER]: '1', [REQUEST_ID_HEADER]: 'tab-1' };
const PLAIN = { a: 1 };

let api: FakeApi;
beforeEach(async () => {
  api = await FakeApi.start();
});
afterEach(() => api.close());

function makeRouter() {
  const realtime = createRealtime({ apiUrl: api.url, apiKey: 'key', tokenSecret: 'secret' });
  const { base, watches, touches } = initRealtime({ realtime, stampTimeoutMs: 5000, positionWaitMs: 5000 });
  const t = initTRPC.context<object>().create();
  const router = t.router({
    get: t.procedure
      .use(base)
      .use(watches(() => Channels.org('1')))
      .query(() => PLAIN),
    save: t.procedure
      .use(base)
      .use(touches(() => Channels.org('1')))
      .mutation(() => PLAIN),
  });
  return { router, createCaller: t.createCallerFactory(router) };
}

async function dataOf(response: Response): Promise<Record<string, unknown>> {
  return (await response.json()).result.data;
}

describe('who did not announce itself gets plain data', () => {
  it('curl, a browser, a mobile app', async () => {
    const { router } = makeRouter();
    const app = new TrpcApp(router, { createContext: ({ req, info }) => realtimeContext({ req, info }) });
    expect(await dataOf(await app.get('get'))).toEqual(PLAIN);
    expect(api.requests).toEqual([]);
  });

  it.each([
    ['another version', { [ANNOUNCE_HEADER]: '2' }],
    ['something else', { [ANNOUNCE_HEADER]: 'true' }],
    ['only the id', { [REQUEST_ID_HEADER]: 'tab-1' }],
  ])('a request that announces %s', async (_, headers) => {
    const { router } = makeRouter();
    const app = new TrpcApp(router, { createContext: ({ req, info }) => realtimeContext({ req, info }) });
    expect(await dataOf(await app.get('get', undefined, headers))).toEqual(PLAIN);
  });

  it('createCaller, also within a request that announced itself', async () => {
    const { createCaller } = makeRouter();
    const req = { headers: new Headers(ANNOUNCED) };
    for (const ctx of [{}, { req }, { headers: req.headers }, realtimeContext({ req })]) {
      expect(await createCaller(ctx).get()).toEqual(PLAIN);
      expect(await createCaller(ctx).save()).toEqual(PLAIN);
    }
  });

  it('createCaller with a signal of its own, within a call of the same request', async () => {
    const { router, createCaller } = makeRouter();
    const t = initTRPC.context<object>().create();
    const inner: unknown[] = [];
    const outer = t.mergeRouters(
      router,
      t.router({
        outer: t.procedure.query(async ({ ctx, signal }) => {
          const caller = createCaller(ctx, { ...(signal && { signal }) });
          inner.push(await caller.get(), await caller.get(), await caller.save());
          return PLAIN;
        }),
      }),
    );
    const app = new TrpcApp(outer, { createContext: ({ req, info }) => realtimeContext({ req, info }) });
    const { client, metaOf } = await app.connect('httpBatchLink');
    await Promise.all([client.outer.query(), client.get.query()]);
    expect(inner).toEqual([PLAIN, PLAIN, PLAIN]);
    expect(metaOf('get')).toMatchObject([{ channels: [{ channel: 'trpc:org:1' }] }]);
  });

  it('an options proxy on the server', async () => {
    const { router } = makeRouter();
    const queryClient = new QueryClient();
    const req = { headers: new Headers(ANNOUNCED) };
    const trpc = createTRPCOptionsProxy({ router, ctx: realtimeContext({ req }), queryClient });
    expect(await queryClient.fetchQuery(trpc.get.queryOptions())).toEqual(PLAIN);
  });

  it('but what they write is announced to the others', async () => {
    const { createCaller } = makeRouter();
    await createCaller({}).save();
    expect(api.published.get('trpc:org:1')).toHaveLength(1);
  });
});

describe('where the announcement is found', () => {
  const contexts: [string, (headers: Headers) => object][] = [
    ['realtimeContext({ req, info })', (headers) => realtimeContext({ req: { headers } })],
    ['ctx.req with Headers', (headers) => ({ req: { headers } })],
    ['ctx.req of Node', (headers) => ({ req: { headers: Object.fromEntries(headers) } })],
    ['ctx.headers', (headers) => ({ headers })],
    ['ctx.headers, a plain object', (headers) => ({ headers: Object.fromEntries(headers) })],
  ];
  it.each(contexts)('in %s', async (_, createContext) => {
    const { router } = makeRouter();
    const app = new TrpcApp(router, {
      createContext: ({ req }) => createContext(new Headers(req?.headers as Headers)),
    });
    const data = await dataOf(await app.get('get', undefined, ANNOUNCED));
    expect(data).toEqual({
      '~op/rt': { v: 1, id: 'tab-1', watch: [{ channel: 'trpc:org:1', epoch: 'fake', offset: 0 }] },
      d: PLAIN,
    });
    expect(await dataOf(await app.get('get'))).toEqual(PLAIN);
  });

  it.each([[undefined], [null], [7], [{}], [{ req: null }], [{ headers: 'x' }], [{ req: { headers: null } }]])(
    'not in the context %j, and nothing breaks',
    async (ctx) => {
      const { router } = makeRouter();
      const app = new TrpcApp(router, { createContext: () => ctx as object });
      expect(await dataOf(await app.get('get', undefined, ANNOUNCED))).toEqual(PLAIN);
    },
  );

  it('behind the standalone adapter of Node', async () => {
    const { router } = makeRouter();
    const handler = createHTTPHandler({ router, createContext: ({ req, info }) => realtimeContext({ req, info }) });
    const server = createServer(handler);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/get`;
    const data = await dataOf(await fetch(url, { headers: ANNOUNCED }));
    const plain = await dataOf(await fetch(url));
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
    expect(data).toMatchObject({ '~op/rt': { id: 'tab-1' }, d: PLAIN });
    expect(plain).toEqual(PLAIN);
  });
});

it.each(['', 'a'.repeat(65), 'a b', 'a,b', 'é', '"', '<script>'])('the request id %j is not echoed', async (id) => {
  const { router } = makeRouter();
  const headers: HeadersLike = { ...ANNOUNCED, [REQUEST_ID_HEADER]: id };
  const app = new TrpcApp(router, { createContext: () => ({ headers }) });
  const data = await dataOf(await app.get('get'));
  expect(data['~op/rt']).toEqual({ v: 1, watch: [{ channel: 'trpc:org:1', epoch: 'fake', offset: 0 }] });
});
