import { connect, type Socket } from 'node:net';
import { gzipSync } from 'node:zlib';
import { expect } from 'vitest';
import { within } from '../clients/wire-client.ts';
import { SECRETS } from '../environments.ts';
import { type Scenario, type ScenarioContext, scenarios } from '../scenario.ts';

/** A bare TCP connection to the server, with what it has answered so far. */
class Tcp {
  readonly socket: Socket;
  text = '';
  readonly #ended: Promise<void>;
  #wake = (): void => {};

  private constructor(socket: Socket) {
    this.socket = socket;
    socket.on('data', (chunk) => {
      this.text += chunk.toString('latin1');
      this.#wake();
    });
    this.#ended = new Promise((resolve) => socket.once('close', () => resolve()));
    socket.on('error', () => {}); // the server may drop it: `close` says so
  }

  static async open(t: ScenarioContext): Promise<Tcp> {
    const { hostname, port } = new URL(t.node());
    const socket = connect(Number(port), hostname);
    t.onEnd(() => socket.destroy());
    await within(new Promise((resolve) => socket.once('connect', resolve)), 'the connection');
    return new Tcp(socket);
  }

  /** The status codes of the answers, once there are this many. */
  async statuses(count: number): Promise<number[]> {
    const found = (): number[] => [...this.text.matchAll(/HTTP\/1\.[01] (\d{3})/g)].map((match) => Number(match[1]));
    await within(
      (async () => {
        while (found().length < count)
          await new Promise<void>((resolve) => {
            this.#wake = resolve;
          });
      })(),
      `${count} answers; so far ${JSON.stringify(this.text.slice(0, 200))}`,
    );
    return found();
  }

