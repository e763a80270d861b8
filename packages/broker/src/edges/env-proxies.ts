import type { ProxyOptions, RpcNamespaceOptions, StatusTransform } from '../core/proxy-options.ts';
import { duration, flag, spacedList, text, type ValueParser } from './env-values.ts';
import { type Mutable, type Variable, variable } from './env-variable.ts';

function parseJson(value: string): unknown {
  try {
    return JSON.parse(value) as unknown;
  } catch {
    return undefined;
  }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Names and values of headers, as JSON. */
const headerMap: ValueParser<Readonly<Record<string, string>>> = {
  expected: 'a JSON object of texts, such as {"X-Secret":"…"}',
  jsonType: 'object',
  parse(value) {
    // Nothing is an empty text, and no object at all is an empty one, as Go reads it.
    const headers = parseJson(value) ?? (value.trim() === 'null' ? {} : undefined);
    if (!isObject(headers)) return undefined;
    const entries = Object.entries(headers)
      .map(([name, text]) => [name, text ?? ''] as const)
      .filter((entry): entry is [string, string] => typeof entry[1] === 'string');
    return entries.length === Object.keys(headers).length ? Object.fromEntries(entries) : undefined;
  },
};

/** Which HTTP status stands for which error or disconnect, as JSON. */
const statusTransforms: ValueParser<readonly StatusTransform[]> = {
  expected: 'a JSON list such as [{"status_code":404,"to_error":{"code":404,"message":"not found"}}]',
  jsonType: 'object',
  parse(value) {
    const list = parseJson(value) ?? (value.trim() === 'null' ? [] : undefined);
    if (!Array.isArray(list)) return undefined;
    const transforms = list.map(statusTransform);
    return transforms.every((transform) => transform !== undefined) ? transforms : undefined;
  },
};

/** The members of an object as Go finds them: in whatever case they are written, and without those that are `null`. */
function membersOf(value: unknown): Record<string, unknown> | undefined {
  if (value === undefined || value === null) return {};
  if (!isObject(value)) return undefined;
  const members = Object.entries(value).filter(([, member]) => member !== null);
  return Object.fromEntries(members.map(([name, member]) => [name.toLowerCase(), member]));
}

function isWhole(value: unknown): value is number {
  return Number.isSafeInteger(value);
}

function isCode(value: unknown): value is number {
  return isWhole(value) && value >= 0 && value < 2 ** 32;
}

function statusTransform(item: unknown): StatusTransform | undefined {
  const {
    status_code: statusCode = 0,
    to_error: toError,
    to_disconnect: toDisconnect,
    ...rest
  } = membersOf(item) ?? { item };
  const error = membersOf(toError);
  const disconnect = membersOf(toDisconnect);
  if (!isWhole(statusCode) || !error || !disconnect) return undefined;
  const { code = 0, message = '', temporary = false, ...restOfError } = error;
  const { code: closeCode = 0, reason = '', ...restOfDisconnect } = disconnect;
  if (Object.keys({ ...rest, ...restOfError, ...restOfDisconnect }).length > 0) return undefined;
  if (!isCode(code) || typeof message !== 'string' || typeof temporary !== 'boolean') return undefined;
  if (!isCode(closeCode) || typeof reason !== 'string') return undefined;
  return {
    statusCode,
    ...(code > 0 ? { toError: { code, message, temporary } } : {}),
    ...(closeCode > 0 ? { toDisconnect: { code: closeCode, reason } } : {}),
  };
}

/** The variables of one proxy. */
export function proxyVariables<T>(
  prefix: string,
  at: (target: T) => Mutable<ProxyOptions>,
): Record<string, Variable<T>> {
  const option = <K extends keyof ProxyOptions>(key: K, parser: ValueParser<NonNullable<ProxyOptions[K]>>) =>
    variable<T, Mutable<ProxyOptions>, K>(at, key, parser);
  return {
    [`${prefix}ENDPOINT`]: option('endpoint', text),
    [`${prefix}TIMEOUT`]: option('timeoutMs', duration),
    [`${prefix}HTTP_HEADERS`]: option('httpHeaders', spacedList),
    [`${prefix}EMULATED_HEADERS`]: option('emulatedHeaders', spacedList),
    [`${prefix}BINARY_ENCODING`]: option('binaryEncoding', flag),
    [`${prefix}INCLUDE_CONNECTION_META`]: option('includeConnectionMeta', flag),
    [`${prefix}HTTP_STATIC_HEADERS`]: option('staticHeaders', headerMap),
    [`${prefix}HTTP_STATUS_TO_CODE_TRANSFORMS`]: option('statusToCodeTransforms', statusTransforms),
  };
}

/** The variables of one namespace of RPC methods. */
export function rpcNamespaceVariables<T>(
  prefix: string,
  at: (target: T) => Mutable<RpcNamespaceOptions>,
): Record<string, Variable<T>> {
  return {
    [`${prefix}PROXY_ENABLED`]: variable<T, Mutable<RpcNamespaceOptions>, 'proxyEnabled'>(at, 'proxyEnabled', flag),
    [`${prefix}PROXY_NAME`]: variable<T, Mutable<RpcNamespaceOptions>, 'proxyName'>(at, 'proxyName', text),
  };
}

/** What stands for the value of a variable of its own. */
const REFERENCE = /\$\{(CENTRIFUGO_VAR_[^}]+)\}/g;

/** Fills in `${CENTRIFUGO_VAR_…}` inside JSON, so that secrets need not stand in it. @returns `undefined` where there is no such variable */
export function fillReferences(json: string, env: Readonly<Record<string, string | undefined>>): string | undefined {
  for (const [, name] of json.matchAll(REFERENCE)) if (env[name!] === undefined) return undefined;
  return json.replaceAll(REFERENCE, (_, name: string) => JSON.stringify(env[name]).slice(1, -1));
}
