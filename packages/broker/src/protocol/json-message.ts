import { type ByteString, isAscii, jsonString, utf8Text } from './byte-string.ts';
import { cut, itemSpans, memberSpan, onOneLine, skipSpace } from './json-scan.ts';
import type { Decoded, Field, Message, Scalar, Schema } from './schema.ts';

/** Thrown inside a decoder for a value of the wrong type, and caught by it. */
class Malformed extends Error {}

/** A schema made ready for use. */
interface Prepared {
  readonly fields: ReadonlyMap<string, readonly [name: string, field: Field]>;
  /** A message without anything; decoding begins with a copy. */
  readonly empty: Readonly<Record<string, unknown>>;
}

const preparedSchemas = new WeakMap<Schema, Prepared>();
function prepare(schema: Schema): Prepared {
  let prepared = preparedSchemas.get(schema);
  if (!prepared) {
    const entries = Object.keys(schema).map((name) => [name, schema[name]!] as const);
    prepared = {
      fields: new Map(entries.map((entry) => [entry[0], entry])),
      empty: Object.fromEntries(entries.map(([name, field]) => [name, zero(field)])),
    };
    preparedSchemas.set(schema, prepared);
  }
  return prepared;
}

const RANGES: Partial<Record<Scalar, readonly [min: number, max: number]>> = {
  uint32: [0, 2 ** 32 - 1],
  uint64: [0, 2 ** 64 - 1],
  int32: [-(2 ** 31), 2 ** 31 - 1],
  int64: [-(2 ** 63), 2 ** 63 - 1],
  sint64: [-(2 ** 63), 2 ** 63 - 1],
};

const EMPTY_LIST: readonly never[] = Object.freeze([]);
const EMPTY_MAP: ReadonlyMap<string, never> = new Map<string, never>();

function zero(field: Field): unknown {
  if (field.shape === 'list') return EMPTY_LIST;
  if (field.shape === 'map') return EMPTY_MAP;
  if (typeof field.type !== 'string' || field.type === 'bytes') return undefined;
  return field.type === 'string' ? '' : field.type === 'bool' ? false : 0;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function scalar(type: Scalar, value: unknown): unknown {
  const range = RANGES[type];
  if (range) {
    if (Number.isInteger(value) && (value as number) >= range[0] && (value as number) <= range[1]) return value;
  } else if (typeof value === (type === 'bool' ? 'boolean' : 'string')) return value;
  throw new Malformed();
}

/** Where a value's own text is: only looked up for `bytes`, which are cut out and not rebuilt. */
type Locate = () => number;

/** Messages nest no deeper than this, but for filters, which could nest without end. */
const MAX_DEPTH = 64;

function decodeObject(
  schema: Schema,
  value: unknown,
  text: ByteString,
  locate: Locate,
  depth: number,
): Record<string, unknown> {
  if (depth > MAX_DEPTH) throw new Malformed();
  const { fields, empty } = prepare(schema);
  const message: Record<string, unknown> = { ...empty };
  if (value === null) return message;
  if (!isObject(value)) throw new Malformed();
  let start = -1;
  const member = (name: string) => {
    if (start < 0) start = locate();
    return memberSpan(text, start, name)!;
  };
  for (const key of Object.keys(value)) {
    const [name, field] = fields.get(key) ?? fields.get(key.toLowerCase()) ?? [];
    if (name === undefined || field === undefined) continue;
    const item = value[key];
    if (field.type === 'bytes') message[name] = cut(text, member(name));
    else if (item === null) message[name] = zero(field);
    else message[name] = decodeField(field, item, text, () => member(name).start, depth + 1);
  }
  return message;
}

function decodeField(field: Field, value: unknown, text: ByteString, locate: Locate, depth: number): unknown {
  const { type } = field;
  const decode = (item: unknown, at: Locate) =>
    typeof type === 'string' ? scalar(type, item) : decodeObject(type, item, text, at, depth);
  if (field.shape === 'one') return decode(value, locate);
  if (field.shape === 'list') {
    if (!Array.isArray(value)) throw new Malformed();
    let spans: ReturnType<typeof itemSpans> | undefined;
    return value.map((item: unknown, i) =>
      decode(item, () => {
        spans ??= itemSpans(text, locate());
        return spans[i]!.start;
      }),
    );
  }
  if (!isObject(value)) throw new Malformed();
  return new Map(
    Object.keys(value).map((key) => [key, decode(value[key], () => memberSpan(text, locate(), key, true)!.start)]),
  );
}

/**
 * Decodes one JSON message. Keys match in any case, unknown keys are skipped, `null` is absence, a wrong type makes it malformed.
 * @param text its bytes
 * @returns the message, or `undefined` if it is malformed
 */
export function decodeJson<S extends Schema>(schema: S, text: ByteString): Decoded<S> | undefined {
  try {
    // Strings are parsed from the text as UTF-8; positions are looked up in its bytes. For ASCII both are the same.
    const value: unknown = JSON.parse(isAscii(text) ? text : utf8Text(text));
    return decodeObject(schema, value, text, () => skipSpace(text, 0), 0) as Decoded<S>;
  } catch (error) {
    if (error instanceof Malformed || error instanceof SyntaxError) return undefined;
    throw error;
  }
}

function encodeValue(type: Scalar | Schema, value: unknown): ByteString {
  if (typeof type !== 'string') return encodeJson(type, value as Message<typeof type>);
  // From Protobuf and base64 they come as they were.
  if (type === 'bytes') return onOneLine(value as string);
  return type === 'string' ? jsonString(value as string) : String(value);
}

function encodeField(field: Field, value: unknown): ByteString | undefined {
  if (field.shape === 'list') {
    const items = (value as readonly unknown[] | undefined) ?? [];
    if (items.length === 0 && !field.always) return undefined;
    return `[${items.map((item) => encodeValue(field.type, item)).join(',')}]`;
  }
  if (field.shape === 'map') {
    const entries = (value as ReadonlyMap<string, unknown> | undefined) ?? new Map<string, unknown>();
    if (entries.size === 0 && !field.always) return undefined;
    return `{${[...entries].map(([key, item]) => `${jsonString(key)}:${encodeValue(field.type, item)}`).join(',')}}`;
  }
  if (value === undefined) return field.always ? encodeValue(field.type, zero(field)) : undefined;
  if (!field.always && (value === '' || value === 0 || value === false)) return undefined;
  return encodeValue(field.type, value);
}

/** Encodes a message as JSON bytes, fields in the order of the schema, empty ones left out. */
export function encodeJson<S extends Schema>(schema: S, message: Message<S>): ByteString {
  let members = '';
  for (const [name, field] of prepare(schema).fields.values()) {
    const text = encodeField(field, message[name]);
    if (text !== undefined) members += `${members ? ',' : ''}"${name}":${text}`;
  }
  return `{${members}}`;
}
