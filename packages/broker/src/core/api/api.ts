import { BatchRequest, LegacyCommand } from '../../protocol/api-schema.ts';
import type { ByteString } from '../../protocol/byte-string.ts';
import { API_ERROR_STATUS, ApiErrors, type ReplyError } from '../../protocol/codes.ts';
import { decodeJson } from '../../protocol/json-message.ts';
import { skipSpace, valueEnd } from '../../protocol/json-scan.ts';
import type { Decoded } from '../../protocol/schema.ts';
import type { Engine } from '../engine.ts';
import { type ApiOutcome, apiMethods } from './methods.ts';

/** An answer over HTTP. */
export interface ApiAnswer {
  readonly status: number;
  readonly body: ByteString;
  readonly isJson: boolean;
}

type MethodName = keyof typeof apiMethods;

const BAD_REQUEST: ApiAnswer = { status: 400, body: 'Bad Request\n', isJson: false };

function isMethod(name: string): name is MethodName {
  return Object.hasOwn(apiMethods, name);
}

/** Whether there is such a method; the empty name is the old form, in which the commands name theirs. */
export function hasApiMethod(name: string): boolean {
  return name === '' || name === 'batch' || isMethod(name);
}

/** `undefined` for a body that is not what the method takes. */
function run(engine: Engine, name: MethodName, body: ByteString): ApiOutcome | undefined {
  const request = decodeJson(methodOf(name).request, body);
  return request && invoke(engine, name, request);
}

/** One method at a time: each reads its own request. */
function methodOf(name: MethodName): (typeof apiMethods)['publish'] {
  return apiMethods[name] as (typeof apiMethods)['publish'];
}

function invoke(
  engine: Engine,
  name: MethodName,
  request: Decoded<(typeof apiMethods)['publish']['request']>,
): ApiOutcome {
  const startedMs = engine.nowMs;
  const outcome = methodOf(name).run(engine, request);
  engine.metrics.countApiCall(name, engine.nowMs - startedMs);
  return outcome;
}

/**
 * Calls a method of the server API.
 * @param body JSON bytes
 * @param isTransportErrorMode errors become HTTP statuses, instead of a 200 with an error inside
 */
export function callApi(engine: Engine, name: string, body: ByteString, isTransportErrorMode: boolean): ApiAnswer {
  if (name === 'batch') return batch(engine, body);
  if (name === '') return legacy(engine, body);
  if (!isMethod(name)) return { status: 404, body: '404 page not found\n', isJson: false };
  const outcome = run(engine, name, body);
  if (!outcome) return BAD_REQUEST;
  if ('result' in outcome) return { status: 200, body: `{"result":${outcome.result}}`, isJson: true };
  const error = errorText(outcome.error);
  if (!isTransportErrorMode) return { status: 200, body: `{"error":${error}}`, isJson: true };
  return { status: API_ERROR_STATUS.get(outcome.error.code) ?? 500, body: error, isJson: true };
}

function errorText({ code, message }: ReplyError): ByteString {
  return `{"code":${code},"message":"${message}"}`;
}

/** Commands run one after the other, also where `parallel` is asked for: there is one thread, and the answers keep their order anyway. */
function batch(engine: Engine, body: ByteString): ApiAnswer {
  const request = decodeJson(BatchRequest, body);
  if (!request) return BAD_REQUEST;
  const replies = request.commands.map((command) => batchReply(engine, command));
  const text = replies.length === 0 ? '{}' : `{"replies":[${replies.join(',')}]}`;
  return { status: 200, body: text, isJson: true };
}

function batchReply(engine: Engine, command: Decoded<(typeof BatchRequest)['commands']['type']>): ByteString {
  for (const name of Object.keys(command) as MethodName[]) {
    const request = command[name];
    if (!request) continue;
    const outcome = invoke(engine, name, request as NonNullable<(typeof command)['publish']>);
    return 'error' in outcome ? `{"error":${errorText(outcome.error)}}` : `{"${name}":${outcome.result}}`;
  }
  return `{"error":${errorText(ApiErrors.NotFound)}}`;
}

/** The methods by their numbers in the old form. */
const LEGACY_METHODS: ReadonlyMap<number, MethodName> = new Map(
  (
    [
      'publish',
      'broadcast',
      'unsubscribe',
      'disconnect',
      'presence',
      'presence_stats',
      'history',
      'history_remove',
      'channels',
      'info',
      'rpc',
      'subscribe',
      'refresh',
    ] as const
  ).map((name, number) => [number, name]),
);

/** Commands `{ method, params }`, one behind the other; the answers are lines. */
function legacy(engine: Engine, body: ByteString): ApiAnswer {
  if (body === '') return BAD_REQUEST;
  const replies: ByteString[] = [];
  for (let at = skipSpace(body, 0); at < body.length; ) {
    const end = valueEnd(body, at);
    const command = end > at ? decodeJson(LegacyCommand, body.slice(at, end)) : undefined;
    const method = command && legacyMethod(command.method);
    if (!command || method === undefined) return BAD_REQUEST;
    const outcome = isMethod(method) ? run(engine, method, command.params ?? 'null') : { error: ApiErrors.NotFound };
    const result = outcome ?? { error: ApiErrors.BadRequest };
    const id = command.id > 0 ? `"id":${command.id},` : '';
    replies.push('error' in result ? `{${id}"error":${errorText(result.error)}}` : `{${id}"result":${result.result}}`);
    at = skipSpace(body, end);
  }
  return { status: 200, body: replies.join('\n'), isJson: true };
}

/** The name of a method given by name, in any case, or by number. `undefined` if it is neither. */
function legacyMethod(raw: ByteString | undefined): string | undefined {
  const method: unknown = JSON.parse(raw ?? '0');
  if (typeof method === 'string') return isMethod(method.toLowerCase()) ? method.toLowerCase() : undefined;
  return Number.isInteger(method) ? (LEGACY_METHODS.get(method as number) ?? '') : undefined;
}
