import { createServer, type IncomingMessage, request, type ServerResponse } from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';

/** What stands in front of a broker, well or badly set up. */
export type ProxyHabit =
  /** Passes everything on. */
  | { readonly kind: 'faithful' }
  /** Answers everything by itself, as a site does that does not know the broker. */
  | {
      readonly kind: 'answers';
      readonly status: number;
      readonly headers?: Record<string, string>;
      readonly body?: string;
    }
  /** Passes requests on, but not the upgrade. */
  | { readonly kind: 'no-upgrade' }
  /** Passes an answer on when it is complete. `held` is called when it holds the first bytes of one back. */
  | { readonly kind: 'buffers'; readonly held: () => void }
  /** Opens WebSockets and keeps what clients send. `held` is called when it has some. */
  | { readonly kind: 'swallows'; readonly held: () => void }
  /** Takes connections and never says a word. `held` is called for each upgrade. */
  | { readonly kind: 'hangs'; readonly held: () => void };

export interface SiteProxy {
  readonly port: number;
  close(): Promise<void>;
}

/** An HTTP proxy on a free port in front of a server of this machine. */
export async function startSiteProxy(targetPort: number, habit: ProxyHabit): Promise<SiteProxy> {
  const sockets = new Set<Socket>();
  const keep = (socket: Socket): Socket => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
    socket.on('error', () => socket.destroy());
    return socket;
  };
  const server = createServer((incoming, outgoing) => {
    if (habit.kind === 'answers') outgoing.writeHead(habit.status, habit.headers).end(habit.body);
    else forward(incoming, outgoing, targetPort, habit);
  });
  server.on('connection', keep);
  if (habit.kind !== 'answers' && habit.kind !== 'no-upgrade')
    server.on('upgrade', (incoming, stream) => {
      const client = stream as Socket;
      if (habit.kind === 'hangs') return habit.held();
      const upstream = keep(connect(targetPort, '127.0.0.1'));
      upstream.write(headOf(incoming));
      upstream.pipe(client);
      if (habit.kind === 'swallows') client.on('data', habit.held);
      else client.pipe(upstream);
      client.on('close', () => upstream.destroy());
    });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    port: (server.address() as AddressInfo).port,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        for (const socket of sockets) socket.destroy();
      }),
  };
}

function forward(incoming: IncomingMessage, outgoing: ServerResponse, port: number, habit: ProxyHabit): void {
  const { upgrade: _, connection: __, ...headers } = incoming.headers;
  const options = { host: '127.0.0.1', port, method: incoming.method, path: incoming.url, headers };
  const call = request(options, (answer) => {
    if (habit.kind !== 'buffers') {
      outgoing.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(outgoing);
      return;
    }
    const chunks: Buffer[] = [];
    answer.on('data', (chunk: Buffer) => {
      chunks.push(chunk);
      if (answer.headers['content-length'] === undefined) habit.held();
    });
    answer.on('end', () => outgoing.writeHead(answer.statusCode ?? 502).end(Buffer.concat(chunks)));
  });
  call.on('error', () => outgoing.destroy());
  outgoing.on('close', () => call.destroy());
  incoming.pipe(call);
}

function headOf({ method, url, rawHeaders }: IncomingMessage): string {
  const lines = [`${method} ${url} HTTP/1.1`];
  for (let at = 0; at < rawHeaders.length; at += 2) lines.push(`${rawHeaders[at]}: ${rawHeaders[at + 1]}`);
  return `${lines.join('\r\n')}\r\n\r\n`;
}
