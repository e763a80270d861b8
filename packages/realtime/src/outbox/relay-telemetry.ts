import { INSTRUMENTATION, scopeOf } from '../core/telemetry-names.ts';
import { findOpenTelemetry, type Instrument } from '../server/telemetry.ts';
import type { OutboxRow } from './outbox-row.ts';

interface Instruments {
  readonly published: Instrument;
  readonly retries: Instrument;
  readonly deadLetters: Instrument;
  readonly lag: Instrument;
}

const instrumentsOf = new WeakMap<object, Instruments>();

export function countPublished(row: OutboxRow, lagMs: number): void {
  const instruments = find();
  const attributes = { 'messaging.destination.template': scopeOf(row.channel) };
  instruments?.published.add?.(1, attributes);
  instruments?.lag.record?.(lagMs / 1000, attributes);
}

export function countRetries(count: number): void {
  if (count > 0) find()?.retries.add?.(count);
}

export function countDeadLetter(row: OutboxRow): void {
  find()?.deadLetters.add?.(1, { 'messaging.destination.template': scopeOf(row.channel) });
}

function find(): Instruments | undefined {
  const metrics = findOpenTelemetry()?.metrics;
  if (!metrics) return undefined;
  const known = instrumentsOf.get(metrics);
  if (known) return known;
  const meter = metrics.getMeter(INSTRUMENTATION);
  const counter = (name: string, unit: string, description: string) => meter.createCounter(name, { unit, description });
  const instruments: Instruments = {
    published: counter('op.realtime.outbox.published', '{message}', 'Rows of the outbox that the broker has taken'),
    retries: counter(
      'op.realtime.outbox.retries',
      '{retry}',
      'Attempts to publish a row that failed and are made again',
    ),
    deadLetters: counter(
      'op.realtime.outbox.dead_letters',
      '{message}',
      'Rows that the broker will never take; a channel-invalidation was published in their place',
    ),
    lag: meter.createHistogram('op.realtime.outbox.lag', {
      unit: 's',
      description: 'From the writing of a row to the moment when the broker has taken it',
    }),
  };
  instrumentsOf.set(metrics, instruments);
  return instruments;
}
