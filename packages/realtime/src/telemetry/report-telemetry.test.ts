import { SpanStatusCode, TraceFlags } from '@opentelemetry/api';
import {
  AggregationTemporality,
  InMemoryMetricExporter,
  MeterProvider,
  PeriodicExportingMetricReader,
} from '@opentelemetry/sdk-metrics';
import { BasicTracerProvider, InMemorySpanExporter, SimpleSpanProcessor } from '@opentelemetry/sdk-trace-base';
import { afterEach, describe, expect, it } from 'vitest';
import type { BindingEvent, ManagerEvent, RealtimeEvent, RefetchStarted, StaleCause } from '../core/events.ts';
import { reportTelemetry } from './index.ts';

const TRACE_ID = '0af7651916cd43dd8448eb211c80319c';
const traceparent = (spanId: string) => `00-${TRACE_ID}-${spanId}-01`;

const closing: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0)) await close();
});

/** A source that says what it is told to. */
class Source<E extends RealtimeEvent> {
  readonly observers = new Set<(event: E) => void>();
  readonly observe = (observer: (event: E) => void) => {
    this.observers.add(observer);
    return () => this.observers.delete(observer);
  };
  say(event: E): void {
    for (const observer of this.observers) observer(event);
  }
}

function start() {
  const exporter = new InMemorySpanExporter();
  const tracers = new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] });
  const metrics = new InMemoryMetricExporter(AggregationTemporality.CUMULATIVE);
  const reader = new PeriodicExportingMetricReader({ exporter: metrics, exportIntervalMillis: 3_600_000 });
  const meters = new MeterProvider({ readers: [reader] });
  closing.push(
    () => tracers.shutdown(),
    () => meters.shutdown(),
  );
  const manager = new Source<ManagerEvent>();
  const binding = new Source<BindingEvent>();
  const stop = reportTelemetry({ manager, binding, tracer: tracers.getTracer('test'), meter: meters.getMeter('test') });
  const points = async () => {
    await reader.forceFlush();
    return (metrics.getMetrics().at(-1)?.scopeMetrics ?? []).flatMap(({ metrics: all }) =>
      all.flatMap(({ descriptor, dataPoints }) =>
        dataPoints.map(({ value, attributes }) => ({
          name: descriptor.name,
          value: typeof value === 'number' ? value : { count: value.count, sum: (value as { sum?: number }).sum },
          attributes,
        })),
      ),
    );
  };
  return { manager, binding, stop, spans: () => exporter.getFinishedSpans(), points };
}

/** A moment like those of a clock: small numbers mean something else to the SDK. */
const AT = 1_790_000_000_000;
const position = { epoch: 'e', offset: 1 };
const news = (tags: Record<string, string> = {}): StaleCause => ({
  type: 'publication',
  channel: 'trpc:org:7',
  position,
  message: { type: 'channel-invalidation' },
  tags,
});
const started = (causes: readonly StaleCause[], key: readonly unknown[] = [['post', 'list'], {}]): RefetchStarted => ({
  type: 'refetch-started',
  at: AT,
  query: { hash: 'h', key, isActive: true },
  reason: 'stale',
  causes,
  isFirst: false,
});
const ended = (fetch: RefetchStarted, outcome: 'changed' | 'failed' = 'changed') =>
  ({
    type: 'refetch-ended',
    at: AT + 250,
    fetch,
    outcome,
    durationMs: 250,
    freshAfterMs: outcome === 'changed' ? 300 : null,
  }) as const;

