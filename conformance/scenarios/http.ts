import { request } from 'node:http';
import { expect } from 'vitest';
import type { ApiOptions, ApiResponse } from '../clients/api-client.ts';
import { SECRETS } from '../environments.ts';
import { type Scenario, type ScenarioContext, scenarios } from '../scenario.ts';

const key = { 'X-API-Key': SECRETS.api };
const right = `apikey ${SECRETS.api}`;
const valid = (t: ScenarioContext): string => JSON.stringify({ channel: t.channel('plain'), data: 1 });

interface Row extends ApiOptions {
  /** Below `/api`. @default /publish */
  readonly path?: string;
  /** @default a valid publish */
  readonly body?: (t: ScenarioContext) => string;
  readonly status: number;
  /** The whole body: JSON, or text. */
  readonly answer?: object | string;
}

const rows: Record<string, Row> = {
  'the key in X-API-Key is accepted': { headers: key, status: 200, answer: { result: {} } },
  'the key in Authorization is accepted': { headers: { Authorization: right }, status: 200 },
  'the scheme apikey may be written in any case': {
    headers: { Authorization: `ApiKey ${SECRETS.api}` },
    status: 200,
  },
  'spaces between scheme and key do not matter': { headers: { Authorization: `apikey  ${SECRETS.api}` }, status: 200 },
  'the key in the query is accepted': { path: `/publish?api_key=${SECRETS.api}`, headers: {}, status: 200 },
  'no key is 401 without a body': { headers: {}, status: 401, answer: '' },
  'a wrong key is 401 without a body': { headers: { 'X-API-Key': 'wrong' }, status: 401, answer: '' },
  'the key with another scheme is 401': { headers: { Authorization: `Bearer ${SECRETS.api}` }, status: 401 },
  'the key without a scheme is 401': { headers: { Authorization: SECRETS.api }, status: 401 },
  'a wrong X-API-Key masks a right Authorization': {
    headers: { 'X-API-Key': 'wrong', Authorization: right },
    status: 401,
  },
  'a right X-API-Key is enough beside a wrong query': { path: '/publish?api_key=wrong', headers: key, status: 200 },
  'a right query is enough beside a wrong Authorization': {
    path: `/publish?api_key=${SECRETS.api}`,
    headers: { Authorization: 'apikey wrong' },
    status: 200,
  },
  'a GET is 405, without a body': { method: 'GET', headers: key, status: 405, answer: '' },
  'a GET without a key is 405 too': { method: 'GET', headers: {}, status: 405 },
  'a PUT is 405': { method: 'PUT', headers: key, status: 405 },
  'an OPTIONS is 405: browsers have no business here': { method: 'OPTIONS', headers: key, status: 405 },
  'an unknown method is 404': { path: '/nonsense', headers: key, status: 404, answer: '404 page not found\n' },
  'an unknown method is 404 before the key is looked at': { path: '/nonsense', headers: {}, status: 404 },
  'methods of the commercial edition are 404': { path: '/connections', headers: key, status: 404 },
  'a slash behind the method is 404': { path: '/publish/', headers: key, status: 404 },
  'upper case in the path is 404': { path: '/PUBLISH', headers: key, status: 404 },
  'percent encoding in the path is understood': { path: '/%70ublish', headers: key, status: 200 },
  'a zero byte in the path is 404': { path: '/publish%00', headers: key, status: 404 },
  'a body that is no JSON is 400 in plain text': {
    body: () => 'nonsense',
    headers: key,
    status: 400,
    answer: 'Bad Request\n',
  },
  'an empty body is 400': { body: () => '', headers: key, status: 400 },
  'an array is 400': { body: () => '[]', headers: key, status: 400 },
  'null is error 107': {
    body: () => 'null',
    headers: key,
    status: 200,
    answer: { error: { code: 107, message: 'bad request' } },
  },
  'a channel that is no string is 400': { body: () => '{"channel":5,"data":1}', headers: key, status: 400 },
  'text behind the JSON is 400': { body: (t) => `${valid(t)} x`, headers: key, status: 400 },
  'a second JSON behind the first is 400': { body: (t) => valid(t) + valid(t), headers: key, status: 400 },
  'letter case of the keys does not matter': {
    body: (t) => JSON.stringify({ Channel: t.channel('plain'), DATA: 1 }),
    headers: key,
    status: 200,
    answer: { result: {} },
  },
  'any content type is accepted': { headers: { ...key, 'Content-Type': 'text/plain' }, status: 200 },
  'in transport mode an undefined namespace is 404': {
    body: () => '{"channel":"nope:x","data":1}',
    headers: { ...key, 'X-Centrifugo-Error-Mode': 'transport' },
    status: 404,
    answer: { code: 102, message: 'unknown channel' },
  },
  'in transport mode a bad request is 400': {
    body: () => '{"data":1}',
    headers: { ...key, 'X-Centrifugo-Error-Mode': 'transport' },
    status: 400,
    answer: { code: 107, message: 'bad request' },
  },
  'in transport mode what is not available is 400': {
    path: '/history',
    headers: { ...key, 'X-Centrifugo-Error-Mode': 'transport' },
    status: 400,
    answer: { code: 108, message: 'not available' },
  },
  'in transport mode an unrecoverable position is 416': {
    path: '/history',
    body: (t) => JSON.stringify({ channel: t.channel('open'), since: { offset: 1, epoch: 'other' } }),
    headers: { ...key, 'X-Centrifugo-Error-Mode': 'transport' },
    status: 416,
    answer: { code: 112, message: 'unrecoverable position' },
  },
  'in transport mode an unknown rpc is 404': {
    path: '/rpc',
    body: () => '{"method":"x"}',
    headers: { ...key, 'X-Centrifugo-Error-Mode': 'transport' },
    status: 404,
    answer: { code: 104, message: 'not found' },
  },
  'in transport mode a success is as ever': {
    headers: { ...key, 'X-Centrifugo-Error-Mode': 'transport' },
    status: 200,
    answer: { result: {} },
  },
  'in transport mode a broadcast still reports per channel': {
    path: '/broadcast',
    body: () => '{"channels":["nope:x"],"data":1}',
    headers: { ...key, 'X-Centrifugo-Error-Mode': 'transport' },
    status: 200,
    answer: { result: { responses: [{ error: { code: 102, message: 'unknown channel' } }] } },
  },
  'in transport mode a batch still reports per command': {
    path: '/batch',
    body: () => '{"commands":[{"publish":{"channel":"nope:x","data":1}}]}',
    headers: { ...key, 'X-Centrifugo-Error-Mode': 'transport' },
    status: 200,
    answer: { replies: [{ error: { code: 102, message: 'unknown channel' } }] },
  },
  'an unknown error mode is the usual one': {
    body: () => '{"channel":"nope:x","data":1}',
    headers: { ...key, 'X-Centrifugo-Error-Mode': 'other' },
    status: 200,
    answer: { error: { code: 102, message: 'unknown channel' } },
  },
  'the old form names the method in the body': {
    path: '',
    body: (t) => JSON.stringify({ method: 'publish', params: { channel: t.channel('plain'), data: 1 } }),
    headers: key,
    status: 200,
    answer: { result: {} },
  },
  'the old form echoes an id': {
    path: '',
    body: () => '{"id":5,"method":"publish","params":{"channel":"nope:x","data":1}}',
    headers: key,
    status: 200,
    answer: { id: 5, error: { code: 102, message: 'unknown channel' } },
  },
  'the old form with an unknown method is 400': {
    path: '',
    body: () => '{"method":"nonsense","params":{}}',
    headers: key,
    status: 400,
  },
  'the old form without a method is a publish without anything': {
    path: '',
    body: () => '{}',
    headers: key,
    status: 200,
    answer: { error: { code: 107, message: 'bad request' } },
  },
  'the old form needs the key': { path: '', body: () => '{}', headers: {}, status: 401 },
  'the old form with a slash behind is 404': { path: '/', body: () => '{}', headers: key, status: 404 },
};

