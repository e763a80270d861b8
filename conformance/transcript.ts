import { readFileSync } from 'node:fs';
import { expect } from 'vitest';
import type { WireClient } from './clients/wire-client.ts';
import { ENVIRONMENTS, type EnvironmentName, SECRETS } from './environments.ts';
import type { Scenario, ScenarioContext, Transport } from './scenario.ts';

/**
 * A transcript is a scenario written down as what is said on the wire, in `transcripts/*.txt`:
 *
 * ```text
 * environment: standard
 *
 * # a second subscription to one channel is error 105
 * C {"sub":"$user"}
 * > {"id":2,"subscribe":{"channel":"$plain"}}
 * < {"id":2,"subscribe":{}}
 * ```
 *
 * | line | meaning |
 * | --- | --- |
 * | `@ transports` | only over these: `websocket`, `protobuf`, `http_stream`, `sse` |
 * | `C claims` | opens a socket and connects with a token of these claims; `%client1` is the first one's client id |
 * | `O options` | opens a socket and says nothing |
 * | `> text` | sends one frame; `⏎` is a line break in it |
 * | `< json` | the next message is this: same value, whatever the order of keys |
 * | `<~ json` | this message comes, before or after others |
 * | `<= text` | the next message holds this text, byte for byte |
 * | `x code reason` | the server closes with this |
 * | `A method json` | a server API call; a following `= json` is its answer, `== text` stands in it byte for byte |
 * | `T name claims` | signs a token, for use as `%name`; `T name key claims` with another key of `SECRETS` |
 *
 * A number before `>`, `<` or `x` names the socket (`2>`), otherwise it is the one opened last. `$user` is the scenario's user, `$plain` its channel in
 * namespace `plain`; `$user/b` and `$plain/b` are others. An expected string `<name>` takes what comes and must be the same wherever it stands again;
 * `<*>` takes anything. At the end, no socket may have received more than was written down.
 */
export interface Transcript {
  readonly sentence: string;
  readonly lines: readonly string[];
  /** The transports it holds for; all if absent. */
  readonly transports?: readonly string[];
}

/** Reads a file of transcripts. */
export function parseTranscripts(text: string): { environment: EnvironmentName; transcripts: Transcript[] } {
  const transcripts: { sentence: string; lines: string[]; transports?: string[] }[] = [];
  let environment: string | undefined;
  for (const line of text.split('\n')) {
    if (line.startsWith('environment: ')) environment = line.slice('environment: '.length).trim();
    else if (line.startsWith('# ')) transcripts.push({ sentence: line.slice(2), lines: [] });
    else if (line.trim() !== '') {
      const current = transcripts.at(-1);
      if (!current) throw new Error(`expected "# sentence" before "${line}"`);
      if (line.startsWith('@ ')) current.transports = line.slice(2).split(' ');
      else current.lines.push(line);
    }
  }
  if (environment === undefined || !(environment in ENVIRONMENTS))
    throw new Error(
      `expected "environment: name" with one of ${Object.keys(ENVIRONMENTS).join(', ')}, got ${environment}`,
    );
  return { environment: environment as EnvironmentName, transcripts };
}

/** The scenarios of one file in `transcripts/`, over WebSocket, or in another environment over another transport. */
export function transcriptScenarios(
  area: string,
  { transport = 'websocket', ...options }: { transport?: Transport; environment?: EnvironmentName } = {},
): Scenario[] {
  const text = readFileSync(new URL(`./transcripts/${area}.txt`, import.meta.url), 'utf8');
  const { environment, transcripts } = { ...parseTranscripts(text), ...options };
  const applying = transcripts.filter(({ transports }) => transports?.includes(transport) ?? true);
  return applying.map(({ sentence, lines }) => ({
    name: transport === 'websocket' ? `${area}: ${sentence}` : `${area} over ${transport}: ${sentence}`,
    environment,
    ownServer: false,
    run: async (t) => {
      const player = new TranscriptPlayer(t, transport);
      for (const line of lines) await player.play(line);
      await player.expectNothingMore();
    },
  }));
}

const SETTLE_ID = 4_000_000_000;

/** Plays the lines of one transcript against a server. */
export class TranscriptPlayer {
  readonly sockets: WireClient[] = [];
  readonly variables = new Map<string, string>();
  /** The answer to the last `A`. */
  answer: unknown;
  /** The same as it came. */
  answerText = '';
  readonly #t: ScenarioContext;
  readonly #transport: Transport;

  constructor(t: ScenarioContext, transport: Transport = 'websocket') {
    this.#t = t;
    this.#transport = transport;
  }

  async play(line: string): Promise<void> {
    const match = /^(\d*)(>|<=|<~|<|x|==|=|A|C|O|T)(?: (.*))?$/s.exec(line);
    if (!match) throw new Error(`not a transcript line: ${line}`);
    const [, number, verb, rest = ''] = match;
    const text = this.substitute(rest);
    const socket = this.sockets[number ? Number(number) - 1 : this.sockets.length - 1];
    try {
      await this.#step(verb!, text, socket!);
    } catch (error) {
      if (error instanceof Error) error.message = `at "${line}": ${error.message}`;
      throw error;
    }
  }

