import { type ByteString, utf8Bytes, utf8Text } from './byte-string.ts';
import type { Decoded, Field, Message, Scalar, Schema } from './schema.ts';

/**
 * Protobuf over the schema that JSON uses too. Wire format: https://protobuf.dev/programming-guides/encoding/
 */

const VARINT = 0;
const FIXED_64 = 1;
const LENGTH = 2;
const GROUP = 3;
const END_OF_GROUP = 4;
const FIXED_32 = 5;

/** Messages nest no deeper than this, but for filters, which could nest without end. */
const MAX_DEPTH = 64;

/** Thrown inside a decoder, and caught by it. */
class Malformed extends Error {}

/** Reads bytes from the front. */
export class ProtobufReader {
  readonly #bytes: ByteString;
  #at: number;
  readonly #end: number;

  constructor(bytes: ByteString, at = 0, end = bytes.length) {
    this.#bytes = bytes;
    this.#at = at;
    this.#end = end;
  }

  get isAtEnd(): boolean {
    return this.#at >= this.#end;
  }

  /** A number of up to 64 bits. */
  varint(): bigint {
    let value = 0n;
    for (let shift = 0n; shift < 70n; shift += 7n) {
      if (this.#at >= this.#end) throw new Malformed();
      const byte = this.#bytes.charCodeAt(this.#at++);
      value |= BigInt(byte & 127) << shift;
      if (byte < 128) return value;
    }
    throw new Malformed();
  }

  /** A number that fits into 32 bits, as tags and lengths do. */
  small(): number {
    let value = 0;
    for (let factor = 1; factor < 2 ** 35; factor *= 128) {
      if (this.#at >= this.#end) throw new Malformed();
      const byte = this.#bytes.charCodeAt(this.#at++);
      value += (byte & 127) * factor;
      if (byte < 128) return value;
    }
    throw new Malformed();
  }

  /** The next bytes, as many as they say themselves. */
  chunk(): ProtobufReader {
    const start = this.#skipped(this.small());
    return new ProtobufReader(this.#bytes, start, this.#at);
  }

  /** All that is left. */
  rest(): ByteString {
    return this.#bytes.slice(this.#at, this.#end);
  }

  /** Passes over a value. */
  skip(wireType: number): void {
    if (wireType === VARINT) this.varint();
    else if (wireType === FIXED_64) this.#skipped(8);
    else if (wireType === LENGTH) this.#skipped(this.small());
    else if (wireType === FIXED_32) this.#skipped(4);
    else if (wireType === GROUP) this.#skipGroup();
    else throw new Malformed();
  }

  /** Passes over a group, an old form of nested message that ends with a mark of its own. */
  #skipGroup(): void {
    for (let depth = 1; depth > 0; ) {
      const wireType = this.small() % 8;
      if (wireType === GROUP) depth++;
      else if (wireType === END_OF_GROUP) depth--;
      else this.skip(wireType);
    }
  }

  #skipped(count: number): number {
    const start = this.#at;
    if (count > this.#end - start) throw new Malformed();
    this.#at += count;
    return start;
  }
}

interface Prepared {
  readonly fields: ReadonlyMap<number, readonly [name: string, field: Field]>;
  readonly byName: readonly (readonly [name: string, field: Field])[];
}

const preparedSchemas = new WeakMap<Schema, Prepared>();
function prepare(schema: Schema): Prepared {
  let prepared = preparedSchemas.get(schema);
  if (!prepared) {
    const byName = Object.keys(schema).map((name) => [name, schema[name]!] as const);
    prepared = { byName, fields: new Map(byName.map((entry) => [entry[1].number, entry])) };
    preparedSchemas.set(schema, prepared);
  }
  return prepared;
}

function isLengthType(type: Scalar | Schema): boolean {
  return typeof type !== 'string' || type === 'string' || type === 'bytes';
}

function zero(field: Field): unknown {
  if (field.shape === 'list') return [];
  if (field.shape === 'map') return new Map();
  if (typeof field.type !== 'string' || field.type === 'bytes') return undefined;
  return field.type === 'string' ? '' : field.type === 'bool' ? false : 0;
}

/** 32-bit numbers keep their low bits, signed ones are two's complements, `sint64` is zigzag. Past 2^53 they lose their last digits. */
function readNumber(type: Scalar, raw: bigint): number | boolean {
  const value = BigInt.asUintN(64, raw);
  if (type === 'bool') return value !== 0n;
  if (type === 'uint32') return Number(BigInt.asUintN(32, value));
  if (type === 'int32') return Number(BigInt.asIntN(32, value));
  if (type === 'int64') return Number(BigInt.asIntN(64, value));
  if (type === 'sint64') return Number(value & 1n ? -(value >> 1n) - 1n : value >> 1n);
  return Number(value);
}

/** @param before the same field as it came before: messages are merged, anything else is replaced */
function decodeValue(type: Scalar | Schema, reader: ProtobufReader, depth: number, before?: unknown): unknown {
  if (!isLengthType(type)) return readNumber(type as Scalar, reader.varint());
  const chunk = reader.chunk();
  if (typeof type !== 'string') return decodeMessage(type, chunk, depth + 1, before as Fields | undefined);
  return type === 'string' ? utf8Text(chunk.rest()) : chunk.rest();
}

function decodeEntry(type: Scalar | Schema, reader: ProtobufReader, depth: number): [string, unknown] {
  const entry = { key: { number: 1, type: 'string', shape: 'one' }, value: { number: 2, type, shape: 'one' } } as const;
  const { key, value } = decodeMessage(entry, reader.chunk(), depth + 1);
  if (value !== undefined) return [key as string, value];
  return [key as string, typeof type === 'string' ? '' : decodeMessage(type, new ProtobufReader(''), depth + 1)];
}

type Fields = Record<string, unknown>;

function empty({ byName }: Prepared): Fields {
  const message: Fields = {};
  for (const [name, field] of byName) message[name] = zero(field);
  return message;
}

function decodeMessage(schema: Schema, reader: ProtobufReader, depth: number, before?: Fields): Fields {
  if (depth > MAX_DEPTH) throw new Malformed();
  const prepared = prepare(schema);
  const { fields } = prepared;
  const message = before ?? empty(prepared);
  while (!reader.isAtEnd) {
    const tag = reader.small();
    const wireType = tag % 8;
    const number = Math.floor(tag / 8);
    if (number === 0 || number >= 2 ** 29) throw new Malformed();
    const [name, field] = fields.get(number) ?? [];
    if (name === undefined || field === undefined) {
      reader.skip(wireType);
      continue;
    }
    const isLength = field.shape === 'map' || isLengthType(field.type);
    if (wireType !== (isLength ? LENGTH : VARINT)) throw new Malformed();
    if (field.shape === 'one') message[name] = decodeValue(field.type, reader, depth, message[name]);
    else if (field.shape === 'list') (message[name] as unknown[]).push(decodeValue(field.type, reader, depth));
    else (message[name] as Map<string, unknown>).set(...decodeEntry(field.type, reader, depth));
  }
  return message;
}

/** Decodes one message, or says `undefined` where it is malformed. */
export function decodeProtobuf<S extends Schema>(schema: S, reader: ProtobufReader): Decoded<S> | undefined {
  return attempt(() => decodeMessage(schema, reader, 0) as Decoded<S>);
}

/** The next message of several that say their length; `undefined` where it is cut short. */
export function nextChunk(reader: ProtobufReader): ProtobufReader | undefined {
  return attempt(() => reader.chunk());
}

function attempt<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    if (error instanceof Malformed) return undefined;
    throw error;
  }
}