/** A request without the help of `fetch`, which tidies paths up. */
function rawRequest(
  node: string,
  options: { method?: string; path: string; headers?: Record<string, string>; body?: string },
): Promise<{ status: number; location: string | undefined }> {
  const { hostname, port } = new URL(node);
  return new Promise((resolve, reject) => {
    const outgoing = request(
      { hostname, port, method: options.method ?? 'GET', path: options.path, headers: options.headers },
      (response) => {
        response.resume();
        response.once('end', () => resolve({ status: response.statusCode ?? 0, location: response.headers.location }));
      },
    );
    outgoing.once('error', reject);
    outgoing.once('upgrade', (response, socket) => {
      socket.destroy();
      resolve({ status: response.statusCode ?? 0, location: undefined });
    });
    outgoing.end(options.body);
  });
}

function prove({ path = '/publish', body = valid, status, answer, ...options }: Row) {
  return async (t: ScenarioContext): Promise<void> => {
    const response: ApiResponse = await t.http(
      path.replace(/^\//, path === '/' ? '/' : ''),
      {},
      {
        ...options,
        raw: body(t),
      },
    );
    expect(response.status).toBe(status);
    if (typeof answer === 'string') expect(response.text).toBe(answer);
    else if (answer) expect(response.body).toEqual(answer);
  };
}

const upgrade = {
  Connection: 'Upgrade',
  Upgrade: 'websocket',
  'Sec-WebSocket-Version': '13',
  'Sec-WebSocket-Key': 'dGhlIHNhbXBsZSBub25jZQ==',
};
const upgradeStatus = async (t: ScenarioContext, headers: Record<string, string>, path = '/connection/websocket') =>
  (await rawRequest(t.node(), { path, headers })).status;

export const httpScenarios: readonly Scenario[] = [
  ...scenarios(
    'http',
    'standard',
    Object.fromEntries(Object.entries(rows).map(([sentence, row]) => [sentence, prove(row)])),
  ),
  ...scenarios('http', 'standard', {
    'the content type of an answer is JSON': async (t) => {
      const response = await t.http('publish', { channel: t.channel('plain'), data: 1 });
      expect(response.headers.get('content-type')).toBe('application/json');
    },
    'the old form answers each line of a body with a line': async (t) => {
      const line = (data: number) =>
        JSON.stringify({ method: 'publish', params: { channel: t.channel('open'), data } });
      const response = await t.http('', {}, { raw: `${line(1)}\n${line(2)}` });
      const offsets = response.text
        .trim()
        .split('\n')
        .map((text) => (JSON.parse(text) as { result: { offset: number } }).result.offset);
      expect(offsets).toEqual([1, 2]);
    },
    'tricks in the path are redirected to the clean one': async (t) => {
      for (const path of ['/api//publish', '/api/../api/publish', '/api/./publish'])
        expect(await rawRequest(t.node(), { method: 'POST', path, headers: key, body: '{}' }), path).toEqual({
          status: 307,
          location: '/api/publish',
        });
    },
    'a body of 5 MB is accepted': async (t) => {
      const response = await t.http('publish', { channel: t.channel('plain'), data: 'x'.repeat(5_000_000) });
      expect(response.body).toEqual({ result: {} });
    },
    'health is 200 with an empty object': async (t) => {
      const response = await fetch(`${t.node()}/health`);
      expect([response.status, await response.text()]).toEqual([200, '{}']);
    },
    'what is not enabled is 404': async (t) => {
      for (const path of ['/', '/nothing', '/metrics', '/connection/http_stream', '/connection/sse', '/emulation'])
        expect((await fetch(t.node() + path)).status, path).toBe(404);
    },
    'a plain request to the socket address is 400': async (t) => {
      expect(await upgradeStatus(t, {})).toBe(400);
    },
    'an upgrade of another version of WebSocket is 400': async (t) => {
      expect(await upgradeStatus(t, { ...upgrade, 'Sec-WebSocket-Version': '12' })).toBe(400);
    },
    'an upgrade with a malformed key is 400': async (t) => {
      expect(await upgradeStatus(t, { ...upgrade, 'Sec-WebSocket-Key': 'x' })).toBe(400);
    },
    'an upgrade at another address is 404': async (t) => {
      expect(await upgradeStatus(t, upgrade, '/connection/nothing')).toBe(404);
    },
    'an upgrade without an Origin is accepted': async (t) => {
      expect(await upgradeStatus(t, upgrade)).toBe(101);
    },
    'an upgrade of any Origin is 403 where none is configured': async (t) => {
      expect(await upgradeStatus(t, { ...upgrade, Origin: 'http://localhost:3000' })).toBe(403);
      expect(await upgradeStatus(t, { ...upgrade, Origin: 'null' })).toBe(403);
    },
    'an upgrade of the own host as Origin is accepted': async (t) => {
      expect(await upgradeStatus(t, { ...upgrade, Origin: t.server.nodes[0] })).toBe(403);
    },
    'info names the node and counts': async (t) => {
      const { result } = await t.api('info', {});
      const nodes = (result as { nodes: Record<string, unknown>[] }).nodes;
      expect(nodes).toHaveLength(t.server.nodes.length);
      expect(nodes[0]).toMatchObject({
        uid: expect.any(String),
        name: expect.stringMatching(/^.+_\d+$/),
        version: expect.any(String),
      });
      expect(nodes[0]).toMatchObject({ num_clients: expect.any(Number), num_users: expect.any(Number) });
      expect(nodes[0]).toMatchObject({ num_channels: expect.any(Number), num_subs: expect.any(Number) });
    },
    'channels counts those who are there': async (t) => {
      const channel = t.channel('plain');
      await t.subscriber(channel);
      await t.subscriber(channel);
      const { result } = await t.api('channels', { pattern: channel });
      expect(result).toEqual({ channels: { [channel]: { num_clients: 2 } } });
    },
    'channels takes a glob': async (t) => {
      const [one, two] = [t.channel('plain', 'one'), t.channel('plain', 'two')];
      await t.subscriber(one, two);
      const { result } = await t.api('channels', { pattern: `plain:*-${t.unique}` });
      expect(Object.keys((result as { channels: object }).channels).sort()).toEqual([one, two]);
    },
    'broadcast to one channel twice publishes twice': async (t) => {
      const channel = t.channel('stored');
      const { result } = await t.api('broadcast', { channels: [channel, channel], data: 1 });
      const { responses } = result as { responses: { result: { offset: number } }[] };
      expect(responses.map((response) => response.result.offset).sort()).toEqual([1, 2]);
    },
    'a publication that is no JSON closes JSON clients with 3506': async (t) => {
      const channel = t.channel('plain');
      const wire = await t.subscriber(channel);
      expect(await t.api('publish', { channel, b64data: Buffer.from('no json').toString('base64') })).toEqual({
        result: {},
      });
      expect(await wire.closeCode()).toEqual({ code: 3506, reason: 'inappropriate protocol' });
    },
    'line feeds in base64 data do not cut the line that JSON clients read': async (t) => {
      const channel = t.channel('plain');
      const wire = await t.subscriber(channel);
      await t.api('publish', { channel, b64data: Buffer.from('{\n "a":\n[1]}\n').toString('base64') });
      expect(await wire.next()).toMatchObject({ push: { pub: { data: { a: [1] } } } });
      expect(wire.lines.at(-1)).toContain('"data":{ "a":[1]}}');
    },
  }),
  ...scenarios('http in transport mode', 'origins', {
    'an error is the answer itself, with its status': async (t) => {
      const response = await t.http('publish', { channel: 'nope:x', data: 1 });
      expect([response.status, response.body]).toEqual([404, { code: 102, message: 'unknown channel' }]);
    },
    'a success is as ever': async (t) => {
      const response = await t.http('publish', { channel: t.channel('plain'), data: 1 });
      expect([response.status, response.body]).toEqual([200, { result: {} }]);
    },
  }),
  ...scenarios('origins', 'origins', {
    'a listed origin is accepted': async (t) => {
      expect(await upgradeStatus(t, { ...upgrade, Origin: 'http://app.example' })).toBe(101);
    },
    'letter case of an origin does not matter': async (t) => {
      expect(await upgradeStatus(t, { ...upgrade, Origin: 'HTTP://App.Example' })).toBe(101);
    },
    'another scheme, port or host is 403': async (t) => {
      for (const origin of [
        'https://app.example',
        'http://app.example:8080',
        'http://evil.example',
        'http://app.example.evil.example',
        'null',
      ])
        expect(await upgradeStatus(t, { ...upgrade, Origin: origin }), origin).toBe(403);
    },
    'a wildcard matches what stands before the dot': async (t) => {
      expect(await upgradeStatus(t, { ...upgrade, Origin: 'https://a.wild.example' })).toBe(101);
      expect(await upgradeStatus(t, { ...upgrade, Origin: 'https://a.b.wild.example' })).toBe(101);
      expect(await upgradeStatus(t, { ...upgrade, Origin: 'https://wild.example' })).toBe(403);
    },
    'no origin is accepted': async (t) => {
      expect(await upgradeStatus(t, upgrade)).toBe(101);
    },
  }),
];