  async #step(verb: string, text: string, socket: WireClient): Promise<void> {
    switch (verb) {
      case 'C': {
        const wire = await this.#t.openOver(this.#transport);
        this.sockets.push(wire);
        const reply = await wire.call({ connect: { token: await this.#t.token(JSON.parse(text)) } });
        const connect = reply.connect as { client: string } | undefined;
        if (!connect) throw new Error(`expected a connected client, got ${JSON.stringify(reply)}`);
        this.variables.set(`client${this.sockets.length}`, connect.client);
        return;
      }
      case 'O':
        this.sockets.push(await this.#t.openOver(this.#transport, text ? JSON.parse(text) : {}));
        return;
      case '>':
        socket.sendText(text);
        return;
      case '<':
        this.#expectMatch(await socket.next(), JSON.parse(text));
        return;
      case '<~': {
        const expected: unknown = JSON.parse(text);
        const message = await socket.take(
          (candidate) => this.#matches(candidate, expected),
          `a message like ${text}; unread: ${JSON.stringify(socket.unread)}`,
        );
        this.#expectMatch(message, expected);
        return;
      }
      case '<=': {
        await socket.next();
        expect(socket.lines[socket.lines.length - 1 - socket.unread.length]).toContain(text);
        return;
      }
      case 'x': {
        const { code, reason } = await socket.closeCode();
        expect(`${code} ${reason}`.trim()).toBe(text.trim());
        return;
      }
      case 'A': {
        const space = text.indexOf(' ');
        const response = await this.#t.http(text.slice(0, space), {}, { raw: text.slice(space + 1) });
        this.answer = response.body;
        this.answerText = response.text;
        return;
      }
      case '==':
        expect(this.answerText).toContain(text);
        return;
      case '=':
        this.#expectMatch(this.answer, JSON.parse(text));
        return;
      case 'T': {
        const [, name, key, claims] = /^(\w+) (?:(\w+) )?(\{.*\})$/s.exec(text)!;
        const secret = SECRETS[(key ?? 'token') as keyof typeof SECRETS];
        this.variables.set(name!, await this.#t.token(JSON.parse(claims!), { secret }));
        return;
      }
    }
  }

  /** What is not in the transcript did not come. */
  async expectNothingMore(): Promise<void> {
    for (const [index, socket] of this.sockets.entries()) {
      if (!socket.isClosed && this.variables.has(`client${index + 1}`)) {
        socket.send({ id: SETTLE_ID, history: { channel: 'closed:settle' } });
        await socket.reply(SETTLE_ID);
      }
      expect(socket.unread, `unread on socket ${index + 1}`).toEqual([]);
    }
  }

  substitute(text: string): string {
    return text
      .replaceAll('⏎', '\n')
      .replace(/\$([a-z]+)(?:\/([a-z0-9]+))?/g, (_, namespace: string, label?: string) =>
        namespace === 'user' ? this.#t.user(label) : this.#t.channel(namespace, label),
      )
      .replace(/%([a-z]+\d*)/gi, (whole, name: string) => this.variables.get(name) ?? whole);
  }

  #matches(actual: unknown, expected: unknown): boolean {
    try {
      expect(actual).toEqual(this.#resolve(expected, actual, new Map(this.variables)));
      return true;
    } catch {
      return false;
    }
  }

  #expectMatch(actual: unknown, expected: unknown): void {
    expect(actual).toEqual(this.#resolve(expected, actual, this.variables));
  }

  /** `expected` with its `<name>`s replaced by what stands at the same place in `actual`, or by what the name was bound to before. */
  #resolve(expected: unknown, actual: unknown, variables: Map<string, string>): unknown {
    if (typeof expected === 'string') {
      const name = /^<([a-z*]+\d*)>$/i.exec(expected)?.[1];
      if (name === undefined) return expected;
      if (name === '*') return actual;
      const bound = variables.get(name);
      if (bound !== undefined) return bound;
      if (typeof actual !== 'string') return expected;
      variables.set(name, actual);
      return actual;
    }
    if (Array.isArray(expected))
      return expected.map((item, index) => this.#resolve(item, (actual as unknown[] | undefined)?.[index], variables));
    if (typeof expected === 'object' && expected !== null)
      return Object.fromEntries(
        Object.entries(expected).map(([key, value]) => {
          const name = /^<([a-z]+\d*)>$/i.exec(key)?.[1];
          const realKey = name === undefined ? key : (variables.get(name) ?? key);
          return [realKey, this.#resolve(value, (actual as Record<string, unknown> | undefined)?.[realKey], variables)];
        }),
      );
    return expected;
  }
}
