import type { LookupFunction } from 'node:net';
import { type ChannelName, NAMESPACE } from '../core/channel.ts';
import type { Clock } from '../core/clock.ts';
import { type ApiClient, createApiClient } from '../server/api-client.ts';
import { TokenSigner } from '../server/tokens.ts';
import { ask, type HttpAnswer, type HttpQuestion } from './probes/http-probe.ts';
import { type Opening, openSocket, type Reply, type WireSocket } from './probes/socket-probe.ts';
import { type Environment, readSetting, VARIABLES } from './settings.ts';

/** What the doctor works with; arguments, so that a test can turn the clock and answer for a name. */
export interface Surroundings {
  /** `now()` counts milliseconds from the Unix epoch. */
  readonly clock: Clock;
  /** Resolves the host names of the public address. @default the system's */
  readonly lookup?: LookupFunction | undefined;
}

/** The user that the doctor's tokens are made for. */
export const DOCTOR_USER = 'op-realtime-doctor';
/** The channel that the doctor publishes to; nobody else should. */
export const DOCTOR_CHANNEL: ChannelName = `${NAMESPACE}:op-realtime-doctor`;

/** A connection that was asked for with a token, and what the broker said to the token. */
type Connection = {
  readonly opening: Opening;
  readonly reply: Reply | null;
  readonly socket: WireSocket | null;
};

/** The set-up under examination. Getters throw a ConfigError where their variable is no good, so the checks that use them need the variable's check. */
export class Patient {
  readonly env: Environment;
  /** Of the application's pages, as browsers send it. */
  readonly origin: string | undefined;
  readonly timeoutMs: number;
  readonly clock: Clock;
  /** How far the clock of who answers for the API is ahead of ours, once it said the time. */
  dateAheadMs: number | undefined;
  readonly #lookup: LookupFunction | undefined;
  readonly #sockets = new Set<WireSocket>();

  constructor(
    examination: { readonly env: Environment; readonly origin: string | undefined; readonly timeoutMs: number },
    { clock, lookup }: Surroundings,
  ) {
    this.env = examination.env;
    this.origin = examination.origin;
    this.timeoutMs = examination.timeoutMs;
    this.clock = clock;
    this.#lookup = lookup;
  }

  get wsUrl(): URL {
    return readSetting(this.env, 'wsUrl');
  }

  get signer(): TokenSigner {
    return this.signerWith(readSetting(this.env, 'tokenSecret'));
  }

  /** @param aheadMs how far the clock that the token is made by is ahead of ours */
  signerWith(secret: string, aheadMs = 0): TokenSigner {
    return new TokenSigner({
      secret,
      audience: this.env.CENTRIFUGO_CLIENT_TOKEN_AUDIENCE || undefined,
      issuer: this.env.CENTRIFUGO_CLIENT_TOKEN_ISSUER || undefined,
      clock: { now: () => this.clock.now() + aheadMs, after: (delayMs, fn) => this.clock.after(delayMs, fn) },
    });
  }

  /** The server API. @param key another than the configured one */
  api(key = readSetting(this.env, 'apiKey')): ApiClient {
    return createApiClient({
      address: readSetting(this.env, 'apiUrl'),
      key,
      keyName: VARIABLES.apiKey,
      clock: this.clock,
      fetch: async (input, init) => {
        const response = await fetch(input, init);
        const date = Date.parse(response.headers.get('date') ?? '');
        if (!Number.isNaN(date)) this.dateAheadMs = date - this.clock.now();
        return response;
      },
    });
  }

  async callApi(method: string, params: unknown): Promise<Record<string, unknown>> {
    return this.api().call(method, params, this.timeoutMs);
  }

  async open(origin?: string): Promise<Opening> {
    const { wsUrl: url, timeoutMs, clock } = this;
    const opening = await openSocket({ url, origin, timeoutMs, clock, lookup: this.#lookup });
    if (opening.kind === 'open') this.#sockets.add(opening.socket);
    return opening;
  }

  /** Opens a WebSocket and sends the connect command. */
  async connect(params: Readonly<Record<string, unknown>>): Promise<Connection> {
    const opening = await this.open();
    if (opening.kind !== 'open') return { opening, reply: null, socket: null };
    const { socket } = opening;
    return { opening, socket, reply: await socket.call('connect', params) };
  }

  /** A connection of the doctor's user without any channel, or `null` where the broker does not take it. */
  async connected(): Promise<WireSocket | null> {
    const token = await this.signer.connectionToken({ userId: DOCTOR_USER, channels: [] });
    const { reply, socket } = await this.connect({ token });
    return reply?.kind === 'result' ? socket : null;
  }

  ask(question: Omit<HttpQuestion, 'timeoutMs' | 'clock' | 'lookup'>): Promise<HttpAnswer> {
    return ask({ ...question, timeoutMs: this.timeoutMs, clock: this.clock, lookup: this.#lookup });
  }

  /** Ends every connection that a check left open. */
  closeAll(): void {
    for (const socket of this.#sockets) socket.close();
    this.#sockets.clear();
  }
}