/** A number of up to 64 bits; negative ones as two's complement. */
function varint(value: number): ByteString {
  if (value < 0) return bigVarint(BigInt.asUintN(64, BigInt(value)));
  let bytes = '';
  let rest = value;
  for (; rest > 127; rest = Math.floor(rest / 128)) bytes += String.fromCharCode((rest % 128) | 128);
  return bytes + String.fromCharCode(rest);
}

function bigVarint(value: bigint): ByteString {
  let bytes = '';
  let rest = value;
  for (; rest > 127n; rest >>= 7n) bytes += String.fromCharCode(Number(rest & 127n) | 128);
  return bytes + String.fromCharCode(Number(rest));
}

/** Bytes that say their length. */
export function delimited(bytes: ByteString): ByteString {
  return varint(bytes.length) + bytes;
}

function encodeValue(type: Scalar | Schema, value: unknown): ByteString {
  if (typeof type !== 'string') return delimited(encodeProtobuf(type, value as Message<typeof type>));
  if (type === 'string') return delimited(utf8Bytes(value as string));
  if (type === 'bytes') return delimited(value as string);
  if (type === 'sint64') return varint((value as number) < 0 ? -2 * (value as number) - 1 : 2 * (value as number));
  return varint(Number(value));
}

function encodeField({ number, type, shape }: Field, value: unknown): ByteString {
  const tag = varint(number * 8 + (shape === 'map' || isLengthType(type) ? LENGTH : VARINT));
  if (shape === 'list') return (value as readonly unknown[]).map((item) => tag + encodeValue(type, item)).join('');
  if (shape === 'one') return tag + encodeValue(type, value);
  const valueTag = varint(16 + (isLengthType(type) ? LENGTH : VARINT));
  return [...(value as ReadonlyMap<string, unknown>)]
    .map(([key, item]) => tag + delimited(`\x0a${delimited(utf8Bytes(key))}${valueTag}${encodeValue(type, item)}`))
    .join('');
}

/** Encodes a message, fields in the order of the schema, empty ones left out. */
export function encodeProtobuf<S extends Schema>(schema: S, message: Message<S>): ByteString {
  let bytes = '';
  for (const [name, field] of prepare(schema).byName) {
    const value: unknown = message[name];
    const isBytes = field.type === 'bytes';
    if (value === undefined || (!isBytes && (value === '' || value === 0 || value === false))) continue;
    bytes += encodeField(field, value);
  }
  return bytes;
}
