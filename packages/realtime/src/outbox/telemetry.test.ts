import { metrics, type Span, trace } from '@opentelemetry/api';
import { afterEach, expect, it } from 'vitest';
import { MemoryOutbox } from '../../test/outbox/memory-outbox.ts';
import { Channels } from '../core/channel.ts';
import { BrokerError } from '../core/errors.ts';
import { VirtualClock } from '../testing/virtual-clock.ts';
import { publishAllInTransaction } from './index.ts';
import { OutboxRelay } from './outbox-relay.ts';

afterEach(() => {
  trace.disable();
  metrics.disable();
});

it('a relay counts what it published, tried again and set aside, and how long rows waited', async () => {
  const points: [string, number, object | undefined][] = [];
  const instrument = (name: string) => {
    const record = (value: number, attributes?: object) => points.push([name, value, attributes]);
    return { add: record, record };
  };
  const meter = { createCounter: instrument, createHistogram: instrument };
  metrics.setGlobalMeterProvider({ getMeter: () => meter as unknown as ReturnType<typeof metrics.getMeter> });

  const clock = new VirtualClock();
  const outbox = new MemoryOutbox(() => clock.now());
  outbox.write(Channels.org('1'), { type: 'channel-invalidation' });
  outbox.write(Channels.user('7'), '{}');
  await clock.advance(2000);
  let calls = 0;
  const relay = new OutboxRelay({
    open: outbox.open,
    realtime: {
      publish: async (channel) => {
        calls += 1;
        if (calls === 1) throw new BrokerError(100, 'internal');
        return { channel, position: null };
      },
    },
    report: () => {},
    onState: undefined,
    clock,
    random: () => 0,
    batchSize: 10,
    pollMs: 1000,
    maxAttempts: 4,
    retry: { minMs: 500, maxMs: 500 },
  });
  await clock.advance(500);
  await relay.stop();
  expect(points).toEqual([
    ['op.realtime.outbox.dead_letters', 1, { 'messaging.destination.template': 'trpc:user' }],
    ['op.realtime.outbox.retries', 1, undefined],
    ['op.realtime.outbox.published', 1, { 'messaging.destination.template': 'trpc:org' }],
    ['op.realtime.outbox.lag', 2.5, { 'messaging.destination.template': 'trpc:org' }],
  ]);
});

it('what is written in a transaction takes the trace of its writer along', async () => {
  const names: string[] = [];
  const startSpan = (name: string) => {
    names.push(name);
    const context = { traceId: '0af7651916cd43dd8448eb211c80319c', spanId: 'b7ad6b7169203331', traceFlags: 1 };
    return { spanContext: () => context, end: () => names.push('end') } as unknown as Span;
  };
  trace.setGlobalTracerProvider({
    getTracer: () => ({ startSpan }) as unknown as ReturnType<typeof trace.getTracer>,
  });
  const written: unknown[] = [];
  const tx = {
    runSql: async (_: string, [, tags]: readonly (string | null)[]) => written.push(JSON.parse(tags ?? 'null')),
  };
  const announcements = [Channels.org('1'), Channels.org('2'), Channels.global()].map(
    (channel) => ({ channel, message: { type: 'channel-invalidation' } }) as const,
  );
  await publishAllInTransaction(tx, announcements, { tags: { by: 'me' } });
  expect(written).toEqual([{ traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01', by: 'me' }]);
  expect(names).toEqual(['create trpc:org trpc:global', 'end']);
});
