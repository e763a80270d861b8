import { request } from 'node:http';
import { Centrifuge as ProtobufCentrifuge } from 'centrifuge/build/protobuf';
import { expect } from 'vitest';
import WebSocket from 'ws';
import type { ProtobufClient } from '../clients/protobuf-client.ts';
import type { StreamClient, StreamTransport } from '../clients/stream-client.ts';
import { within } from '../clients/wire-client.ts';
import { type Scenario, type ScenarioContext, scenarios } from '../scenario.ts';

const streams: readonly StreamTransport[] = ['http_stream', 'sse'];

/** A connected client over a stream, of the scenario's user. */
async function connected(t: ScenarioContext, transport: StreamTransport, claims: object = {}): Promise<StreamClient> {
  const wire = (await t.openOver(transport)) as StreamClient;
  await wire.call({ connect: { token: await t.token({ sub: t.user(), ...claims }) } });
  return wire;
}

const head = async (url: string, init: RequestInit): Promise<[number, string | null, string | null]> => {
  const abort = new AbortController();
  const response = await fetch(url, { ...init, signal: abort.signal });
  abort.abort();
  return [
    response.status,
    response.headers.get('access-control-allow-origin') || null,
    response.headers.get('access-control-allow-methods'),
  ];
};

/** The first `count` data of an endless response. */
async function readLines(response: Response, count: number): Promise<string[]> {
  const decoder = new TextDecoder();
  let text = '';
  const complete = (): string[] =>
    text
      .split('\n')
      .slice(0, -1)
      .map((line) => line.replace(/\r$/, '').replace(/^data: /, ''))
      .filter((line) => line !== '');
  for await (const chunk of response.body!) {
    text += decoder.decode(chunk as Uint8Array, { stream: true });
    if (complete().length >= count) break;
  }
  return complete().slice(0, count);
}

/** The answer to an upgrade, headers included. */
function upgradeAnswer(url: string, headers: Record<string, string>): Promise<{ status: number; protocol: unknown }> {
  return within(
    new Promise((resolve, reject) => {
      const outgoing = request(url, { headers });
      outgoing.once('error', reject);
      outgoing.once('response', ({ statusCode = 0 }) => resolve({ status: statusCode, protocol: undefined }));
      outgoing.once('upgrade', ({ headers: answered }, socket) => {
        socket.destroy();
        resolve({ status: 101, protocol: answered['sec-websocket-protocol'] });
      });
      outgoing.end();
    }),
    'the answer to an upgrade',
  );
}

const uni = {
  uni_sse: (t: ScenarioContext, connect: object) =>
    fetch(`${t.node()}/connection/uni_sse?cf_connect=${encodeURIComponent(JSON.stringify(connect))}`),
  uni_http_stream: (t: ScenarioContext, connect: object) =>
    fetch(`${t.node()}/connection/uni_http_stream`, { method: 'POST', body: JSON.stringify(connect) }),
};

