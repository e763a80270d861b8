import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { utf8Bytes, utf8Text } from './byte-string.ts';
import { jsonEncoding } from './json-encoding.ts';
import { decodeJson, encodeJson } from './json-message.ts';
import { cut, itemSpans, memberSpan, skipSpace, valueEnd } from './json-scan.ts';
import { Command, Publication, Reply } from './schema.ts';

const decode = (text: string) => jsonEncoding.decodeFrame(Buffer.from(text));

describe('decoding', () => {
  it('never throws, whatever comes', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.json(),
          fc.uint8Array().map((bytes) => Buffer.from(bytes).toString('latin1')),
        ),
        (text) => {
          const { commands, isMalformed } = jsonEncoding.decodeFrame(Buffer.from(text, 'latin1'));
          expect(commands.length > 0 || isMalformed).toBe(true);
        },
      ),
      { numRuns: 1000 },
    );
  });

  it('never throws on commands with a value of any type anywhere', () => {
    const names = fc.constantFrom(...Object.keys(Command), '__proto__', 'constructor', 'toString');
    const inner = fc.constantFrom(
      'channel',
      'token',
      'data',
      'since',
      'subs',
      'headers',
      'limit',
      'offset',
      'tf',
      '__proto__',
    );
    const value = fc.oneof(fc.jsonValue(), fc.dictionary(inner, fc.jsonValue({ maxDepth: 2 })));
    fc.assert(
      fc.property(fc.array(fc.tuple(names, value), { maxLength: 5 }), (members) => {
        const text = `{${members.map(([name, item]) => `${JSON.stringify(name)}:${JSON.stringify(item)}`).join(',')}}`;
        const { commands } = decode(text);
        for (const command of commands) {
          expect(Object.keys(command).sort()).toEqual(Object.keys(Command).sort());
          expect(Object.getPrototypeOf(command)).toBe(Object.prototype);
        }
      }),
      { numRuns: 1000 },
    );
  });

  it.each([
    ['open lists', '['.repeat(60_000)],
    ['open objects', '{"a":'.repeat(10_000)],
    ['deep lists', `{"id":1,"rpc":{"data":${'['.repeat(30_000)}${']'.repeat(30_000)}}}`],
    ['a text that never ends', `{"id":1,"rpc":{"method":"${'\\'.repeat(60_000)}`],
    ['many backslashes', `{"id":1,"rpc":{"data":"${'\\\\'.repeat(30_000)}"}}`],
    ['many quotes', `{"id":1,"rpc":{"data":"${'\\"'.repeat(30_000)}"}}`],
    ['many line feeds', '\n'.repeat(65_000)],
    ['many members', `{${Array.from({ length: 5000 }, (_, i) => `"${i}":${i}`).join()}}`],
  ])('takes %s in good time', (_name, text) => {
    expect(decode(text).commands.length).toBeLessThanOrEqual(1);
  });

  it('cuts data out as it stands, at any depth of names and values', () => {
    fc.assert(
      fc.property(fc.json(), fc.json(), fc.string(), (data, other, name) => {
        const text = `{"id":1, "publish" : {${JSON.stringify(`x${name}`)}:${other},"data": ${data} ,"channel":"é"}}`;
        const [command] = decode(text).commands;
        expect(utf8Text(command!.publish!.data!)).toBe(data);
        expect(command!.publish!.channel).toBe('é');
      }),
    );
  });

  it('reads texts with escapes and without as the same', () => {
    const [plain] = decode('{"id":1,"subscribe":{"channel":"é日😀"}}').commands;
    const [escaped] = decode(String.raw`{"id":1,"subscribe":{"channel":"\u00e9\u65e5\ud83d\ude00"}}`).commands;
    expect(plain!.subscribe!.channel).toBe('é日😀');
    expect(escaped!.subscribe!.channel).toBe('é日😀');
  });

  it('keeps maps apart from prototypes', () => {
    const [command] = decode(
      '{"id":1,"connect":{"headers":{"__proto__":"x","a":"b"},"subs":{"__proto__":{"offset":7}}}}',
    ).commands;
    expect([...command!.connect!.headers]).toEqual([
      ['__proto__', 'x'],
      ['a', 'b'],
    ]);
    expect(command!.connect!.subs.get('__proto__')!.offset).toBe(7);
  });
});

describe('scanning', () => {
  it('finds every member and item of any JSON', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.jsonValue()), fc.array(fc.jsonValue()), (dictionary, array) => {
        // Through JSON once, which knows no -0.
        const object: Record<string, unknown> = JSON.parse(JSON.stringify(dictionary));
        const list: unknown[] = JSON.parse(JSON.stringify(array));
        const text = utf8Bytes(JSON.stringify(object, null, 1));
        for (const [name, value] of Object.entries(object))
          expect(JSON.parse(utf8Text(cut(text, memberSpan(text, 0, name, true)!)))).toEqual(value);
        const items = utf8Bytes(` ${JSON.stringify(list)} `);
        const start = skipSpace(items, 0);
        expect(itemSpans(items, start).map((span) => JSON.parse(utf8Text(cut(items, span))))).toEqual(list);
        expect(valueEnd(items, start)).toBe(items.length - 1);
      }),
    );
  });
});

