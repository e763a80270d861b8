import { createServer, type RequestListener, type Server } from 'node:http';
import { getRequestListener } from '@hono/node-server';
import { createApi, isApiPath } from './api.ts';
import { BrokerProcess } from './broker/broker-process.ts';
import type { BrokerSettings } from './broker/broker-settings.ts';
import { createChaos } from './chaos.ts';
import { buildClient } from './client/built-client.ts';
import type { Pages } from './client/pages.ts';
import { openDatabase } from './database/database.ts';
import { LOOPBACK, listenFrom } from './listen.ts';

export interface Demo {
  /** Where to open it: `http://localhost:3000`. */
  readonly url: string;
  /** For the lines that are printed. */
  readonly database: string;
  readonly broker: string;
  /** Ends everything that was started; harmless when called twice. */
  close(): Promise<void>;
}

export interface DemoOptions {
  readonly env: NodeJS.ProcessEnv;
  /** The first port to try; 0 for any. */
  readonly port: number;
  /** The broker to use; nothing for one of the demo's own. */
  readonly broker: BrokerSettings | undefined;
  /** Serves the client from source and updates it in place, for work on it. @default false */
  readonly isDevelopment?: boolean;
}

/**
 * Starts the whole demo. The port comes first, since the broker must know the page's origin, and the page the broker's address;
 * the database boots meanwhile.
 */
export async function startDemo({ env, port, broker: external, isDevelopment = false }: DemoOptions): Promise<Demo> {
  const closers: (() => Promise<void>)[] = [];
  const closeAll = async () => {
    await Promise.allSettled(closers.splice(0).map((close) => close()));
  };
  try {
    let open: (handler: RequestListener) => void = () => {};
    const opened = new Promise<RequestListener>((resolve) => {
      open = resolve;
    });
    // A browser that comes before everything stands waits a moment instead of seeing an error.
    const server = createServer(async (request, response) => (await opened)(request, response));
    closers.push(() => closeServer(server));
    const taken = await listenFrom(server, port);

    const opening = openDatabase(env.DATABASE_URL || undefined);
    closers.push(() => opening.then((database) => database.close()));
    const own = external ? null : await BrokerProcess.start(originsOf(taken));
    if (own) closers.push(() => own.stop());
    const broker = external ?? own!.settings;
    // `realtime` configures itself from these at first use, as in any app.
    env.CENTRIFUGO_API_URL = broker.apiUrl;
    env.CENTRIFUGO_API_KEY = broker.apiKey;
    env.CENTRIFUGO_TOKEN_SECRET = broker.tokenSecret;

    const building = isDevelopment ? serveFromSource(server, broker.wsUrl) : buildClient(broker.wsUrl);
    closers.push(() => building.then((pages) => pages.close()));
    const [pages, database] = await Promise.all([building, opening]);
    const api = getRequestListener(createApi({ db: database.db, chaos: createChaos(own) }).fetch);
    open((request, response) => (isApiPath(request.url ?? '') ? api : pages.handler)(request, response));

    return {
      url: `http://localhost:${taken}`,
      database: database.description,
      broker: external ? `${new URL(external.apiUrl).host} (CENTRIFUGO_API_URL)` : 'embedded',
      close: closeAll,
    };
  } catch (error) {
    await closeAll();
    throw error;
  }
}

/** The ways in which a browser on this machine may write the address. */
function originsOf(port: number): string[] {
  return ['localhost', LOOPBACK, '[::1]'].map((host) => `http://${host}:${port}`);
}

function closeServer(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections();
  });
}

async function serveFromSource(server: Server, wsUrl: string): Promise<Pages> {
  const { serveClientFromSource } = await import('./client/client-from-source.ts');
  return serveClientFromSource(server, wsUrl);
}
