import { Centrifuge, type Options as CentrifugeOptions, type TransportEndpoint } from 'centrifuge';
import WebSocket from 'ws';
import { type ApiOptions, type ApiResponse, callApi } from './clients/api-client.ts';
import type { App, AppAnswer, AppRequest } from './clients/app.ts';
import { ProtobufClient } from './clients/protobuf-client.ts';
import { SocketClient, type WireOptions } from './clients/socket-client.ts';
import { StreamClient } from './clients/stream-client.ts';
import { signToken, type TokenOptions } from './clients/tokens.ts';
import type { Message, WireClient } from './clients/wire-client.ts';
import type { Server } from './drivers/driver.ts';
import type { EnvironmentName } from './environments.ts';

/** How a scenario's clients speak: JSON or Protobuf over WebSocket, or JSON over HTTP streaming or server-sent events. */
export type Transport = 'websocket' | 'protobuf' | 'http_stream' | 'sse';

/** One statement about the server, with the proof. The name is a sentence and stays the same: `known-differences.ts` refers to it. */
export interface Scenario {
  readonly name: string;
  readonly environment: EnvironmentName;
  /** It stops or floods its server, so it gets one of its own, and a running server of yours is spared. */
  readonly ownServer: boolean;
  readonly run: (t: ScenarioContext) => Promise<void>;
}

export interface ScenarioOptions {
  readonly ownServer?: boolean;
}

/** A group of scenarios that need one environment: sentence → proof. */
export function scenarios(
  area: string,
  environment: EnvironmentName,
  proofs: Record<string, (t: ScenarioContext) => Promise<void>>,
  options: ScenarioOptions = {},
): Scenario[] {
  return Object.entries(proofs).map(([sentence, run]) => ({
    name: `${area}: ${sentence}`,
    environment,
    ownServer: options.ownServer ?? false,
    run,
  }));
}

/** What a scenario works with. All that is opened through it is closed after it. */
export class ScenarioContext {
  readonly server: Server;
  /** The application behind the proxies, in environments that have one. */
  readonly app: App;
  /** Unique in this run and across runs, so that one server serves many scenarios. */
  readonly unique: string;
  readonly #wires: WireClient[] = [];
  readonly #cleanups: (() => unknown)[] = [];
  #opened = 0;

  constructor(server: Server, unique: string, app: App) {
    this.server = server;
    this.unique = unique;
    this.app = app;
  }

  /** A user of this scenario's own; another label is another user. */
  user(label = 'u'): string {
    return `${label}-${this.unique}`;
  }

  /** A channel of this scenario's own in a namespace; another label is another channel. */
  channel(namespace: string, label = 'c'): string {
    return `${namespace}:${label}-${this.unique}`;
  }

  /** The node for the next connection: with several, they take turns. */
  node(): string {
    const { nodes } = this.server;
    return nodes[++this.#opened % nodes.length]!;
  }

  token(claims: Record<string, unknown>, options?: TokenOptions): Promise<string> {
    return signToken(claims, options);
  }

  /** A socket on which nothing was said yet. */
  async open(options?: WireOptions): Promise<SocketClient> {
    const wire = await SocketClient.open(this.node(), options);
    this.#wires.push(wire);
    return wire;
  }

  /** The same over any transport. */
  async openOver(transport: Transport, options: WireOptions = {}): Promise<WireClient> {
    if (transport === 'websocket') return this.open(options);
    const wire =
      transport === 'protobuf'
        ? await ProtobufClient.open(this.node(), options)
        : new StreamClient(this.node(), transport, options);
    this.#wires.push(wire);
    return wire;
  }

  /** A connected client: these claims, by default only the scenario's user. The reply to its connect command stays readable in `lines[0]`. */
  async connect(claims: Record<string, unknown> = { sub: this.user() }, options?: WireOptions): Promise<SocketClient> {
    const wire = await this.open(options);
    await wire.call({ connect: { token: await signToken(claims) } });
    return wire;
  }

  /** A connected client that has subscribed to these channels. */
  async subscriber(...channels: string[]): Promise<SocketClient> {
    const wire = await this.connect();
    for (const channel of channels) {
      const reply = await wire.call({ subscribe: { channel } });
      if (!reply.subscribe) throw new Error(`could not subscribe to ${channel}: ${JSON.stringify(reply)}`);
    }
    return wire;
  }

  /** The official client, connected to nothing yet. */
  sdk(options: Partial<CentrifugeOptions> = {}): Centrifuge {
    return this.sdkOver(`${this.node().replace(/^http/, 'ws')}/connection/websocket`, options);
  }

  /** The official client with an endpoint, or a list of transports. */
  sdkOver(endpoint: string | TransportEndpoint[], options: Partial<CentrifugeOptions>): Centrifuge {
    const client = new Centrifuge(endpoint, {
      websocket: WebSocket,
      minReconnectDelay: 20,
      maxReconnectDelay: 200,
      ...options,
    });
    this.#cleanups.push(() => client.disconnect());
    return client;
  }

  /** A server API call with the right key; gives the body. */
  async api(method: string, parameters: unknown): Promise<Message> {
    return (await callApi(this.server.nodes[0], method, parameters)).body;
  }

  http(path: string, parameters: unknown, options?: ApiOptions): Promise<ApiResponse> {
    return callApi(this.server.nodes[0], path, parameters, options);
  }

  /** Publishes these in order, and gives the last position. */
  async publish(channel: string, ...data: unknown[]): Promise<{ offset: number; epoch: string }> {
    let result: unknown;
    for (const item of data) result = (await this.api('publish', { channel, data: item })).result;
    return result as { offset: number; epoch: string };
  }

  /** Answers the requests about this scenario that the server sends to the application; gives a list that grows with them. */
  answer(answers: (request: AppRequest) => AppAnswer): AppRequest[] {
    const requests: AppRequest[] = [];
    this.app.handle(this.unique, (request) => {
      requests.push(request);
      return answers(request);
    });
    this.onEnd(() => this.app.forget(this.unique));
    return requests;
  }

  /** Runs after the scenario, whatever its end. */
  onEnd(cleanup: () => unknown): void {
    this.#cleanups.push(cleanup);
  }

  async end(): Promise<void> {
    for (const wire of this.#wires) wire.close();
    for (const cleanup of this.#cleanups.reverse()) await cleanup();
  }

  /** What was said on the bare sockets, for a failure's message. */
  transcript(): string {
    return this.#wires
      .map((wire, index) => [`socket ${index + 1}`, ...wire.transcript.slice(-40)].join('\n  '))
      .join('\n');
  }
}
