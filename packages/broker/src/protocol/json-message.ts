import { type ByteString, isAscii, jsonString, utf8Text } from './byte-string.ts';
import { cut, itemSpans, memberSpan, onOneLine, skipSpace, valueEnd } from './json-scan.ts';
import type { Decoded, Field, Message, Scalar, Schema } from './schema.ts';

/** Thrown inside a decoder for a value of the wrong type, and caught by it. */
class Malformed extends Error {}

/** A schema made ready for use. */
interface Prepared {
  readonly fields: ReadonlyMap<string, { readonly name: string; readonly field: Field }>;
  /** A message without anything; decoding begins with a copy. */
  readonly empty: Readonly<Record<string, unknown>>;
}

const preparedSchemas = new WeakMap<Schema, Prepared>();
function prepare(schema: Schema): Prepared {
  let prepared = preparedSchemas.get(schema);
  if (!prepared) {
    const entries = Object.keys(schema).map((name) => ({ name, field: schema[name]! }));
    prepared = {
      fields: new Map(entries.map((entry) => [entry.name, entry])),
      empty: Object.fromEntries(entries.map(({ name, field }) => [name, zero(field)])),
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
  if (typeof field.type !== 'string' || field.type === 'bytes' || field.type === 'json') return undefined;
  return field.type === 'string' ? '' : field.type === 'bool' ? false : 0;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** A text that may hold a number with a fraction or an exponent. */
const MAY_HAVE_FLOATS = /[0-9][.eE]/;

/** Whether a number is written as a whole one of at most 64 bits: `1.0` and `1e0` are none, and past 2^53 the parsed value does not tell. */
function isWritten(type: Scalar, digits: ByteString): boolean {
  if (!/^-?\d+$/.test(digits)) return false;
  const value = BigInt(digits);
  return value === (type === 'uint64' ? BigInt.asUintN(64, value) : BigInt.asIntN(64, value));
}

/** @param place of the value, or of the object that it is the member `name` of */
function scalar(type: Scalar, value: unknown, place: Place, name?: string): unknown {
  if (type === 'json') return value;
  const range = RANGES[type];
  if (range) {
    const number = value as number;
    const isInRange = Number.isInteger(value) && number >= range[0] && number <= range[1];
    const isClear = Number.isSafeInteger(value) && !place.mayHaveFloats;
    if (isInRange && (isClear || isWritten(type, (name === undefined ? place : place.inside(name)).word))) return value;
  } else if (typeof value === (type === 'bool' ? 'boolean' : 'string')) return value;
  throw new Malformed();
}

/** Where a value stands in the text: looked up only if `bytes` are in it, which are cut out and not rebuilt. */
class Place {
  readonly #text: ByteString;
  readonly #parent: Place | undefined;
  readonly #key: string | number;
  readonly #isEntry: boolean;
  #start = -1;
  #items: ReturnType<typeof itemSpans> | undefined = undefined;

  constructor(text: ByteString, parent?: Place, key: string | number = '', isEntry = false) {
    this.#text = text;
    this.#parent = parent;
    this.#key = key;
    this.#isEntry = isEntry;
  }

  /** The place of a field, an item, or an entry of a map, whose case counts. */
  inside(key: string | number, isEntry = false): Place {
    return new Place(this.#text, this, key, isEntry);
  }

  get mayHaveFloats(): boolean {
    return MAY_HAVE_FLOATS.test(this.#text);
  }

  /** The text of a number, `true`, `false` or `null`. */
  get word(): ByteString {
    return this.#text.slice(this.#at, valueEnd(this.#text, this.#at));
  }

  get #at(): number {
    if (this.#start < 0) {
      const parent = this.#parent;
      this.#start = parent ? parent.#find(this.#key, this.#isEntry) : skipSpace(this.#text, 0);
    }
    return this.#start;
  }

  #find(key: string | number, isEntry: boolean): number {
    if (typeof key === 'string') return memberSpan(this.#text, this.#at, key, isEntry)!.start;
    this.#items ??= itemSpans(this.#text, this.#at);
    return this.#items[key]!.start;
  }

  /** The raw text of a member. */
  cut(name: string): ByteString {
    return cut(this.#text, memberSpan(this.#text, this.#at, name)!);
  }
}

/** Messages nest no deeper than this, but for filters, which could nest without end. */
const MAX_DEPTH = 64;

function decodeObject(schema: Schema, value: unknown, place: Place, depth: number): Record<string, unknown> {
  if (depth > MAX_DEPTH) throw new Malformed();
  const { fields, empty } = prepare(schema);
  const message: Record<string, unknown> = { ...empty };
  if (value === null) return message;
  if (!isObject(value)) throw new Malformed();
  for (const key of Object.keys(value)) {
    const entry = fields.get(key) ?? fields.get(key.toLowerCase());
    if (entry === undefined) continue;
    const { name, field } = entry;
    const { type } = field;
    const item = value[key];
    if (type === 'bytes') message[name] = place.cut(name);
    else if (item === null && type !== 'json') message[name] = zero(field);
    else if (field.shape === 'one' && typeof type === 'string') message[name] = scalar(type, item, place, name);
    else message[name] = decodeField(field, item, place.inside(name), depth + 1);
  }
  return message;
}

function decodeField({ type, shape }: Field, value: unknown, place: Place, depth: number): unknown {
  const decode = (item: unknown, at: Place) =>
    typeof type === 'string' ? scalar(type, item, at) : decodeObject(type, item, at, depth);
  if (shape === 'one') return decode(value, place);
  if (shape === 'list') {
    if (!Array.isArray(value)) throw new Malformed();
    return value.map((item: unknown, i) => decode(item, place.inside(i)));
  }
  if (!isObject(value)) throw new Malformed();
  return new Map(Object.keys(value).map((key) => [key, decode(value[key], place.inside(key, true))]));
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
    return decodeObject(schema, value, new Place(text), 0) as Decoded<S>;
  } catch (error) {
    if (error instanceof Malformed || error instanceof SyntaxError) return undefined;
    throw error;
  }
}

/** How texts are written. */
type WriteString = (text: string) => ByteString;

function encodeValue(type: Scalar | Schema, value: unknown, string: WriteString): ByteString {
  if (typeof type !== 'string') return encodeJson(type, value as Message<typeof type>, string);
  // From Protobuf and base64 they come as they were.
  if (type === 'bytes') return onOneLine(value as string);
  return type === 'string' ? string(value as string) : String(value);
}

function encodeField(field: Field, value: unknown, string: WriteString): ByteString | undefined {
  if (field.shape === 'list') {
    const items = (value as readonly unknown[] | undefined) ?? [];
    if (items.length === 0 && !field.always) return undefined;
    return `[${items.map((item) => encodeValue(field.type, item, string)).join(',')}]`;
  }
  if (field.shape === 'map') {
    const entries = (value as ReadonlyMap<string, unknown> | undefined) ?? new Map<string, unknown>();
    if (entries.size === 0 && !field.always) return undefined;
    return `{${[...entries].map(([key, item]) => `${string(key)}:${encodeValue(field.type, item, string)}`).join(',')}}`;
  }
  if (value === undefined) return field.always ? encodeValue(field.type, zero(field), string) : undefined;
  if (!field.always && (value === '' || value === 0 || value === false)) return undefined;
  return encodeValue(field.type, value, string);
}

/** Encodes a message as JSON bytes, fields in the order of the schema, empty ones left out. */
export function encodeJson<S extends Schema>(
  schema: S,
  message: Message<S>,
  string: WriteString = jsonString,
): ByteString {
  let members = '';
  for (const { name, field } of prepare(schema).fields.values()) {
    const text = encodeField(field, message[name], string);
    if (text !== undefined) members += `${members ? ',' : ''}"${name}":${text}`;
  }
  return `{${members}}`;
}
