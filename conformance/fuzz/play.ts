import { callApi } from '../clients/api-client.ts';
import { ProtobufClient } from '../clients/protobuf-client.ts';
import { SocketClient } from '../clients/socket-client.ts';
import { signToken } from '../clients/tokens.ts';
import type { Close, Message, WireClient } from '../clients/wire-client.ts';
import { SECRETS } from '../environments.ts';
import type { Program, Step } from './program.ts';

/** What one server did, in a form that another server's can be compared with: names of clients and epochs are by order of appearance. */
export interface Observation {
  readonly sockets: readonly {
    /** Replies in order. */
    readonly replies: readonly unknown[];
    /** Pushes in order, by channel: between channels there is no order. */
    readonly pushes: Readonly<Record<string, readonly unknown[]>>;
    readonly close: Close | undefined;
    /** Whether the last frame that was sent held several commands. */
    readonly endsWithBatch: boolean;
  }[];
  /** Answers of the server API, in order: status and body. */
  readonly api: readonly (readonly [number, unknown])[];
}

const SETTLE_ID = 4_000_000_000;
/** How many turns of the event loop, each of a millisecond or more, a socket that answers nothing may still say something in. Turns and not time: a machine that stalls, stalls both. */
const QUIET_TURNS = 60;

/** Plays programs on a server; one per program. */
export class Player {
  readonly #node: string;
  readonly #unique: string;
  readonly #sockets: WireClient[] = [];
  /** Sockets that were sent something since the last settling. */
  readonly #addressed = new Set<WireClient>();
  readonly #batched = new Set<WireClient>();
  readonly #read = new Map<WireClient, number>();
  readonly #api: [number, unknown][] = [];
  readonly #epochs = new Map<string, string>();
  #settles = 0;

  constructor(node: string, unique: string) {
    this.#node = node;
    this.#unique = unique;
  }

