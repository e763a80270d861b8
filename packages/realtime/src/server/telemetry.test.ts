import {
  type Attributes,
  type Context,
  context,
  metrics,
  ROOT_CONTEXT,
  type Span,
  SpanKind,
  type SpanOptions,
  SpanStatusCode,
  trace,
} from '@opentelemetry/api';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { FakeApi } from '../../test/fake-api.ts';
import { Channels } from '../core/channel.ts';
import type { Message } from '../core/message.ts';
import { initRealtime } from '../trpc/server/index.ts';
import { createRealtime } from './create-realtime.ts';
import type { Realtime } from './realtime.ts';
import { countFault, observePublish } from './telemetry.ts';

const MESSAGE: Message = { type: 'channel-invalidation' };
const TRACE_ID = '0af7651916cd43dd8448eb211c80319c';

interface RecordedSpan {
  readonly name: string;
  readonly options: SpanOptions;
  readonly attributes: Attributes;
  status: unknown;
  isEnded: boolean;
}

let api: FakeApi;
let realtime: Realtime;
beforeEach(async () => {
  api = await FakeApi.start();
  realtime = createRealtime({ apiUrl: api.url, apiKey: 'key', spread: false });
});
afterEach(() => {
  trace.disable();
  metrics.disable();
  context.disable();
  return api.close();
});

/** A tracer provider as an SDK registers one. */
function recordSpans(traceId = TRACE_ID) {
  const spans: RecordedSpan[] = [];
  const tracer = {
    startSpan(name: string, options: SpanOptions = {}) {
      const recorded: RecordedSpan = {
        name,
        options,
        attributes: { ...options.attributes },
        status: null,
        isEnded: false,
      };
      spans.push(recorded);
      return {
        spanContext: () => ({ traceId, spanId: 'b7ad6b7169203331', traceFlags: 1 }),
        setAttributes: (attributes: Attributes) => Object.assign(recorded.attributes, attributes),
        setStatus: (status: unknown) => {
          recorded.status = status;
        },
        end: () => {
          recorded.isEnded = true;
        },
      } as unknown as Span;
    },
    startActiveSpan: () => undefined,
  };
  trace.setGlobalTracerProvider({ getTracer: () => tracer as unknown as ReturnType<typeof trace.getTracer> });
  return spans;
}

function recordMetrics() {
  const points: [name: string, value: number, attributes: Attributes | undefined][] = [];
  const created: string[] = [];
  const instrument = (name: string) => {
    created.push(name);
    const record = (value: number, attributes?: Attributes) => points.push([name, value, attributes]);
    return { add: record, record };
  };
  const meter = { createCounter: instrument, createHistogram: instrument };
  metrics.setGlobalMeterProvider({ getMeter: () => meter as unknown as ReturnType<typeof metrics.getMeter> });
  return { points, created };
}

it('asks for nothing of the app: without a provider nothing is sent along', async () => {
  await realtime.publish(Channels.user('7'), MESSAGE);
  expect(api.requests[0]?.body).not.toHaveProperty('tags');
});

