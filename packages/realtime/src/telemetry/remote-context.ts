import { type Context, ROOT_CONTEXT, type SpanContext, trace } from '@opentelemetry/api';
import type { StaleCause } from '../core/events.ts';

const TRACEPARENT = /^00-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})$/;

/** The trace of whoever published the news; nothing where it came from elsewhere, or its publisher traces nothing. */
export function traceOf(cause: StaleCause): SpanContext | null {
  if (cause.type !== 'publication') return null;
  const [, traceId, spanId, flags] = TRACEPARENT.exec(cause.tags.traceparent ?? '') ?? [];
  if (!traceId || !spanId || !flags || /^0+$/.test(traceId) || /^0+$/.test(spanId)) return null;
  return { traceId, spanId, traceFlags: Number.parseInt(flags, 16), isRemote: true };
}

/** The context in which a span belongs to that trace. */
export function within(parent: SpanContext | undefined): Context {
  return parent ? trace.setSpanContext(ROOT_CONTEXT, parent) : ROOT_CONTEXT;
}
