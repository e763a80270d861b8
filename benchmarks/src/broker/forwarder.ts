/**
 * The least that any broker on `ws` costs: it forwards each published frame to the sockets of its channel. No tokens, no history, no recovery, no limits.
 * Run as a process of its own; speaks just enough of the protocol for the load generator.
 */
import { createServer } from 'node:http';
import { type WebSocket, WebSocketServer } from 'ws';

const members = new Map<string, { sockets: Set<WebSocket>; offset: number }>();

function channelOf(name: string) {
  let channel = members.get(name);
  if (!channel) {
    channel = { sockets: new Set(), offset: 0 };
    members.set(name, channel);
  }
  return channel;
}

const http = createServer((request, response) => {
  if (request.url === '/health') {
    response.end('{}');
    return;
  }
  let body = '';
  request.setEncoding('latin1');
  request.on('data', (part: string) => {
    body += part;
  });
  request.on('end', () => {
    const { channel: name, data } = JSON.parse(body) as { channel: string; data: unknown };
    const channel = channelOf(name);
    const offset = ++channel.offset;
    const frame = JSON.stringify({ push: { channel: name, pub: { data, offset } } });
    for (const socket of channel.sockets) socket.send(frame);
    const answer = `{"result":{"offset":${offset},"epoch":"none"}}`;
    response.writeHead(200, { 'content-type': 'application/json', 'content-length': answer.length });
    response.end(answer);
  });
});

const server = new WebSocketServer({ server: http, path: '/connection/websocket', perMessageDeflate: false });
server.on('connection', (socket) => {
  socket.on('message', (raw) => {
    const command = JSON.parse(String(raw)) as { id?: number; connect?: { token: string } };
    if (!command.connect) return;
    const claims = JSON.parse(Buffer.from(command.connect.token.split('.')[1]!, 'base64url').toString()) as {
      subs: object;
    };
    const subs: Record<string, unknown> = {};
    for (const name of Object.keys(claims.subs)) {
      const channel = channelOf(name);
      channel.sockets.add(socket);
      socket.on('close', () => channel.sockets.delete(socket));
      subs[name] = { offset: channel.offset, epoch: 'none', recovered: true };
    }
    socket.send(JSON.stringify({ id: command.id, connect: { subs } }));
  });
});

http.listen({ port: Number(process.env.CENTRIFUGO_HTTP_SERVER_PORT), host: '127.0.0.1', backlog: 4096 });