export const transportScenarios: readonly Scenario[] = [
  ...streams.flatMap((transport) =>
    scenarios(transport, 'transports', {
      'the connect reply tells session and node': async (t) => {
        const wire = await connected(t, transport);
        expect(wire.session).toEqual({ session: expect.any(String), node: expect.any(String) });
      },
      'commands by emulation are answered with 204, their replies come in the stream': async (t) => {
        const wire = await connected(t, transport);
        expect(await wire.call({ subscribe: { channel: t.channel('plain') } })).toEqual({ subscribe: {} });
        await t.publish(t.channel('plain'), 1);
        expect(await wire.publication(t.channel('plain'))).toEqual({ data: 1 });
        expect(wire.statuses).toEqual([204]);
      },
      'several commands travel with the first request': async (t) => {
        const wire = (await t.openOver(transport)) as StreamClient;
        const token = await t.token({ sub: t.user() });
        wire.send({ id: 1, connect: { token } }, { id: 2, subscribe: { channel: t.channel('plain') } });
        await wire.reply(1);
        expect(await wire.reply(2)).toEqual({ subscribe: {} });
      },
      'a malformed emulated command ends the stream with 3501': async (t) => {
        const wire = await connected(t, transport);
        wire.sendText('nonsense');
        expect(await wire.closeCode()).toEqual({ code: 3501, reason: 'bad request' });
      },
      'null for emulated data ends the stream with 3501': async (t) => {
        const wire = await connected(t, transport);
        const body = JSON.stringify({ ...wire.session, data: null });
        expect((await fetch(`${wire.node}/emulation`, { method: 'POST', body })).status).toBe(204);
        expect(await wire.closeCode()).toEqual({ code: 3501, reason: 'bad request' });
      },
      'a second connect command by emulation ends the stream with 3501, whether its token is good or not': async (
        t,
      ) => {
        for (const claims of [{ sub: t.user() }, { sub: t.user(), exp: 1_500_000_000 }]) {
          const wire = await connected(t, transport);
          wire.send({ id: 9, connect: { token: await t.token(claims) } });
          expect(await wire.closeCode()).toEqual({ code: 3501, reason: 'bad request' });
        }
      },
      'a malformed first command ends the stream with 3501': async (t) => {
        const wire = await t.openOver(transport);
        wire.sendText('nonsense');
        expect(await wire.closeCode()).toEqual({ code: 3501, reason: 'bad request' });
      },
      'the end of the request is the end of the connection': async (t) => {
        const channel = t.channel('joining');
        const [staying, leaving] = [await connected(t, transport), await connected(t, transport)];
        await staying.call({ subscribe: { channel } });
        await staying.push();
        await leaving.call({ subscribe: { channel } });
        await staying.push();
        leaving.close();
        expect(await staying.push()).toMatchObject({ leave: { info: { user: t.user() } } });
      },
      'the response is not cached nor buffered': async (t) => {
        const wire = await connected(t, transport);
        const headers = Object.fromEntries(wire.response!.headers);
        expect(headers).toMatchObject({
          'cache-control': 'private, no-cache, no-store, must-revalidate, max-age=0',
          'x-accel-buffering': 'no',
          'content-type': transport === 'sse' ? 'text/event-stream; charset=utf-8' : 'text/plain; charset=utf-8',
        });
      },
      'an oversize first request is refused': async (t) => {
        const wire = (await t.openOver(transport)) as StreamClient;
        if (transport === 'http_stream') {
          wire.sendText('x'.repeat(70_000));
          expect((await wire.closeCode()).code).toBe(413);
        } else {
          const response = await fetch(`${t.node()}/connection/sse`, { method: 'POST', body: 'x'.repeat(70_000) });
          expect(response.status).toBe(413);
        }
      },
      'a foreign origin is served, without the header that lets a browser read': async (t) => {
        const token = await t.token({ sub: t.user() });
        const connect = JSON.stringify({ id: 1, connect: { token } });
        const path =
          transport === 'sse' ? `/connection/sse?cf_connect=${encodeURIComponent(connect)}` : '/connection/http_stream';
        const init = transport === 'sse' ? {} : { method: 'POST', body: connect };
        const at = `${t.node()}${path}`;
        expect(await head(at, { ...init, headers: { Origin: 'http://app.example' } })).toEqual([
          200,
          'http://app.example',
          null,
        ]);
        expect(await head(at, { ...init, headers: { Origin: 'http://evil.example' } })).toEqual([200, null, null]);
      },
    }),
  ),
  ...scenarios('streams', 'transports', {
    'http_stream takes POST and answers OPTIONS': async (t) => {
      const at = `${t.node()}/connection/http_stream`;
      expect((await head(at, { method: 'GET' }))[0]).toBe(405);
      expect(await head(at, { method: 'OPTIONS', headers: { Origin: 'http://app.example' } })).toEqual([
        204,
        'http://app.example',
        'POST, OPTIONS',
      ]);
      expect(await head(at, { method: 'OPTIONS', headers: { Origin: 'http://evil.example' } })).toEqual([
        204,
        null,
        'POST, OPTIONS',
      ]);
    },
    'sse takes GET with cf_connect and POST': async (t) => {
      const at = `${t.node()}/connection/sse`;
      expect((await head(at, { method: 'GET' }))[0]).toBe(400);
      expect((await head(at, { method: 'PUT' }))[0]).toBe(405);
      const token = await t.token({ sub: t.user() });
      const response = await fetch(at, { method: 'POST', body: JSON.stringify({ id: 1, connect: { token } }) });
      const [line] = await readLines(response, 1);
      expect(JSON.parse(line!)).toMatchObject({ id: 1, connect: { session: expect.any(String) } });
    },
    'emulation: statuses': async (t) => {
      const at = `${t.node()}/emulation`;
      const post = async (body: string) => (await fetch(at, { method: 'POST', body })).status;
      expect(await post('nonsense')).toBe(400);
      expect(await post('{}')).toBe(404);
      expect(await post('{"session":"x","node":"y","data":"{}"}')).toBe(404);
      expect(await post('x'.repeat(70_000))).toBe(413);
      expect((await fetch(at)).status).toBe(405);
      expect((await head(at, { method: 'OPTIONS', headers: { Origin: 'http://app.example' } }))[0]).toBe(204);
    },
    'emulation: an unknown session of a known node is accepted and does nothing': async (t) => {
      const wire = await connected(t, 'http_stream');
      const body = JSON.stringify({ ...wire.session, session: 'x', data: 'nonsense' });
      expect((await fetch(`${wire.node}/emulation`, { method: 'POST', body })).status).toBe(204);
      await wire.settle();
    },
    'metrics are in the Prometheus format, under the names of Centrifugo': async (t) => {
      const response = await fetch(`${t.node()}/metrics`);
      expect(response.headers.get('content-type')).toMatch(/^text\/plain; version=0\.0\.4/);
      const text = await response.text();
      for (const name of [
        'centrifugo_node_num_clients',
        'centrifugo_node_num_users',
        'centrifugo_node_num_channels',
        'centrifugo_node_num_subscriptions',
        'centrifugo_node_num_nodes',
      ])
        expect(text, name).toMatch(new RegExp(`^# TYPE ${name} gauge$`, 'm'));
      expect(text).toMatch(/^centrifugo_node_num_nodes \d+$/m);
    },
    'metrics count connections by transport, and by whether the client told a name and a version': async (t) => {
      const labels = (name: string, version: string, transport: string) =>
        `accept_protocol="",client_name="${name}",client_version="${version}",transport="${transport}"`;
      const token = await t.token({ sub: t.user() });
      for (const [transport, client] of [
        ['websocket', { name: 'js"\\', version: '1' }],
        ['websocket', { version: '1' }],
        ['http_stream', { name: 'x' }],
        ['sse', {}],
      ] as const)
        await (await t.openOver(transport)).call({ connect: { token, ...client } });
      const text = await (await fetch(`${t.server.nodes[0]}/metrics`)).text();
      for (const series of [
        labels('unregistered', 'unregistered', 'websocket'),
        labels('unnamed', 'unregistered', 'websocket'),
        labels('unregistered', 'unversioned', 'http_stream'),
        labels('unnamed', 'unversioned', 'sse'),
      ])
        expect(text).toMatch(new RegExp(`^centrifugo_client_connections_inflight\\{${series}\\} [1-9]\\d*$`, 'm'));
    },
    'metrics count messages by type and calls of the API by method': async (t) => {
      await t.api('publish', { channel: t.channel('plain'), data: 1 });
      const text = await (await fetch(`${t.node()}/metrics`)).text();
      for (const type of ['publication', 'join', 'leave'])
        for (const name of ['centrifugo_node_messages_sent_count', 'centrifugo_node_messages_received_count'])
          expect(text).toMatch(new RegExp(`^${name}{channel_namespace="",type="${type}"} \\d+$`, 'm'));
      const labels = '{method="publish",protocol="http"}';
      expect(text).toMatch(new RegExp(`^centrifugo_api_command_duration_seconds_count${labels} [1-9]\\d*$`, 'm'));
      expect(text).toMatch(new RegExp(`^centrifugo_api_command_duration_seconds_sum${labels} [\\d.e-]+$`, 'm'));
      expect(text).toMatch(/^# TYPE centrifugo_api_command_duration_seconds summary$/m);
      expect(text).toMatch(/^centrifugo_node_build\{version="[^"]+"\} 1$/m);
    },
  }),
  ...(['uni_sse', 'uni_http_stream'] as const).flatMap((transport) =>
    scenarios(transport, 'transports', {
      'a connect push comes first, then what happens': async (t) => {
        const channel = t.channel('plain');
        const token = await t.token({ sub: t.user(), subs: { [channel]: {} } });
        const response = await uni[transport](t, { token });
        t.onEnd(() => response.body?.cancel().catch(() => {}));
        await t.api('publish', { channel, data: { a: 1 } });
        const [connect, publication] = await readLines(response, 2);
        expect(JSON.parse(connect!)).toEqual({
          connect: {
            client: expect.any(String),
            version: expect.any(String),
            subs: { [channel]: {} },
            ping: 25,
            session: expect.any(String),
          },
        });
        expect(JSON.parse(publication!)).toEqual({ channel, pub: { data: { a: 1 } } });
      },
      'an invalid token is a disconnect': async (t) => {
        const [line] = await readLines(await uni[transport](t, { token: 'bad' }), 1);
        expect(JSON.parse(line!)).toEqual({ disconnect: { code: 3500, reason: 'invalid token' } });
      },
      'an expired token': async (t) => {
        const token = await t.token({ sub: t.user(), exp: 1_500_000_000 });
        const [line] = await readLines(await uni[transport](t, { token }), 1);
        expect(JSON.parse(line!)).toEqual({ disconnect: { code: 3005, reason: 'connection expired' } });
      },
      'recovery from a position': async (t) => {
        const channel = t.channel('recovery');
        const { epoch } = await t.publish(channel, 1, 2);
        const token = await t.token({ sub: t.user(), subs: { [channel]: {} } });
        const response = await uni[transport](t, { token, subs: { [channel]: { recover: true, offset: 1, epoch } } });
        const [line] = await readLines(response, 1);
        expect(JSON.parse(line!)).toMatchObject({
          connect: { subs: { [channel]: { recovered: true, publications: [{ data: 2, offset: 2 }] } } },
        });
      },
    }),
  ),
  ...scenarios('uni_websocket', 'transports', {
    'a connect push comes first, then what happens': async (t) => {
      const channel = t.channel('plain');
      const wire = await t.open({ path: '/connection/uni_websocket' });
      wire.sendText(JSON.stringify({ token: await t.token({ sub: t.user(), subs: { [channel]: {} } }) }));
      expect(await wire.next()).toMatchObject({ connect: { subs: { [channel]: {} } } });
      await t.publish(channel, 1);
      expect(await wire.next()).toEqual({ channel, pub: { data: 1 } });
    },
    'an invalid token is a disconnect, then the close': async (t) => {
      const wire = await t.open({ path: '/connection/uni_websocket' });
      wire.sendText('{"token":"bad"}');
      expect(await wire.closeCode()).toEqual({ code: 3500, reason: 'invalid token' });
      expect(wire.lines).toEqual(['{"disconnect":{"code":3500,"reason":"invalid token"}}']);
    },
    'cf_connect in the address says the same as a first message': async (t) => {
      const connect = encodeURIComponent(JSON.stringify({ token: await t.token({ sub: t.user() }) }));
      const wire = await t.open({ path: `/connection/uni_websocket?cf_connect=${connect}` });
      expect(await wire.next()).toMatchObject({ connect: { client: expect.any(String) } });
    },
    'what the client sends later is ignored': async (t) => {
      const channel = t.channel('plain');
      const wire = await t.open({ path: '/connection/uni_websocket' });
      wire.sendText(JSON.stringify({ token: await t.token({ sub: t.user(), subs: { [channel]: {} } }) }));
      await wire.next();
      wire.sendText('{"id":2,"subscribe":{"channel":"plain:x"}}');
      await t.publish(channel, 1);
      expect(await wire.next()).toEqual({ channel, pub: { data: 1 } });
    },
  }),
  ...scenarios('protobuf frames', 'transports', {
    'cf_protocol in the address asks for Protobuf too': async (t) => {
      const wire = (await t.openOver('protobuf', {
        path: '/connection/websocket?cf_protocol=protobuf',
        subprotocol: '',
      })) as ProtobufClient;
      expect(await wire.call({ connect: { token: await t.token({ sub: t.user() }) } })).toMatchObject({
        connect: { client: expect.any(String) },
      });
    },
    'the sub-protocol is confirmed': async (t) => {
      const wire = (await t.openOver('protobuf')) as ProtobufClient;
      expect(wire.socket.protocol).toBe('centrifuge-protobuf');
    },
    'an unknown sub-protocol is left unconfirmed': async (t) => {
      const headers = {
        Connection: 'Upgrade',
        Upgrade: 'websocket',
        'Sec-WebSocket-Version': '13',
        'Sec-WebSocket-Key': 'dGhlIHNhbXBsZSBub25jZQ==',
        'Sec-WebSocket-Protocol': 'unheard-of',
      };
      const { status, protocol } = await upgradeAnswer(`${t.node()}/connection/websocket`, headers);
      expect([status, protocol]).toEqual([101, undefined]);
    },
    'an empty command is an unsolicited pong: 3501': async (t) => {
      const wire = (await t.openOver('protobuf')) as ProtobufClient;
      await wire.call({ connect: { token: await t.token({ sub: t.user() }) } });
      wire.sendBinary(Buffer.from([0]));
      expect(await wire.closeCode()).toEqual({ code: 3501, reason: 'bad request' });
    },
    'malformed frames close with 3501': async (t) => {
      for (const bytes of [
        [],
        [5],
        [5, 1, 2],
        [1, 0xff],
        [2, 0x08, 0x80],
        [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f],
      ]) {
        const wire = (await t.openOver('protobuf')) as ProtobufClient;
        await wire.call({ connect: { token: await t.token({ sub: t.user() }) } });
        wire.sendBinary(Buffer.from(bytes));
        expect(await wire.closeCode(), bytes.join()).toEqual({ code: 3501, reason: 'bad request' });
      }
    },
    'a text frame on a Protobuf connection is read as Protobuf': async (t) => {
      const wire = (await t.openOver('protobuf')) as ProtobufClient;
      await wire.call({ connect: { token: await t.token({ sub: t.user() }) } });
      wire.socket.send('{"id":2,"subscribe":{"channel":"plain:x"}}');
      expect(await wire.closeCode()).toEqual({ code: 3501, reason: 'bad request' });
    },
    'an unknown field in a command is ignored': async (t) => {
      const wire = (await t.openOver('protobuf')) as ProtobufClient;
      await wire.call({ connect: { token: await t.token({ sub: t.user() }) } });
      // id 2, unsubscribe {channel "x"}, and field 99 as a varint
      const command = [0x08, 2, 0x32, 3, 0x0a, 1, 0x78, 0x98, 0x06, 1];
      wire.sendBinary(Buffer.from([command.length, ...command]));
      expect(await wire.reply(2)).toEqual({ unsubscribe: {} });
    },
    'data that is no JSON passes between Protobuf clients': async (t) => {
      const channel = t.channel('plain');
      const wire = (await t.openOver('protobuf')) as ProtobufClient;
      await wire.call({ connect: { token: await t.token({ sub: t.user() }) } });
      await wire.call({ subscribe: { channel } });
      wire.socket.removeAllListeners('message'); // what comes now is not JSON inside
      const arrived = new Promise<Buffer>((resolve) => wire.socket.once('message', (data) => resolve(data as Buffer)));
      await t.api('publish', { channel, b64data: Buffer.from([0, 1, 2, 0xff]).toString('base64') });
      expect((await within(arrived, 'the publication')).includes(Buffer.from([0, 1, 2, 0xff]))).toBe(true);
    },
  }),
  ...scenarios('official client with Protobuf', 'transports', {
    'connects, subscribes, publishes and recovers': async (t) => {
      const channel = t.channel('open');
      const encode = (value: unknown) => new TextEncoder().encode(JSON.stringify(value));
      const decode = (bytes: Uint8Array) => JSON.parse(new TextDecoder().decode(bytes)) as unknown;
      const client = new ProtobufCentrifuge(`${t.node().replace(/^http/, 'ws')}/connection/websocket`, {
        websocket: WebSocket,
        token: await t.token({ sub: t.user() }),
        minReconnectDelay: 20,
      });
      t.onEnd(() => client.disconnect());
      const subscription = client.newSubscription(channel, { recoverable: true });
      const seen: unknown[] = [];
      let wake = (): void => {};
      subscription.on('publication', ({ data, offset }) => {
        seen.push([decode(data as Uint8Array), offset]);
        wake();
      });
      const arrived = async (count: number): Promise<void> => {
        while (seen.length < count)
          await within(
            new Promise<void>((resolve) => {
              wake = resolve;
            }),
            `publication ${count}`,
          );
      };
      client.connect();
      subscription.subscribe();
      await within(subscription.ready(), 'the subscription');
      await subscription.publish(encode({ n: 1 }));
      await arrived(1);
      client.disconnect();
      await t.publish(channel, { n: 2 });
      client.connect();
      await arrived(2);
      expect(seen).toEqual([
        [{ n: 1 }, 1],
        [{ n: 2 }, 2],
      ]);
      const history = await subscription.history({ limit: 10 });
      expect(history.publications.map(({ data }) => decode(data as Uint8Array))).toEqual([{ n: 1 }, { n: 2 }]);
      expect((await subscription.presenceStats()).numClients).toBe(1);
    },
  }),
  ...scenarios('official client over http_stream', 'transports', {
    'connects, subscribes, receives and recovers': async (t) => {
      const channel = t.channel('trpc');
      const node = t.node();
      const client = t.sdkOver([{ transport: 'http_stream', endpoint: `${node}/connection/http_stream` }], {
        emulationEndpoint: `${node}/emulation`,
        token: await t.token({ sub: t.user(), subs: { [channel]: {} } }),
      });
      const seen: unknown[] = [];
      let wake = (): void => {};
      const until = async (what: string, isTrue: () => boolean): Promise<void> => {
        while (!isTrue())
          await within(
            new Promise<void>((resolve) => {
              wake = resolve;
            }),
            what,
          );
      };
      client.on('publication', ({ data }) => {
        seen.push(data);
        wake();
      });
      client.on('subscribed', ({ recovered }) => {
        seen.push(recovered ? 'recovered' : 'subscribed');
        wake();
      });
      client.connect();
      await until('the subscription', () => seen.includes('subscribed'));
      await t.publish(channel, 1);
      await until('the publication', () => seen.includes(1));
      client.disconnect();
      await t.publish(channel, 2);
      client.connect();
      await until('the recovered publication', () => seen.includes(2));
      expect(seen).toEqual(['subscribed', 1, 'recovered', 2]);
    },
  }),
];
