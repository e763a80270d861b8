import type { AnswerMeta } from '../metadata.ts';
import { toEnvelope } from '../metadata.ts';
import type { RealtimeRequest } from './request.ts';

/**
 * An answer's data with its metadata around it; the data alone where it could not travel inside an envelope.
 *
 * tRPC sends promises and iterables only one level deep, so those go where it finds them: an iterable stays one, an object with promises becomes one promise that
 * the link awaits. Where they cannot be sent at all the data is left alone, and tRPC says so itself.
 */
export function wrapAnswer(meta: AnswerMeta, data: unknown, request: RealtimeRequest): unknown {
  if (!isStreamed(data)) return toEnvelope(meta, data);
  if (!request.acceptsStream) return data;
  return toEnvelope(meta, isAsyncIterable(data) ? data : Promise.resolve(data));
}

function isStreamed(data: unknown): data is object {
  return isObject(data) && (isAsyncIterable(data) || isThenable(data) || Object.values(data).some(isAsync));
}

function isAsync(value: unknown): boolean {
  return isObject(value) && (isAsyncIterable(value) || isThenable(value));
}

function isAsyncIterable(value: object): boolean {
  return Symbol.asyncIterator in value;
}

function isThenable(value: object): boolean {
  return typeof (value as { then?: unknown }).then === 'function';
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null;
}