describe('spans', () => {
  it('a refetch belongs to the trace of the publication that caused it, and links to the others', () => {
    const { binding, spans } = start();
    const fetch = started([
      news({ traceparent: traceparent('b7ad6b7169203331') }),
      news({ traceparent: traceparent('c7ad6b7169203332') }),
    ]);
    binding.say(fetch);
    binding.say(ended(fetch));
    expect(spans()).toHaveLength(1);
    const [span] = spans();
    expect(span?.name).toBe('refetch post.list');
    expect(span?.spanContext().traceId).toBe(TRACE_ID);
    expect(span?.parentSpanContext).toMatchObject({ spanId: 'b7ad6b7169203331', traceFlags: TraceFlags.SAMPLED });
    expect(span?.links.map(({ context }) => context.spanId)).toEqual(['c7ad6b7169203332']);
    expect(span?.attributes).toEqual({
      'op.realtime.causes': ['publication', 'publication'],
      'op.realtime.reason': 'stale',
      'op.realtime.cause': 'publication',
      'op.realtime.outcome': 'changed',
      'op.realtime.fresh_after_ms': 300,
    });
    expect(span?.duration).toEqual([0, 250_000_000]);
  });

  it.each([
    ['no tag', {}],
    ['what is no context', { traceparent: 'nonsense' }],
    ['a context of zeros', { traceparent: `00-${'0'.repeat(32)}-${'0'.repeat(16)}-01` }],
    ['a trace of zeros', { traceparent: traceparent('b7ad6b7169203331').replace(TRACE_ID, '0'.repeat(32)) }],
    ['a span of zeros', { traceparent: traceparent('0'.repeat(16)) }],
    ['a newer version', { traceparent: traceparent('b7ad6b7169203331').replace('00-', '01-') }],
  ])('%s begins a trace of its own, and is no link', (_, tags) => {
    const { binding, spans } = start();
    const alone = started([news(tags), { type: 'join', channel: 'trpc:org:7', position }]);
    const second = started([news({ traceparent: traceparent('b7ad6b7169203331') }), news(tags)]);
    for (const fetch of [alone, second]) {
      binding.say(fetch);
      binding.say(ended(fetch));
    }
    expect(spans()[0]?.parentSpanContext).toBeUndefined();
    expect(spans().map(({ links }) => links)).toEqual([[], []]);
  });

  it("a fetch that the app made by itself is the app's to trace", () => {
    const { binding, spans } = start();
    const fetch = { ...started([]), reason: 'app' as const };
    binding.say(fetch);
    binding.say(ended(fetch));
    expect(spans()).toEqual([]);
  });

  it('a failed fetch is an error; what is open at the end is ended', () => {
    const { binding, spans, stop } = start();
    const [failing, open] = [started([news()], ['own', 'key']), started([news()])];
    binding.say(failing);
    binding.say(ended(failing, 'failed'));
    expect(spans()[0]).toMatchObject({ name: 'refetch own', status: { code: SpanStatusCode.ERROR } });
    binding.say(open);
    stop();
    expect(spans()).toHaveLength(2);
    expect(binding.observers.size).toBe(0);
  });
});

it('metrics name scopes, causes and outcomes, and never a channel, a key or a user', async () => {
  const { manager, binding, points } = start();
  const channel = 'trpc:user:secret-id';
  manager.say({ type: 'status', at: 0, state: 'reconnecting', code: 'disconnected', reason: 'secret-id' });
  manager.say({ type: 'joined', at: 0, channel, position, recovered: false, wasRecovering: false });
  manager.say({ type: 'joined', at: 0, channel, position, recovered: true, wasRecovering: true });
  manager.say({ type: 'joined', at: 0, channel, position, recovered: false, wasRecovering: true });
  manager.say({ type: 'lost', at: 0, channel, kind: 'refused', brokerCode: 103, reason: 'secret-id' });
  manager.say({ type: 'publication', at: 0, channel, position, recovered: false, message: null, tags: {} });
  binding.say({ type: 'gap', at: 0, channel, from: position, to: null });
  const fetch = started([{ type: 'gap', channel, from: position, to: null }], ['secret-id']);
  binding.say(fetch);
  binding.say(ended(fetch));

  const all = await points();
  const ofScope = { 'messaging.destination.template': 'trpc:user' };
  const ofFetch = { 'op.realtime.reason': 'stale', 'op.realtime.cause': 'gap', 'op.realtime.outcome': 'changed' };
  const once = (name: string, attributes: object) => ({ name: `op.realtime.client.${name}`, value: 1, attributes });
  expect(all).toEqual(
    expect.arrayContaining([
      once('states', { 'op.realtime.state': 'reconnecting', 'error.type': 'disconnected' }),
      once('joins', { ...ofScope, 'op.realtime.join': 'first' }),
      once('joins', { ...ofScope, 'op.realtime.join': 'recovered' }),
      once('joins', { ...ofScope, 'op.realtime.join': 'unrecovered' }),
      once('losses', { ...ofScope, 'op.realtime.loss': 'refused' }),
      once('publications', { ...ofScope, 'op.realtime.recovered': false }),
      once('gaps', ofScope),
      once('refetches', ofFetch),
      { name: 'op.realtime.client.refetch.duration', value: { count: 1, sum: 0.25 }, attributes: ofFetch },
      {
        name: 'op.realtime.client.time_to_fresh',
        value: { count: 1, sum: 0.3 },
        attributes: { 'op.realtime.cause': 'gap' },
      },
    ]),
  );
  expect(JSON.stringify(all)).not.toContain('secret-id');
});