  ended(): Promise<void> {
    return within(this.#ended, 'the end of the connection');
  }
}

const request = (line: string, headers: string[], body = ''): string =>
  [line, 'Host: localhost', ...headers, '', body].join('\r\n');
const key = `X-API-Key: ${SECRETS.api}`;

/** One request over bare TCP, and its status. */
async function status(t: ScenarioContext, text: string | Buffer): Promise<number> {
  const tcp = await Tcp.open(t);
  tcp.socket.write(text);
  return (await tcp.statuses(1))[0]!;
}

const publish = (t: ScenarioContext) => JSON.stringify({ channel: t.channel('plain'), data: 1 });

export const abuseScenarios: readonly Scenario[] = [
  ...scenarios('abuse', 'standard', {
    'thousands of subscriptions by one client end at the limit, and nobody else notices': async (t) => {
      const [greedy, other] = [await t.connect(), await t.subscriber(t.channel('plain'))];
      for (let batch = 0; batch < 50; batch++)
        greedy.send(
          ...Array.from({ length: 100 }, (_, index) => ({
            id: 1000 + batch * 100 + index,
            subscribe: { channel: t.channel('plain', `f${batch}x${index}`) },
          })),
        );
      expect(await greedy.reply(1000)).toEqual({ subscribe: {} });
      expect(await greedy.reply(5999)).toEqual({ error: { code: 106, message: 'limit exceeded' } });
      await t.api('publish', { channel: t.channel('plain'), data: 1 });
      expect(await other.publication(t.channel('plain'))).toEqual({ data: 1 });
    },
    'subscribing and unsubscribing without end leaves nothing behind': async (t) => {
      const wire = await t.connect();
      const channel = t.channel('plain');
      for (let round = 0; round < 20; round++) {
        const id = 1000 + round * 100;
        wire.send(
          ...Array.from({ length: 50 }, (_, index) => [
            { id: id + index * 2, subscribe: { channel } },
            { id: id + index * 2 + 1, unsubscribe: { channel } },
          ]).flat(),
        );
      }
      expect(await wire.reply(2998)).toEqual({ subscribe: {} });
      expect(await wire.reply(2999)).toEqual({ unsubscribe: {} });
      expect(await t.api('channels', { pattern: channel })).toEqual({ result: { channels: {} } });
    },
    'many sockets that say nothing keep nobody from being served': async (t) => {
      const idle = await Promise.all(Array.from({ length: 100 }, () => Tcp.open(t)));
      for (const tcp of idle) tcp.socket.write('GET /connection/websocket HTTP/1.1\r\nHost: loc'); // and nothing more
      const wire = await t.connect();
      await wire.settle();
    },
    'a socket that vanishes is a leave for the others': async (t) => {
      const channel = t.channel('joining');
      const [staying, vanishing] = [await t.subscriber(channel), await t.subscriber(channel)];
      await staying.push();
      await staying.push();
      vanishing.socket.terminate();
      expect(await staying.push()).toMatchObject({ channel, leave: { info: { user: t.user() } } });
    },
    'prototype keys are ordinary names in every field of the API': async (t) => {
      const channel = t.channel('open');
      const body = `{"channel":${JSON.stringify(channel)},"data":{"__proto__":{"a":1}},"tags":{"__proto__":"x","constructor":"y"},"__proto__":{"channel":"other"}}`;
      const { status: code, text } = await t.http('publish', {}, { raw: body });
      expect([code, text]).toEqual([200, expect.stringContaining('"offset":1')]);
      const history = await t.http('history', {}, { raw: JSON.stringify({ channel, limit: 1 }) });
      expect(history.text).toContain('"__proto__":{"a":1}');
      expect(history.text).toContain('"__proto__":"x"');
      for (const name of ['__proto__', 'constructor', 'toString', 'hasOwnProperty'])
        expect((await t.api('history', { channel: name })).error, name).toEqual({
          code: 108,
          message: 'not available',
        });
    },
    'prototype keys as users, channels and clients do no harm': async (t) => {
      for (const name of ['__proto__', 'constructor', 'toString']) {
        expect(await t.api('disconnect', { user: name }), name).toEqual({ result: {} });
        expect(await t.api('unsubscribe', { user: name, channel: t.channel('plain') }), name).toEqual({ result: {} });
        const wire = await t.connect({ sub: name });
        expect(await wire.call({ subscribe: { channel: `plain:${name}` } }), name).toEqual({ subscribe: {} });
        expect(
          await t.api('publish', { channel: `plain:${name}`, data: 1, idempotency_key: `${name}${t.unique}` }),
        ).toEqual({ result: {} });
        expect(await wire.publication(`plain:${name}`)).toEqual({ data: 1 });
      }
    },
    'the key counts nowhere but in its places': async (t) => {
      const body = JSON.stringify({ channel: t.channel('plain'), data: 1, api_key: SECRETS.api });
      for (const header of ['Cookie: api_key=', 'X-Api: ', 'Api-Key: ', 'Authorization: Basic ', 'X-API-Key : '])
        expect(
          await status(
            t,
            request('POST /api/publish HTTP/1.1', [`${header}${SECRETS.api}`, `Content-Length: ${body.length}`], body),
          ),
          header,
        ).toBeOneOf([400, 401]);
    },
    'an empty key is 401': async (t) => {
      expect(await status(t, request('POST /api/publish HTTP/1.1', ['X-API-Key:', 'Content-Length: 0']))).toBe(401);
      expect(await status(t, request('POST /api/publish?api_key= HTTP/1.1', ['Content-Length: 0']))).toBe(401);
      expect(
        await status(t, request('POST /api/publish HTTP/1.1', ['Authorization: apikey ', 'Content-Length: 0'])),
      ).toBe(401);
    },
    'requests in one packet are answered in order': async (t) => {
      const tcp = await Tcp.open(t);
      const body = publish(t);
      const call = request('POST /api/publish HTTP/1.1', [key, `Content-Length: ${body.length}`], body);
      const unknown = request('POST /api/nothing HTTP/1.1', [key, 'Content-Length: 0']);
      tcp.socket.write(call + unknown + call);
      expect(await tcp.statuses(3)).toEqual([200, 404, 200]);
    },
    'a body in chunks is read': async (t) => {
      const body = publish(t);
      const chunks = [...body].map((letter) => `1\r\n${letter}\r\n`).join('');
      const text = request('POST /api/publish HTTP/1.1', [key, 'Transfer-Encoding: chunked'], `${chunks}0\r\n\r\n`);
      expect(await status(t, text)).toBe(200);
    },
    'a client that waits for 100 Continue gets it': async (t) => {
      const tcp = await Tcp.open(t);
      const body = publish(t);
      tcp.socket.write(
        request('POST /api/publish HTTP/1.1', [key, 'Expect: 100-continue', `Content-Length: ${body.length}`]),
      );
      expect(await tcp.statuses(1)).toEqual([100]);
      tcp.socket.write(body);
      expect(await tcp.statuses(2)).toEqual([100, 200]);
    },
    'both Content-Length and Transfer-Encoding are never two requests': async (t) => {
      const tcp = await Tcp.open(t);
      const smuggled = request('POST /api/publish HTTP/1.1', [key, 'Content-Length: 0']);
      tcp.socket.write(
        request(
          'POST /api/publish HTTP/1.1',
          [key, 'Content-Length: 5', 'Transfer-Encoding: chunked'],
          `0\r\n\r\n${smuggled}`,
        ),
      );
      const [first] = await tcp.statuses(1);
      expect(first).toBe(400);
    },
    'two different lengths are 400': async (t) => {
      expect(
        await status(t, request('POST /api/publish HTTP/1.1', [key, 'Content-Length: 2', 'Content-Length: 3'], '{}')),
      ).toBe(400);
    },
    'a negative length is 400': async (t) => {
      expect(await status(t, request('POST /api/publish HTTP/1.1', [key, 'Content-Length: -1'], '{}'))).toBe(400);
    },
    'what is no HTTP is 400 and the end': async (t) => {
      const tcp = await Tcp.open(t);
      tcp.socket.write('\u0016\u0003\u0001 hello\r\n\r\n');
      expect(await tcp.statuses(1)).toEqual([400]);
      await tcp.ended();
    },
    'a request without Host is 400': async (t) => {
      expect(await status(t, `POST /api/publish HTTP/1.1\r\n${key}\r\nContent-Length: 2\r\n\r\n{}`)).toBe(400);
    },
    'HTTP/1.0 is answered': async (t) => {
      const body = publish(t);
      const tcp = await Tcp.open(t);
      tcp.socket.write(request('POST /api/publish HTTP/1.0', [key, `Content-Length: ${body.length}`], body));
      expect(await tcp.statuses(1)).toEqual([200]);
      await tcp.ended();
    },
    'a compressed body is not understood: 400': async (t) => {
      const body = gzipSync(publish(t));
      const head = request('POST /api/publish HTTP/1.1', [
        key,
        'Content-Encoding: gzip',
        `Content-Length: ${body.length}`,
      ]);
      expect(await status(t, Buffer.concat([Buffer.from(head), body]))).toBe(400);
    },
    'headers of 40 kB are accepted, as proxies and cookies may bring them': async (t) => {
      const body = publish(t);
      const cookies = Array.from({ length: 10 }, (_, index) => `Cookie: c${index}=${'x'.repeat(4000)}`);
      expect(
        await status(
          t,
          request('POST /api/publish HTTP/1.1', [key, ...cookies, `Content-Length: ${body.length}`], body),
        ),
      ).toBe(200);
      const wire = await t.open({ headers: { Cookie: `c=${'x'.repeat(40_000)}` } });
      await wire.call({ connect: { token: await t.token({ sub: t.user() }) } });
    },
    'headers of 2 MB are 431': async (t) => {
      const cookies = Array.from({ length: 500 }, (_, index) => `Cookie: c${index}=${'x'.repeat(4000)}`);
      expect(await status(t, request('POST /api/publish HTTP/1.1', [key, ...cookies, 'Content-Length: 0']))).toBe(431);
    },
    'an address of 8 kB is answered': async (t) => {
      expect(
        await status(
          t,
          request(`POST /api/publish?x=${'x'.repeat(8000)} HTTP/1.1`, [key, 'Content-Length: 4'], 'null'),
        ),
      ).toBe(200);
    },
    'an absolute address in the request line is understood': async (t) => {
      const body = publish(t);
      expect(
        await status(
          t,
          request('POST http://localhost/api/publish HTTP/1.1', [key, `Content-Length: ${body.length}`], body),
        ),
      ).toBe(200);
    },
    'deep JSON in an API call is 400 or passes, and the server lives': async (t) => {
      const deep = `${'['.repeat(50_000)}${']'.repeat(50_000)}`;
      await t.http('publish', {}, { raw: `{"channel":${JSON.stringify(t.channel('plain'))},"data":${deep}}` });
      await t.http('publish', {}, { raw: '['.repeat(100_000) });
      const wire = await t.connect();
      await wire.settle();
    },
    'a WebSocket frame of a reserved kind closes with 1002': async (t) => {
      const wire = await t.connect();
      (wire.socket as unknown as { _socket: Socket })._socket.write(Buffer.from([0x83, 0x80, 0, 0, 0, 0]));
      expect((await wire.closeCode()).code).toBe(1002);
    },
    'a WebSocket frame with reserved bits closes with 1002': async (t) => {
      const wire = await t.connect();
      (wire.socket as unknown as { _socket: Socket })._socket.write(Buffer.from([0xf1, 0x80, 0, 0, 0, 0]));
      expect((await wire.closeCode()).code).toBe(1002);
    },
    'a fragmented control frame closes with 1002': async (t) => {
      const wire = await t.connect();
      (wire.socket as unknown as { _socket: Socket })._socket.write(Buffer.from([0x09, 0x80, 0, 0, 0, 0]));
      expect((await wire.closeCode()).code).toBe(1002);
    },
    'a frame that claims to be endless closes with 1009': async (t) => {
      const wire = await t.connect();
      const head = Buffer.from([0x81, 0xff, 0, 0, 0, 0xff, 0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0]);
      (wire.socket as unknown as { _socket: Socket })._socket.write(head);
      expect((await wire.closeCode()).code).toBe(1009);
    },
    'fragments that together pass the limit close with 1009': async (t) => {
      const wire = await t.connect();
      wire.socket.send(`{"id":2,"x":"${'x'.repeat(40_000)}`, { fin: false });
      wire.socket.send(`${'x'.repeat(40_000)}"}`, { fin: true });
      expect((await wire.closeCode()).code).toBe(1009);
    },
  }),
];
