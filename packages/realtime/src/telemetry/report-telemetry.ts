import { type Meter, metrics, type Span, SpanStatusCode, type Tracer, trace } from '@opentelemetry/api';
import type { BindingEvent, ManagerEvent, RealtimeEvent, RealtimeObserver, RefetchStarted } from '../core/events.ts';
import { INSTRUMENTATION } from '../core/telemetry-names.ts';
import { attributesOf, meterEvents } from './instruments.ts';
import { traceOf, within } from './remote-context.ts';

/** What a `RealtimeManager` is here. */
export interface ObservableManager {
  /** Tells the observer what happens, until the returned function is called. */
  observe(observer: RealtimeObserver<ManagerEvent>): () => void;
}

/** What a `QueryBinding` is here. */
export interface ObservableBinding {
  /** Tells the observer what happens, until the returned function is called. */
  observe(observer: RealtimeObserver<BindingEvent>): () => void;
}

/** What is reported, and where to. */
export interface TelemetryOptions {
  /** Joins, losses, publications and the connection's states. */
  readonly manager?: ObservableManager;
  /** Gaps, refetches with their causes, time to fresh. What `bindQueryClient` returned, or `bindingOf(queryClient)`. */
  readonly binding?: ObservableBinding;
  /** @default that of the registered provider */
  readonly tracer?: Tracer;
  /** @default that of the registered provider */
  readonly meter?: Meter;
}

/**
 * Reports a tab to OpenTelemetry. Metrics: docs/observability.md. A span for each fetch that news caused; where the news was published with a trace context,
 * the span belongs to the publisher's trace, so a mutation in one tab and the refetch that it caused in another are one trace.
 *
 * ```ts
 * const stop = reportTelemetry({ manager, binding: bindingOf(queryClient) });
 * ```
 * @returns ends it; spans of fetches under way are ended too
 */
export function reportTelemetry(options: TelemetryOptions): () => void {
  const { manager, binding } = options;
  const count = meterEvents(options.meter ?? metrics.getMeter(INSTRUMENTATION));
  const spans = new RefetchSpans(options.tracer ?? trace.getTracer(INSTRUMENTATION));
  const observer = (event: RealtimeEvent) => {
    count(event);
    spans.tell(event);
  };
  const ends = [manager?.observe(observer), binding?.observe(observer)];
  return () => {
    for (const end of ends) end?.();
    spans.end();
  };
}

class RefetchSpans {
  readonly #tracer: Tracer;
  readonly #open = new Map<RefetchStarted, Span>();

  constructor(tracer: Tracer) {
    this.#tracer = tracer;
  }

  tell(event: RealtimeEvent): void {
    if (event.type === 'refetch-started') this.#start(event);
    if (event.type !== 'refetch-ended') return;
    const span = this.#open.get(event.fetch);
    if (!span) return;
    this.#open.delete(event.fetch);
    span.setAttributes({
      ...attributesOf(event),
      ...(event.freshAfterMs !== null && { 'op.realtime.fresh_after_ms': event.freshAfterMs }),
    });
    if (event.outcome === 'failed') span.setStatus({ code: SpanStatusCode.ERROR });
    span.end(event.fetch.at + event.durationMs);
  }

  end(): void {
    for (const span of this.#open.values()) span.end();
    this.#open.clear();
  }

  /** One fetch may answer news of many: the first of them is the parent, the others are links. */
  #start(event: RefetchStarted): void {
    if (!event.causes.length) return;
    const [parent, ...others] = event.causes.map(traceOf).filter((context) => context !== null);
    const options = {
      startTime: event.at,
      links: others.map((context) => ({ context })),
      attributes: { 'op.realtime.causes': event.causes.map(({ type }) => type) },
    };
    this.#open.set(event, this.#tracer.startSpan(`refetch ${nameOf(event)}`, options, within(parent)));
  }
}

/** `post.list` of tRPC's key `[['post', 'list'], …]`, else the key's first part: no inputs, which may be anything. */
function nameOf({ query: { key } }: RefetchStarted): string {
  const [first] = key;
  return Array.isArray(first) ? first.join('.') : String(first);
}
