import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { utf8Bytes } from './byte-string.ts';
import { protobufEncoding } from './protobuf-encoding.ts';
import { decodeProtobuf, encodeProtobuf, ProtobufReader } from './protobuf-message.ts';
import { Command, ConnectRequest, list, map, one, Publication } from './schema.ts';

const bytes = (...values: number[]) => Buffer.from(values);
const decode = (frame: Buffer) => protobufEncoding.decodeFrame(frame);
const text = fc.string({ unit: 'binary' });
const raw = fc.uint8Array().map((array) => Buffer.from(array).toString('latin1'));

/** One field of every type. */
const ALL = {
  text: one(1, 'string'),
  flag: one(2, 'bool'),
  u32: one(3, 'uint32'),
  u64: one(4, 'uint64'),
  i32: one(5, 'int32'),
  i64: one(6, 'int64'),
  s64: one(7, 'sint64'),
  raw: one(8, 'bytes'),
  inner: one(9, { text: one(1, 'string') }),
  texts: list(10, 'string'),
  names: map(11, 'string'),
  inners: map(12, { u32: one(1, 'uint32') }),
  far: one(2000, 'string'),
};

describe('Protobuf', () => {
  it('reads back what it writes, for every type of field', () => {
    const message = fc.record({
      text,
      flag: fc.boolean(),
      u32: fc.nat(2 ** 32 - 1),
      u64: fc.maxSafeNat(),
      i32: fc.integer(),
      i64: fc.maxSafeInteger(),
      s64: fc.integer(),
      raw,
      inner: fc.record({ text }),
      texts: fc.array(text),
      names: fc.array(fc.tuple(text, text)).map((pairs) => new Map(pairs)),
      inners: fc.array(fc.tuple(text, fc.record({ u32: fc.nat() }))).map((pairs) => new Map(pairs)),
      far: text,
    });
    fc.assert(
      fc.property(message, (value) => {
        expect(decodeProtobuf(ALL, new ProtobufReader(encodeProtobuf(ALL, value)))).toEqual(value);
      }),
    );
  });

  // Computed by hand from the description of the wire format.
  it.each<[string, Record<string, unknown>, number[]]>([
    ['a small number', { u32: 1 }, [0x18, 1]],
    ['a number of two bytes', { u32: 300 }, [0x18, 0xac, 2]],
    ['a negative number', { i32: -1 }, [0x28, 255, 255, 255, 255, 255, 255, 255, 255, 255, 1]],
    ['zigzag', { s64: -2 }, [0x38, 3]],
    ['a text', { text: 'é' }, [0x0a, 2, 0xc3, 0xa9]],
    ['an empty message', { inner: {} }, [0x4a, 0]],
    ['empty bytes', { raw: '' }, [0x42, 0]],
    ['a map', { names: new Map([['a', 'b']]) }, [0x5a, 6, 0x0a, 1, 97, 0x12, 1, 98]],
    ['nothing', { text: '', flag: false, u32: 0, texts: [], names: new Map() }, []],
  ])('writes %s', (_name, message, expected) => {
    expect([...Buffer.from(encodeProtobuf(ALL, message), 'latin1')]).toEqual(expected);
  });

  it('never throws, whatever comes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (array) => {
        const { commands, isMalformed } = decode(Buffer.from(array));
        expect(commands.length > 0 || isMalformed).toBe(true);
      }),
      { numRuns: 2000 },
    );
  });

  it('never throws on good frames with a byte changed, cut or doubled', () => {
    const good = Buffer.from(
      protobufEncoding.encodeReply({ id: 7, publish: {} }) +
        `\x20${encodeProtobuf(Command, { id: 9, subscribe: { channel: 'open:1', offset: 5, epoch: 'x' } }).padEnd(32, '\x18\x01')}`,
      'latin1',
    );
    fc.assert(
      fc.property(fc.nat(good.length - 1), fc.nat(255), fc.nat(good.length), (at, byte, cut) => {
        const changed = Buffer.from(good);
        changed[at] = byte;
        decode(changed);
        decode(good.subarray(0, cut));
        decode(Buffer.concat([good, good.subarray(cut)]));
      }),
    );
  });

  it.each<[string, Buffer]>([
    ['nothing', bytes()],
    ['a length without a message', bytes(5)],
    ['a length that is too large', bytes(255, 255, 255, 255, 15, 8)],
    ['a length that never ends', bytes(255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255)],
    ['a number that is cut short', bytes(2, 8, 255)],
    ['field number 0', bytes(2, 0, 1)],
    ['a wire type that is none', bytes(2, 0x0e, 1)],
    ['the start of a group', bytes(2, 0x0b, 1)],
    ['a text where a number stands', bytes(3, 0x0a, 1, 97)],
    ['an inner message that is longer than the outer', bytes(2, 0x22, 9)],
  ])('says that %s is malformed', (_name, frame) => {
    expect(decode(frame)).toEqual({ commands: [], isMalformed: true });
  });

  it('reads several commands of a frame, up to the first that is malformed', () => {
    const { commands, isMalformed } = decode(bytes(0, 2, 8, 7, 2, 0, 1));
    expect(commands.map(({ id }) => id)).toEqual([0, 7]);
    expect(isMalformed).toBe(true);
  });

  it('passes over fields that it does not know, of every wire type', () => {
    const unknown = [
      0x80 | 0x20,
      0x7d,
      1,
      0xa1,
      0x7d,
      1,
      2,
      3,
      4,
      5,
      6,
      7,
      8,
      0xa2,
      0x7d,
      1,
      9,
      0xa5,
      0x7d,
      1,
      2,
      3,
      4,
    ];
    const { commands } = decode(bytes(unknown.length + 2, ...unknown, 8, 7));
    expect(commands.map(({ id }) => id)).toEqual([7]);
  });

  it('does not nest without end', () => {
    let filter = Buffer.from(encodeProtobuf(ConnectRequest, {}), 'latin1');
    for (let i = 0; i < 500; i++) filter = Buffer.concat([bytes(0x32, ...varint(filter.length)), filter]);
    const subscribe = Buffer.concat([bytes(0x6a, ...varint(filter.length)), filter]);
    const command = Buffer.concat([bytes(8, 2, 0x2a, ...varint(subscribe.length)), subscribe]);
    expect(decode(Buffer.concat([bytes(...varint(command.length)), command])).isMalformed).toBe(true);
  });

  it('keeps maps apart from prototypes', () => {
    const message = encodeProtobuf(ConnectRequest, { headers: new Map([['__proto__', 'x']]) });
    expect([...decodeProtobuf(ConnectRequest, new ProtobufReader(message))!.headers]).toEqual([['__proto__', 'x']]);
  });

  it('writes a publication on the fast path as the schema says', () => {
    const stored = fc.record({
      data: raw,
      offset: fc.nat(),
      epoch: fc.constantFrom('', 'abcdEFGH'),
      info: fc.option(fc.record({ user: text, client: text, conn_info: fc.option(raw, { nil: undefined }) }), {
        nil: undefined,
      }),
      tags: fc.option(
        fc.array(fc.tuple(text, text)).map((pairs) => new Map(pairs)),
        { nil: undefined },
      ),
      version: fc.nat(3),
      timeMs: fc.nat(),
      isDelta: fc.boolean(),
      isJson: fc.boolean(),
    });
    fc.assert(
      fc.property(text, stored, (channel, publication) => {
        const { timeMs: _time, isJson: _isJson, isDelta, ...pub } = publication;
        expect(protobufEncoding.encodePublication(channel, publication)).toBe(
          protobufEncoding.encodePush({ channel, pub: { ...pub, delta: isDelta } }),
        );
        const plain = decodeProtobuf(Publication, new ProtobufReader(encodeProtobuf(Publication, pub)));
        expect(plain?.data).toBe(pub.data);
      }),
    );
  });

  it('writes texts in UTF-8', () => {
    expect(encodeProtobuf(ALL, { text: '日😀' })).toBe(`\x0a\x07${utf8Bytes('日😀')}`);
  });
});

function varint(value: number): number[] {
  return value < 128 ? [value] : [(value & 127) | 128, ...varint(value >> 7)];
}
