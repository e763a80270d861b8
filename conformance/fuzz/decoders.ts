/**
 * `pnpm fuzz decoders [--seconds 60] [--seed N]`: feeds the embedded broker's decoders with mutated frames, and keeps those that reach new code to mutate them
 * further. A decoder must not throw, must read the same however the bytes arrive, and must not take long.
 */
import { randomInt } from 'node:crypto';
import { parseArgs } from 'node:util';
import { WebSocketReader } from '../../packages/broker/src/edges/websocket-reader.ts';
import * as api from '../../packages/broker/src/protocol/api-schema.ts';
import { jsonBytes } from '../../packages/broker/src/protocol/byte-string.ts';
import { jsonEncoding } from '../../packages/broker/src/protocol/json-encoding.ts';
import { decodeJson } from '../../packages/broker/src/protocol/json-message.ts';
import { protobufEncoding } from '../../packages/broker/src/protocol/protobuf-encoding.ts';
import { Coverage } from './coverage.ts';

const MAX_BYTES = 4096;
/** A frame of this size is read in well under a millisecond. */
const SLOW_MS = 2_000;

function readFrames(parts: readonly Buffer[]): string {
  const events: string[] = [];
  const reader = new WebSocketReader(1000, {
    onMessage: (payload) => events.push(`message ${payload.toString('hex')}`),
    onPing: (payload) => events.push(`ping ${payload.toString('hex')}`),
    onPong: () => events.push('pong'),
    onClosed: (code) => events.push(`closed ${code}`),
    onBreach: (code) => events.push(`breach ${code}`),
  });
  for (const part of parts) reader.read(Buffer.from(part));
  return events.join('\n');
}

/** What is fed, each with a corpus of its own. */
const TARGETS: Readonly<Record<string, { readonly seeds: readonly Buffer[]; readonly run: (input: Buffer) => void }>> =
  {
    json: {
      seeds: [
        '{"id":1,"connect":{"token":"t","data":{"a":[1,2.5e3,"\\u00e9\\n"]},"subs":{"a:b":{"recover":true,"offset":1,"epoch":"e"}}}}',
        '{"id":2,"subscribe":{"channel":"a:b","token":"t","recover":true,"epoch":"e","offset":18446744073709551615,"tf":{"op":"and","nodes":[{"cmp":"eq","key":"k","val":"v"}]}}}',
        '{"id":3,"publish":{"channel":"a","data":null}}\n{"id":4,"rpc":{"method":"m","data":"x"}}\n{}',
        '{"id":5,"history":{"channel":"a","limit":-1,"since":{"offset":1,"epoch":"e"},"reverse":true}}',
      ].map((text) => Buffer.from(text)),
      run: (input) => void jsonEncoding.decodeFrame(Buffer.from(input)),
    },
    api: {
      seeds: [
        '{"channel":"a","data":{"x":1},"tags":{"a":"b"},"version":3,"b64data":"eA=="}',
        '{"commands":[{"publish":{"channel":"a","data":1}},{"history":{"channel":"a","limit":2}}],"parallel":true}',
      ].map((text) => Buffer.from(text)),
      run: (input) => {
        decodeJson(api.PublishRequest, jsonBytes(input));
        decodeJson(api.BatchRequest, jsonBytes(input));
      },
    },
    protobuf: {
      seeds: [
        Buffer.from([9, 0x08, 1, 0x22, 5, 0x0a, 3, 0x61, 0x62, 0x63]),
        Buffer.from([8, 0x08, 2, 0x2a, 4, 0x0a, 2, 0x61, 0x62, 3, 0x08, 3, 0x00]),
        Buffer.from([10, 0x08, 2, 0x32, 3, 0x0a, 1, 0x78, 0x98, 0x06, 1]),
      ],
      run: (input) => void protobufEncoding.decodeFrame(Buffer.from(input)),
    },
    websocket: {
      seeds: [
        Buffer.from([0x81, 0x82, 0, 0, 0, 0, 0x7b, 0x7d]),
        Buffer.from([0x01, 0x81, 1, 2, 3, 4, 5, 0x89, 0x80, 0, 0, 0, 0, 0x80, 0x81, 9, 9, 9, 9, 9]),
        Buffer.from([0x88, 0x82, 0, 0, 0, 0, 3, 0xe8]),
        Buffer.from([0x82, 0xfe, 0, 3, 0, 0, 0, 0, 1, 2, 3]),
      ],
      run: (input) => {
        const whole = readFrames([input]);
        const single = readFrames([...input].map((byte) => Buffer.from([byte])));
        if (whole !== single) throw new Error(`in one piece: ${whole}\nbyte by byte: ${single}`);
      },
    },
  };

