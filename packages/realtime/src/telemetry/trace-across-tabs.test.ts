import { context, propagation, SpanKind, type TextMapGetter, trace } from '@opentelemetry/api';
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks';
import { BasicTracerProvider, InMemorySpanExporter, SimpleSpanProcessor } from '@opentelemetry/sdk-trace-base';
import { QueryClient, QueryObserver } from '@tanstack/query-core';
import { createTRPCClient, httpBatchLink } from '@trpc/client';
import { initTRPC } from '@trpc/server';
import { createTRPCOptionsProxy } from '@trpc/tanstack-react-query';
import { afterEach, describe, expect, it } from 'vitest';
import { API_KEY, brokerKinds, SECRET } from '../../test/brokers.ts';
import { TrpcApp } from '../../test/trpc-app.ts';
import { RealtimeManager } from '../client/index.node.ts';
import { Channels } from '../core/channel.ts';
import { Answers } from '../query/answers.ts';
import { bindQueryClient } from '../query/index.ts';
import { createRealtime } from '../server/create-realtime.ts';
import { realtimeLink } from '../trpc/client/index.ts';
import { initRealtime, realtimeContext, realtimeRouter } from '../trpc/server/index.ts';
import { reportTelemetry } from './index.ts';

const closing: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

const headersGetter: TextMapGetter<Headers> = {
  get: (headers, name) => headers.get(name) ?? undefined,
  keys: (headers) => [...headers.keys()],
};

/** What an app's own instrumentation sets up: a provider, a context manager, W3C propagation. */
function registerOpenTelemetry() {
  const exporter = new InMemorySpanExporter();
  const provider = new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] });
  trace.setGlobalTracerProvider(provider);
  context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
  propagation.setGlobalPropagator({
    inject(active, carrier, setter) {
      const span = trace.getSpanContext(active);
      if (span) setter.set(carrier, 'traceparent', `00-${span.traceId}-${span.spanId}-01`);
    },
    extract(active, carrier, getter) {
      const [, traceId, spanId] = /^00-(\w{32})-(\w{16})-/.exec(String(getter.get(carrier, 'traceparent'))) ?? [];
      return traceId && spanId
        ? trace.setSpanContext(active, { traceId, spanId, traceFlags: 1, isRemote: true })
        : active;
    },
    fields: () => ['traceparent'],
  });
  closing.push(() => {
    trace.disable();
    context.disable();
    propagation.disable();
    return provider.shutdown();
  });
  return exporter;
}

describe.each(brokerKinds().map((kind) => ({ kind, name: kind.name })))('on the $name broker', ({ kind }) => {
  it('a trace runs from the mutation in tab A to the refetch in tab B', async () => {
    const exporter = registerOpenTelemetry();
    const tracer = trace.getTracer('app');
    const broker = await kind.start();
    closing.push(() => broker.close());
    const realtime = createRealtime({ apiUrl: broker.apiUrl, apiKey: API_KEY, tokenSecret: SECRET, spread: false });
    const t = initTRPC.context<object>().create();
    const rt = initRealtime({ realtime, userId: () => '7', stampTimeoutMs: 5_000, positionWaitMs: 5_000 });
    const notes: string[] = [];
    const base = t.procedure.use(rt.base);
    const router = t.router({
      list: base.use(rt.watches(() => Channels.org('7'))).query(() => [...notes]),
      add: base.use(rt.touches(() => Channels.org('7'))).mutation(() => notes.push('one')),
      realtime: realtimeRouter({ procedure: base, realtime, userId: () => '7', canSubscribe: () => true }),
    });
    const app = new TrpcApp(router, { createContext: ({ req, info }) => ({ ...realtimeContext({ req, info }) }) });
    closing.push(() => app.close());
    /** The instrumentation of the app's HTTP server. */
    const serve = (input: string | URL | Request, init?: { headers?: HeadersInit }) => {
      const parent = propagation.extract(context.active(), new Headers(init?.headers), headersGetter);
      return tracer.startActiveSpan('POST /trpc', { kind: SpanKind.SERVER }, parent, (span) =>
        app.fetch(input, init).finally(() => span.end()),
      );
    };

    function openTab() {
      const answers = new Answers();
      const client = createTRPCClient<typeof router>({
        links: [
          realtimeLink(
            (own) =>
              httpBatchLink({
                url: 'http://test.local/api/trpc',
                fetch: serve,
                headers: () => {
                  const headers: Record<string, string> = { ...own.headers() };
                  propagation.inject(context.active(), headers);
                  return headers;
                },
              }),
            { answers },
          ),
        ],
      });
      const queryClient = new QueryClient();
      const manager = new RealtimeManager({
        wsUrl: broker.wsUrl,
        getToken: async () => (await client.realtime.getToken.query()).token,
      });
      const binding = bindQueryClient(queryClient, manager, { answers });
      const trpc = createTRPCOptionsProxy<typeof router>({ client, queryClient });
      closing.push(() => {
        binding.dispose();
        manager.dispose();
        queryClient.clear();
      });
      return { client, queryClient, manager, binding, trpc };
    }

    const [a, b] = [openTab(), openTab()];
    closing.push(reportTelemetry({ manager: b.manager, binding: b.binding }));
    const options = { ...b.trpc.list.queryOptions(), staleTime: Number.POSITIVE_INFINITY };
    closing.push(new QueryObserver(b.queryClient, options).subscribe(() => {}));
    await expect.poll(() => b.binding.status(options.queryKey).state, { timeout: 20_000 }).toBe('live');

    exporter.reset();
    await tracer.startActiveSpan('tab A: add a note', async (span) => {
      await a.client.add.mutate();
      span.end();
    });
    await expect
      .poll(() => exporter.getFinishedSpans().map(({ name }) => name), { timeout: 20_000 })
      .toContain('refetch list');
    expect(b.queryClient.getQueryData(options.queryKey)).toEqual(['one']);

    const spans = exporter.getFinishedSpans();
    const chain = [];
    for (let at = spans.find(({ name }) => name === 'refetch list'); at; ) {
      chain.unshift(at);
      const parent = at.parentSpanContext?.spanId;
      at = spans.find((span) => span.spanContext().spanId === parent);
    }
    expect(chain.map(({ name }) => name)).toEqual([
      'tab A: add a note',
      'POST /trpc',
      'publish trpc:org',
      'refetch list',
    ]);
    expect(new Set(chain.map((span) => span.spanContext().traceId)).size).toBe(1);
  });
});
