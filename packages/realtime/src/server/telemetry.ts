import type { ChannelName } from '../core/channel.ts';
import { INSTRUMENTATION, scopeOf } from '../core/telemetry-names.ts';
import type { PublishReply } from './publish-command.ts';

/**
 * OpenTelemetry, where the host app has it: spans and metrics go to the providers that the app registered. Its API package is not imported, as a bundler could not
 * leave out what is missing; what `@opentelemetry/api` 1.x registers is found where its own copies find each other. `telemetry.test.ts` runs against the real package.
 * Names: https://opentelemetry.io/docs/specs/semconv/messaging/
 */
const API = Symbol.for('opentelemetry.js.api.1');
const SPAN_KIND_PRODUCER = 3;
const STATUS_ERROR = 2;

type Attributes = Record<string, string | number>;

interface Span {
  spanContext(): { traceId: string; spanId: string; traceFlags: number };
  setAttributes(attributes: Attributes): unknown;
  setStatus(status: { code: number; message?: string }): unknown;
  end(): void;
}

export interface Instrument {
  add?(value: number, attributes?: Attributes): void;
  record?(value: number, attributes?: Attributes): void;
}

interface Meter {
  createCounter(name: string, options: { unit: string; description: string }): Instrument;
  createHistogram(name: string, options: { unit: string; description: string }): Instrument;
}

interface OpenTelemetry {
  trace?: { getTracer(name: string): { startSpan(name: string, options: object): Span } };
  metrics?: { getMeter(name: string): Meter };
}

interface Instruments {
  readonly sent: Instrument;
  readonly duration: Instrument;
  readonly retries: Instrument;
  readonly faults: Instrument;
}

const instrumentsOf = new WeakMap<object, Instruments>();

/** A publish that is being observed. */
export interface ObservedPublish {
  /** Goes with the publication, so that what it causes in other tabs belongs to the same trace. */
  readonly tags: Readonly<Record<string, string>> | undefined;
  end(reply: PublishReply, durationMs: number): void;
}

/** Starts to observe a publish; `null` where nobody listens. */
export function observePublish(channels: readonly ChannelName[]): ObservedPublish | null {
  const api = findOpenTelemetry();
  if (!api) return null;
  const scopes = new Set(channels.map(scopeOf));
  const common = { 'messaging.system': 'centrifugo', 'messaging.operation.name': 'publish' };
  const span = api.trace?.getTracer(INSTRUMENTATION).startSpan(`publish ${[...scopes].join(' ')}`, {
    kind: SPAN_KIND_PRODUCER,
    attributes: {
      ...common,
      'messaging.operation.type': 'send',
      ...(channels.length === 1 && channels[0] !== undefined && { 'messaging.destination.name': channels[0] }),
      ...(channels.length > 1 && { 'messaging.batch.message_count': channels.length }),
    },
  });
  return {
    tags: span && traceTags(span),
    end({ outcomes, attempts }, durationMs) {
      const instruments = instrumentsFrom(api);
      for (const outcome of outcomes)
        instruments?.sent.add?.(1, {
          ...common,
          'messaging.destination.template': scopeOf(outcome.channel),
          ...(!outcome.ok && { 'error.type': outcome.error.code }),
        });
      const failed = outcomes.find((outcome) => !outcome.ok);
      const error = failed && { 'error.type': failed.error.code };
      instruments?.duration.record?.(durationMs / 1000, { ...common, ...error });
      if (attempts > 1) instruments?.retries.add?.(attempts - 1, common);
      if (attempts > 1) span?.setAttributes({ 'op.realtime.attempts': attempts });
      if (failed) {
        span?.setAttributes({ 'error.type': failed.error.code });
        span?.setStatus({ code: STATUS_ERROR, message: failed.error.message });
      }
      span?.end();
    },
  };
}

/**
 * A span for messages that are only written down here and published by another process. Returns the tags that take its context along, so that what the publication causes
 * belongs to the trace of the one who wrote it.
 */
export function traceCreation(channels: readonly ChannelName[]): Readonly<Record<string, string>> | undefined {
  const scopes = new Set(channels.map(scopeOf));
  const span = findOpenTelemetry()
    ?.trace?.getTracer(INSTRUMENTATION)
    .startSpan(`create ${[...scopes].join(' ')}`, {
      kind: SPAN_KIND_PRODUCER,
      attributes: {
        'messaging.system': 'centrifugo',
        'messaging.operation.name': 'create',
        'messaging.operation.type': 'create',
        'messaging.batch.message_count': channels.length,
      },
    });
  span?.end();
  return span && traceTags(span);
}

/** Counts what went wrong beside a call that was answered all the same. */
export function countFault(kind: string): void {
  const api = findOpenTelemetry();
  if (api) instrumentsFrom(api)?.faults.add?.(1, { 'op.realtime.fault': kind });
}

/** What the host app registered. */
export function findOpenTelemetry(): OpenTelemetry | undefined {
  return (globalThis as { [API]?: OpenTelemetry })[API];
}

/** Made once per provider: to make one again under the same name would be reported as a mistake. */
function instrumentsFrom({ metrics }: OpenTelemetry): Instruments | undefined {
  if (!metrics) return undefined;
  const known = instrumentsOf.get(metrics);
  if (known) return known;
  const meter = metrics.getMeter(INSTRUMENTATION);
  const instruments: Instruments = {
    sent: meter.createCounter('messaging.client.sent.messages', {
      unit: '{message}',
      description: 'Messages that were published, one per channel; with error.type where it failed',
    }),
    duration: meter.createHistogram('messaging.client.operation.duration', {
      unit: 's',
      description: 'From the call of publish to its answer, retry included',
    }),
    retries: meter.createCounter('op.realtime.publish.retries', {
      unit: '{retry}',
      description: 'Publishes that were sent a second time',
    }),
    faults: meter.createCounter('op.realtime.faults', {
      unit: '{fault}',
      description: 'What went wrong beside a procedure that was answered all the same',
    }),
  };
  instrumentsOf.set(metrics, instruments);
  return instruments;
}

/** W3C Trace Context; nothing for a span that no exporter will see. */
function traceTags(span: Span): Record<string, string> | undefined {
  const { traceId, spanId, traceFlags } = span.spanContext();
  if (/^0*$/.test(traceId)) return undefined;
  return { traceparent: `00-${traceId}-${spanId}-${traceFlags.toString(16).padStart(2, '0')}` };
}