  async play(program: Program): Promise<void> {
    for (const step of program) {
      if (step.kind === 'open')
        this.#sockets.push(await (step.transport ? ProtobufClient : SocketClient).open(this.#node));
      else if (step.kind === 'http') await this.#request(step);
      else if (step.kind === 'api') await this.#call(step.path, await this.#substitute(step.body));
      else {
        const target = this.#sockets.at(step.socket < 0 ? -1 : step.socket % this.#sockets.length)!;
        if (step.kind === 'close') target.close();
        else if (!target.isClosed) {
          target.sendText(await this.#substitute(step.text));
          this.#addressed.add(target);
          if (step.text.trim().includes('\n')) this.#batched.add(target);
          else this.#batched.delete(target);
        }
      }
      await this.#settle();
    }
  }

  async #request({ method, path, headers, body }: Step & { kind: 'http' }): Promise<void> {
    const withKey = (text: string): string => text.replaceAll('%key', SECRETS.api);
    const response = await fetch(this.#node + withKey(path), {
      method,
      headers: Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, withKey(value)])),
      redirect: 'manual',
      ...(method === 'GET' || method === 'HEAD' ? {} : { body: await this.#substitute(body) }),
    });
    const isRedirect = response.status >= 300 && response.status < 400;
    const text = isRedirect ? '' : await response.text(); // what stands beside a redirect is for nobody
    const values = text.split('\n').map((line) => {
      try {
        return JSON.parse(line) as unknown;
      } catch {
        return line;
      }
    });
    const names = ['location', 'allow', 'access-control-allow-origin', ...(isRedirect ? [] : ['content-type'])];
    this.#api.push([response.status, [values, names.map((name) => response.headers.get(name) ?? '')]]);
  }

  async #call(path: string, body: string): Promise<void> {
    const response = await callApi(this.#node, path, {}, { raw: body });
    let value: unknown = response.text;
    try {
      value = JSON.parse(response.text);
    } catch {
      // plain text
    }
    this.#learn(value, /"channel":"([^"]*)"/.exec(body)?.[1]);
    this.#api.push([response.status, value]);
  }

  /** Waits until everything sent so far has had its effects: who is connected answers a last command, who is not has a moment to say something. */
  async #settle(): Promise<void> {
    const id = SETTLE_ID + this.#settles++;
    await Promise.all(
      this.#sockets.map(async (socket) => {
        if (this.#addressed.delete(socket) && !this.#isConnected(socket)) await somethingSaid(socket);
        if (socket.isClosed || !this.#isConnected(socket)) return;
        socket.send({ id, history: { channel: 'closed:settle' } });
        await socket.reply(id).catch(() => {}); // closed instead: that is an effect too
      }),
    );
    for (const socket of this.#sockets) {
      for (const line of socket.lines.slice(this.#read.get(socket) ?? 0)) this.#learnFrom(line);
      this.#read.set(socket, socket.lines.length);
    }
  }

  #isConnected(socket: WireClient): boolean {
    return socket.lines.some((line) => line.includes('"connect":{'));
  }

  #learnFrom(line: string): void {
    const message = JSON.parse(line) as Message;
    const push = message.push as { channel?: string } | undefined;
    if (push?.channel) this.#learn(push, push.channel);
    const subs = (message.connect as { subs?: Record<string, unknown> } | undefined)?.subs;
    for (const [channel, sub] of Object.entries(subs ?? {})) this.#learn(sub, channel);
  }

  #learn(value: unknown, channel: string | undefined): void {
    const epoch = /"epoch":"([A-Za-z]+)"/.exec(JSON.stringify(value))?.[1];
    if (epoch && channel) this.#epochs.set(channel, epoch);
  }

  #channel(namespace: string, label: string): string {
    return namespace === 'user' ? `${label}-${this.#unique}` : `${namespace}:${label}-${this.#unique}`;
  }

  async #substitute(text: string): Promise<string> {
    let substituted = text.replace(/\$([a-z]+)\/([a-z])/g, (_, namespace: string, label: string) =>
      this.#channel(namespace, label),
    );
    substituted = substituted.replace(
      /%epoch:([^"]*)/g,
      (_, channel: string) => this.#epochs.get(channel) ?? 'unknown',
    );
    substituted = substituted.replace(/%client:(\d)/g, (_, number: string) => this.#clientId(Number(number)));
    for (const match of [...substituted.matchAll(/%(bad)?token:((?:[^"\\]|\\.)*)/g)]) {
      const claims = parseClaims(match[2]!);
      if (!claims) continue; // a mutation broke it: it goes out as it is
      const token = await signToken(claims, match[1] ? { secret: SECRETS.previousToken } : {});
      substituted = substituted.replace(match[0], () => token);
    }
    return substituted;
  }

  #clientId(number: number): string {
    for (const line of this.#sockets[number]?.lines ?? []) {
      const { connect } = JSON.parse(line) as { connect?: { client: string } };
      if (connect) return connect.client;
    }
    return 'nobody';
  }

  /** What was seen until now. */
  async observe(): Promise<Observation> {
    const names = new Map<string, string>();
    const named = (value: string, kind: string): string => {
      if (!names.has(value)) names.set(value, `<${kind}${names.size + 1}>`);
      return names.get(value)!;
    };
    // Names are given in the order of the clients' and the API's own messages, which is the same on both servers.
    const normal = (value: unknown, key = ''): unknown => {
      if (key === 'version' && typeof value === 'string') return '<version>';
      if (key === 'epoch' && value) return '<epoch>';
      if (typeof value === 'string' && /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f-]{22}$/.test(value))
        return named(value, 'client');
      if (typeof value === 'string') return value.replaceAll(this.#unique, '*');
      if (key === 'ttl' && typeof value === 'number') return value === 31_536_000 ? value : '<ttl>';
      if (Array.isArray(value)) return value.map((item) => normal(item));
      if (typeof value === 'object' && value !== null)
        return Object.fromEntries(
          Object.entries(value).map(([name, item]) => [normal(name) as string, normal(item, name)]),
        );
      return value;
    };
    for (let number = 0; number < this.#sockets.length; number++) {
      const id = this.#clientId(number);
      if (id !== 'nobody') named(id, 'client');
    }
    const sockets = [];
    for (const socket of this.#sockets) {
      const replies: unknown[] = [];
      const pushes: Record<string, unknown[]> = {};
      for (const line of socket.lines) {
        const message = JSON.parse(line) as Message;
        if ((message.id as number) >= SETTLE_ID) continue;
        if (!('push' in message)) replies.push(normal(message));
        else {
          const { channel = '', ...push } = message.push as { channel?: string };
          const name = normal(channel) as string;
          pushes[name] = [...(pushes[name] ?? []), normal(push)];
        }
      }
      sockets.push({
        replies,
        pushes,
        close: socket.isClosed ? await socket.closed : undefined,
        endsWithBatch: this.#batched.has(socket),
      });
    }
    return { sockets, api: this.#api.map(([status, body]) => [status, normal(body)] as const) };
  }

  /** What was said on each socket, for the report of a difference. */
  transcript(): string {
    return this.#sockets
      .map((socket, index) =>
        [`socket ${index + 1}`, ...socket.transcript.filter((line) => !line.includes('"id":4000000'))].join('\n  '),
      )
      .join('\n');
  }

  end(): void {
    for (const socket of this.#sockets) socket.close();
  }
}

/** Claims that stand as JSON inside a JSON string. */
function parseClaims(text: string): Record<string, unknown> | undefined {
  try {
    return JSON.parse(JSON.parse(`"${text}"`) as string) as Record<string, unknown>;
  } catch {
    return undefined;
  }
}

/** Resolves when the socket says something or closes, or has been quiet for a while. */
async function somethingSaid(socket: WireClient): Promise<void> {
  const before = socket.lines.length;
  for (let turn = 0; turn < QUIET_TURNS && !socket.isClosed && socket.lines.length === before; turn++)
    await new Promise((resolve) => setTimeout(resolve, 1));
}