describe('a span', () => {
  it('says where the message went, and its context goes with it', async () => {
    const spans = recordSpans();
    await realtime.publish(Channels.user('7'), MESSAGE, { tags: { by: 'me' } });
    expect(spans).toMatchObject([
      {
        name: 'publish trpc:user',
        options: { kind: SpanKind.PRODUCER },
        attributes: {
          'messaging.system': 'centrifugo',
          'messaging.operation.name': 'publish',
          'messaging.operation.type': 'send',
          'messaging.destination.name': 'trpc:user:7',
        },
        status: null,
        isEnded: true,
      },
    ]);
    expect(api.requests[0]?.body.tags).toEqual({ traceparent: `00-${TRACE_ID}-b7ad6b7169203331-01`, by: 'me' });
  });

  it('of many channels says how many', async () => {
    const spans = recordSpans();
    await realtime.publishMany([Channels.org('1'), Channels.org('2'), Channels.global()], MESSAGE);
    expect(spans[0]?.name).toBe('publish trpc:org trpc:global');
    expect(spans[0]?.attributes).toMatchObject({ 'messaging.batch.message_count': 3 });
    expect(spans[0]?.attributes).not.toHaveProperty('messaging.destination.name');
  });

  it('of a failure says which, and how often it was tried', async () => {
    api.handler = () => ({ status: 500 });
    const spans = recordSpans();
    await expect(realtime.publish(Channels.user('7'), MESSAGE)).rejects.toMatchObject({ code: 'api_unavailable' });
    expect(spans).toMatchObject([
      {
        attributes: { 'error.type': 'api_unavailable', 'op.realtime.attempts': 2 },
        status: { code: SpanStatusCode.ERROR },
        isEnded: true,
      },
    ]);
  });

  it('that no exporter will see sends nothing along', async () => {
    recordSpans('0'.repeat(32));
    await realtime.publish(Channels.user('7'), MESSAGE);
    expect(api.requests[0]?.body).not.toHaveProperty('tags');
  });

  it('is not started for what is wrong before anything is sent', async () => {
    const spans = recordSpans();
    await realtime.publish(Channels.user('7'), { type: 'oops' } as unknown as Message).catch(() => undefined);
    expect(spans).toEqual([]);
  });

  it('belongs to the span that is active where publish is called', async () => {
    const active = ROOT_CONTEXT.setValue(Symbol('app'), 1);
    const parents: Context[] = [];
    context.setGlobalContextManager({
      active: () => active,
      with: (_context, fn, thisArg, ...args) => fn.call(thisArg as never, ...args),
      bind: (_context, target) => target,
      enable: () => context as never,
      disable: () => context as never,
    });
    const startSpan = (_name: string, _options: SpanOptions, parent = context.active()) => {
      parents.push(parent);
      return trace.wrapSpanContext({ traceId: TRACE_ID, spanId: 'b7ad6b7169203331', traceFlags: 1 });
    };
    trace.setGlobalTracerProvider({
      getTracer: () => ({ startSpan }) as unknown as ReturnType<typeof trace.getTracer>,
    });
    await realtime.publish(Channels.user('7'), MESSAGE);
    expect(parents).toEqual([active]);
  });
});

describe('metrics', () => {
  it('count messages by scope and failure, retries, and how long it took', async () => {
    const { points, created } = recordMetrics();
    api.script.push({ status: 500 });
    await realtime.publish(Channels.org('1'), MESSAGE);
    api.script.push({ body: { error: { code: 102, message: 'unknown channel' } } });
    await realtime.publish(Channels.user('7'), MESSAGE).catch(() => undefined);
    const common = { 'messaging.system': 'centrifugo', 'messaging.operation.name': 'publish' };
    expect(points).toEqual([
      ['messaging.client.sent.messages', 1, { ...common, 'messaging.destination.template': 'trpc:org' }],
      ['messaging.client.operation.duration', expect.any(Number), common],
      ['op.realtime.publish.retries', 1, common],
      [
        'messaging.client.sent.messages',
        1,
        { ...common, 'messaging.destination.template': 'trpc:user', 'error.type': 'broker_error' },
      ],
      ['messaging.client.operation.duration', expect.any(Number), { ...common, 'error.type': 'broker_error' }],
    ]);
    expect(new Set(created).size).toBe(created.length);
  });

  it('tell durations in seconds', () => {
    const { points } = recordMetrics();
    observePublish([Channels.org('1')])?.end({ outcomes: [], attempts: 1 }, 250);
    expect(points).toEqual([['messaging.client.operation.duration', 0.25, expect.anything()]]);
  });

  it('count the faults of procedures', () => {
    const { points } = recordMetrics();
    countFault('stamps');
    expect(points).toEqual([['op.realtime.faults', 1, { 'op.realtime.fault': 'stamps' }]]);
    expect(initRealtime().faultCounts.stamps).toBe(0);
  });
});
