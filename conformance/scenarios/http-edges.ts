import { connect } from 'node:net';
import { expect } from 'vitest';
import { within } from '../clients/wire-client.ts';
import { SECRETS } from '../environments.ts';
import { type ScenarioContext, scenarios } from '../scenario.ts';

interface Answer {
  readonly status: number;
  /** Names in lower case. */
  readonly headers: ReadonlyMap<string, string>;
  readonly body: string;
}

/** Sends these lines as they are, and gives the first answer. */
async function ask(t: ScenarioContext, lines: readonly string[], body = ''): Promise<Answer> {
  const { hostname, port } = new URL(t.node());
  const socket = connect(Number(port), hostname);
  t.onEnd(() => socket.destroy());
  socket.on('error', () => {}); // an end is seen below
  const isChunked = lines.includes('Transfer-Encoding: chunked');
  socket.write(
    [...lines, 'Host: x', ...(body && !isChunked ? [`Content-Length: ${body.length}`] : []), '', body].join('\r\n'),
  );
  let text = '';
  const complete = (): Answer | undefined => {
    const [head, rest] = text.split('\r\n\r\n', 2);
    if (head === undefined || rest === undefined) return undefined;
    const [first, ...fields] = head.split('\r\n');
    const headers = new Map(
      fields.map((field) => [field.split(':')[0]!.toLowerCase(), field.replace(/^[^:]*: ?/, '')]),
    );
    const length = Number(headers.get('content-length') ?? 0);
    return rest.length < length ? undefined : { status: Number(first!.split(' ')[1]), headers, body: rest };
  };
  return within(
    new Promise<Answer>((resolve, reject) => {
      socket.on('close', () => reject(new Error(`closed after ${JSON.stringify(text)}`)));
      socket.on('data', (chunk) => {
        text += chunk.toString('latin1');
        const answer = complete();
        if (answer) resolve(answer);
      });
    }),
    'an answer',
  );
}

const publish = '{"channel":"plain:x","data":1}';
const key = `X-API-Key: ${SECRETS.api}`;
const upgrade = (path: string, change: Readonly<Record<string, string>> = {}): string[] => {
  const headers = {
    Connection: 'keep-alive, Upgrade',
    Upgrade: 'websocket',
    'Sec-WebSocket-Version': '13',
    'Sec-WebSocket-Key': 'dGhlIHNhbXBsZSBub25jZQ==',
    ...change,
  };
  return [`GET ${path} HTTP/1.1`, ...Object.entries(headers).map(([name, value]) => `${name}: ${value}`)];
};

/** HTTP as no client library would send it. */
export const httpEdgeScenarios = scenarios('http edges', 'transports', {
  'of two keys the first counts': async (t) => {
    expect((await ask(t, ['POST /api/publish HTTP/1.1', key, 'X-API-Key: y'], publish)).status).toBe(200);
    expect((await ask(t, ['POST /api/publish HTTP/1.1', 'X-API-Key: y', key], publish)).status).toBe(401);
  },
  'of two keys in the query the first counts': async (t) => {
    const path = `/api/publish?api_key=y&api_key=${SECRETS.api}`;
    expect((await ask(t, [`POST ${path} HTTP/1.1`], publish)).status).toBe(401);
  },
  'texts are not for sniffing': async (t) => {
    const answers = [
      await ask(t, ['POST /api/publish HTTP/1.1', key], '{'),
      await ask(t, ['GET /nothing HTTP/1.1']),
      await ask(t, ['GET /connection/websocket HTTP/1.1']),
      await ask(t, upgrade('/nothing')),
      await ask(t, upgrade('/connection/websocket', { Origin: 'http://evil.example' })),
    ];
    expect(answers.map(({ status, headers, body }) => [status, headers.get('x-content-type-options'), body])).toEqual([
      [400, 'nosniff', 'Bad Request\n'],
      [404, 'nosniff', '404 page not found\n'],
      [400, 'nosniff', 'Bad Request\n'],
      [404, 'nosniff', '404 page not found\n'],
      [403, 'nosniff', 'Forbidden\n'],
    ]);
  },
  'a chunked body, a body that waits to be asked for, and a whole URL are served': async (t) => {
    const chunked = ['POST /api/publish HTTP/1.1', key, 'Transfer-Encoding: chunked'];
    expect((await ask(t, chunked, `1e\r\n${publish}\r\n0\r\n\r\n`)).status).toBe(200);
    expect((await ask(t, ['POST /api/publish HTTP/1.1', key, 'Expect: 100-continue'], publish)).status).toBe(100);
    expect((await ask(t, ['POST http://x/api/publish HTTP/1.1', key], publish)).status).toBe(200);
  },
  'a line break inside an encoded path ends nothing': async (t) => {
    expect((await ask(t, ['GET /a%0d%0ab//x HTTP/1.1'])).status).toBe(307);
    expect((await ask(t, upgrade('/a%0d%0ab//x'))).status).toBe(307);
    expect((await ask(t, ['GET /health HTTP/1.1'])).status).toBe(200);
  },
  'an upgrade needs its header fields': async (t) => {
    const path = '/connection/websocket';
    for (const change of [
      { 'Sec-WebSocket-Version': '8' },
      { 'Sec-WebSocket-Version': '' },
      { 'Sec-WebSocket-Key': 'x' },
      { Upgrade: 'h2c' },
    ] as Record<string, string>[]) {
      const { status, headers } = await ask(t, upgrade(path, change));
      expect([status, headers.get('sec-websocket-version')], JSON.stringify(change)).toEqual([400, '13']);
    }
    expect((await ask(t, upgrade(path, { Connection: 'keep-alive' }))).status).toBe(400);
    expect((await ask(t, upgrade(path))).status).toBe(101);
  },
  'OPTIONS of the server as a whole is 200, another method 400': async (t) => {
    expect((await ask(t, ['OPTIONS * HTTP/1.1'])).status).toBe(200);
    expect((await ask(t, ['GET * HTTP/1.1'])).status).toBe(400);
  },
  'the order of the client decides between sub-protocols': async (t) => {
    const chosen = async (wanted: string) => {
      const { status, headers } = await ask(t, upgrade('/connection/websocket', { 'Sec-WebSocket-Protocol': wanted }));
      return [status, headers.get('sec-websocket-protocol')];
    };
    expect(await chosen('centrifuge-protobuf, centrifuge-json')).toEqual([101, 'centrifuge-protobuf']);
    expect(await chosen('centrifuge-json, centrifuge-protobuf')).toEqual([101, 'centrifuge-json']);
    expect(await chosen('other')).toEqual([101, undefined]);
  },
  'the path of an upgrade is decoded and cleaned as any other': async (t) => {
    expect((await ask(t, upgrade('/connection/%77ebsocket'))).status).toBe(101);
    const { status, headers } = await ask(t, upgrade('/connection//websocket'));
    expect([status, headers.get('location')]).toEqual([307, '/connection/websocket']);
    expect((await ask(t, upgrade('/connection/websocket/'))).status).toBe(404);
  },
  'uni_websocket: without an upgrade, and with a connect request that is none': async (t) => {
    expect((await ask(t, ['GET /connection/uni_websocket HTTP/1.1'])).status).toBe(400);
    const { status, body } = await ask(t, upgrade('/connection/uni_websocket?cf_connect=x'));
    expect([status, body]).toEqual([400, 'invalid connect request\n']);
  },
});