describe('encoding', () => {
  const text = fc.string({ unit: 'binary' });

  it('of a publication on the fast path is that of the schema', () => {
    const info = fc.option(
      fc.record({ user: text, client: text, conn_info: fc.option(fc.json().map(utf8Bytes), { nil: undefined }) }),
      { nil: undefined },
    );
    const stored = fc.record({
      data: fc.json().map(utf8Bytes),
      offset: fc.nat(),
      epoch: fc.constantFrom('', 'abcdEFGH'),
      info,
      tags: fc.option(
        fc.array(fc.tuple(text, text)).map((pairs) => new Map(pairs)),
        { nil: undefined },
      ),
      version: fc.nat(3),
      timeMs: fc.nat(),
      isJson: fc.constant(true),
    });
    fc.assert(
      fc.property(text, stored, (channel, publication) => {
        const { timeMs: _time, isJson: _isJson, ...pub } = publication;
        const fast = jsonEncoding.encodePublication(channel, publication);
        expect(fast).toBe(channel === '' ? fast : jsonEncoding.encodePush({ channel, pub }));
      }),
    );
  });

  it('of the results of connecting and subscribing is that of the schema', () => {
    const optional = <T>(value: fc.Arbitrary<T>) => fc.option(value, { nil: undefined });
    const json = optional(fc.json().map((data) => `\n${utf8Bytes(data)}`));
    const publication = fc.record({
      data: fc.json().map(utf8Bytes),
      info: optional(fc.record({ user: text, client: text, chan_info: json })),
      offset: fc.nat(3),
      tags: optional(fc.array(fc.tuple(text, text)).map((pairs) => new Map(pairs))),
      delta: optional(fc.boolean()),
      epoch: fc.constantFrom('', 'abcdEFGH'),
      version: fc.nat(3),
    });
    const subscribe = fc.record(
      {
        expires: fc.boolean(),
        ttl: fc.nat(2),
        recoverable: fc.boolean(),
        epoch: text,
        publications: fc.array(publication, { maxLength: 3 }),
        recovered: fc.boolean(),
        offset: fc.nat(3),
        positioned: fc.boolean(),
        data: json,
        was_recovering: fc.boolean(),
        delta: fc.boolean(),
      },
      { requiredKeys: [] },
    );
    const connect = fc.record(
      {
        client: text,
        version: text,
        expires: fc.boolean(),
        ttl: fc.nat(2),
        data: json,
        subs: fc.array(fc.tuple(text, subscribe), { maxLength: 3 }).map((pairs) => new Map(pairs)),
        ping: fc.nat(2),
        pong: fc.boolean(),
        session: text,
        node: text,
        time: fc.nat(2),
      },
      { requiredKeys: [] },
    );
    fc.assert(
      fc.property(fc.nat(2), connect, subscribe, (id, connectResult, subscribeResult) => {
        for (const reply of [
          { id, connect: connectResult },
          { id, subscribe: subscribeResult },
        ])
          expect(jsonEncoding.encodeReply(reply)).toBe(encodeJson(Reply, reply));
      }),
    );
  });

  it('is one line, whatever white space Protobuf or base64 brought', () => {
    const pretty = fc.json().map((json) => `\n${JSON.stringify(JSON.parse(json), null, 2)}\r\n`);
    fc.assert(
      fc.property(pretty, (data) => {
        const rest = { info: undefined, tags: undefined, version: 0 };
        const publication = { ...rest, data, offset: 1, epoch: '', timeMs: 0, isJson: true };
        const fast = jsonEncoding.encodePublication('c', publication);
        expect(fast).not.toContain('\n');
        expect(fast).toBe(jsonEncoding.encodePush({ channel: 'c', pub: { data, offset: 1 } }));
        expect(JSON.parse(fast).push.pub.data).toEqual(JSON.parse(data));
      }),
    );
  });

  it('leaves out what is empty, and keeps what must stand', () => {
    expect(
      encodeJson(Reply, { id: 1, subscribe: { recoverable: false, offset: 0, epoch: '', publications: [] } }),
    ).toBe('{"id":1,"subscribe":{}}');
    expect(encodeJson(Reply, { id: 1, history: {} })).toBe(
      '{"id":1,"history":{"publications":[],"epoch":"","offset":0}}',
    );
    expect(encodeJson(Reply, { id: 1, presence_stats: {} })).toBe(
      '{"id":1,"presence_stats":{"num_clients":0,"num_users":0}}',
    );
  });

  it('is read back as what it was', () => {
    fc.assert(
      fc.property(text, fc.nat(), fc.array(fc.tuple(text, text)), fc.json(), (epoch, offset, pairs, data) => {
        const message = { epoch, offset, tags: new Map(pairs), data: utf8Bytes(data) };
        expect(decodeJson(Publication, encodeJson(Publication, message))).toMatchObject(message);
      }),
    );
  });
});