const { values } = parseArgs({
  options: { seconds: { type: 'string', default: '60' }, seed: { type: 'string' } },
  allowPositionals: true,
});
const seed = Number(values.seed ?? randomInt(2 ** 31));
process.stdout.write(`fuzz: seed ${seed}\n`);

/** Marsaglia's xorshift: the same numbers for the same seed. */
let state = seed || 1;
function below(limit: number): number {
  state ^= state << 13;
  state ^= state >>> 17;
  state ^= state << 5;
  return (state >>> 0) % limit;
}
const pick = <T>(items: readonly T[]): T => items[below(items.length)]!;

/** Pieces that mean something to one of the decoders. */
const WORDS = [
  '{',
  '}',
  '[',
  ']',
  '"',
  ':',
  ',',
  '\\',
  '\\ud800',
  'null',
  'true',
  '1e9',
  '-1',
  '\n',
  '"__proto__":',
  '"id":',
  '\0',
  '\xff',
  '\x80',
  '\x7f',
].map((word) => Buffer.from(word, 'latin1'));

function mutate(input: Buffer, others: readonly Buffer[]): Buffer {
  let bytes = input;
  for (let times = 1 + below(4); times > 0; times--) {
    const at = below(bytes.length + 1);
    const to = Math.min(at + 1 + below(8), bytes.length);
    const [before, after] = [bytes.subarray(0, at), bytes.subarray(at)];
    const changes: readonly (() => Buffer)[] = [
      () => Buffer.concat([before, Buffer.from([below(256)]), bytes.subarray(at + 1)]),
      () => Buffer.concat([before, Buffer.from([(bytes[at] ?? 0) ^ (1 << below(8))]), bytes.subarray(at + 1)]),
      () => Buffer.concat([before, pick(WORDS), after]),
      () => Buffer.concat([before, bytes.subarray(to)]),
      () => Buffer.concat([before, bytes.subarray(at, to), after]),
      () => Buffer.concat([before, pick(others).subarray(below(4))]),
      () => before,
    ];
    bytes = pick(changes)();
  }
  return Buffer.from(bytes.subarray(0, MAX_BYTES));
}

const coverage = new Coverage((url) => url.includes('/packages/broker/src/'));
await coverage.start();
const corpora = new Map(Object.entries(TARGETS).map(([name, { seeds }]) => [name, [...seeds]]));
let runs = 0;

/** Runs one input. A crash ends the fuzzer, with the input. */
function feed(name: string, input: Buffer): void {
  runs++;
  const startedMs = performance.now();
  try {
    TARGETS[name]!.run(input);
    if (performance.now() - startedMs > SLOW_MS) throw new Error(`took ${performance.now() - startedMs} ms`);
  } catch (error) {
    process.stdout.write(`fuzz: ${name} failed on the bytes (base64) ${input.toString('base64')}\n`);
    process.stdout.write(`${error instanceof Error ? error.stack : error}\nRepeat with --seed ${seed}\n`);
    process.exit(1);
  }
}

for (const [name, corpus] of corpora) for (const input of corpus) feed(name, input);
coverage.keep(await coverage.news());
const endMs = performance.now() + Number(values.seconds) * 1000;
/** Reading the counters takes longer than what is counted: they are read once for so many inputs, and for each alone only where there is news. */
const BATCH = 40;
while (performance.now() < endMs) {
  for (const [name, corpus] of corpora) {
    const inputs = Array.from({ length: BATCH }, () => mutate(pick(corpus), corpus));
    for (const input of inputs) feed(name, input);
    const news = await coverage.news();
    if (news.length === 0) continue;
    for (const input of inputs) {
      feed(name, input);
      const own = await coverage.news();
      if (own.length > 0) corpus.push(input);
      coverage.keep(own);
    }
    // Counts of the batch as a whole, which none of them reached alone.
    coverage.keep(news);
  }
}
const kept = [...corpora].map(([name, corpus]) => `${name} ${corpus.length}`).join(', ');
process.stdout.write(`fuzz: ${runs} inputs, ${coverage.size} places reached, no failure; corpus: ${kept}\n`);
process.exit(0);
