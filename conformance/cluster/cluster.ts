import { nodeVariables, readCompose, type SetUp } from '../../test/deployment.ts';
import { freePort } from '../../test/free-port.ts';
import { startPostgres } from '../../test/postgres.ts';
import { type Launched, launch } from '../drivers/launcher.ts';
import { SECRETS } from '../environments.ts';
import { type Redis, startRedis } from './redis.ts';

/** Nodes of one Centrifugo: two addresses each, as in production. */
export interface ClusterNode {
  /** `http://127.0.0.1:4711`: where clients connect. */
  readonly publicUrl: string;
  /** `http://127.0.0.1:4712/api` */
  readonly apiUrl: string;
  /** Kills its process, where it is ours. */
  readonly kill?: () => Promise<void>;
  logs(): string;
}

export interface Cluster {
  readonly nodes: readonly ClusterNode[];
  close(): Promise<void>;
}

/** What the owner of a deployment puts into `.env`. */
const GIVEN = {
  SITE_ORIGIN: 'https://app.example.com',
  CENTRIFUGO_API_KEY: SECRETS.api,
  CENTRIFUGO_TOKEN_SECRET: SECRETS.token,
  POSTGRES_PASSWORD: 'unused-here',
};

/** The command line that the set-up gives its store, without the program's name. */
export const storeSettings = (setUp: SetUp, service: string): readonly string[] =>
  readCompose(setUp, GIVEN).services[service]!.command!.slice(1);

/** PostgreSQL with the settings of the Compose file. */
export function startDatabase(folder: string) {
  const pairs = storeSettings('postgres', 'postgres').filter((word) => word !== '-c');
  const settings = Object.fromEntries(pairs.map((pair) => pair.split('=') as [string, string]));
  return startPostgres(folder, { settings });
}

export const startStore = (command: string): Promise<Redis> => startRedis(command, storeSettings('redis', 'redis'));

/** Two nodes with the variables of the set-up; only addresses are other ones. */
export async function startNodes(
  binary: string,
  setUp: SetUp,
  addresses: Readonly<Record<string, string>>,
): Promise<Cluster> {
  const nodes: (ClusterNode & { readonly launched: Launched })[] = [];
  const close = async () => {
    await Promise.all(nodes.map(({ launched }) => launched.stop()));
  };
  try {
    for (let at = 0; at < 2; at++) {
      const [port, internalPort] = [await freePort(), await freePort()];
      const launched = await launch({
        command: binary,
        args: [],
        healthUrl: `http://127.0.0.1:${internalPort}/health`,
        variables: {
          ...nodeVariables(setUp, GIVEN),
          ...addresses,
          CENTRIFUGO_HTTP_SERVER_ADDRESS: '127.0.0.1',
          CENTRIFUGO_HTTP_SERVER_PORT: String(port),
          CENTRIFUGO_HTTP_SERVER_INTERNAL_ADDRESS: '127.0.0.1',
          CENTRIFUGO_HTTP_SERVER_INTERNAL_PORT: String(internalPort),
        },
      });
      nodes.push({
        publicUrl: `http://127.0.0.1:${port}`,
        apiUrl: `http://127.0.0.1:${internalPort}/api`,
        kill: launched.kill,
        logs: launched.logs,
        launched,
      });
    }
    return { nodes, close };
  } catch (error) {
    await close();
    throw error;
  }
}

/** Nodes that run somewhere, with the environment `standard`; public address and API are one. */
export function runningNodes(urls: readonly string[]): Cluster {
  return {
    nodes: urls.map((url) => ({ publicUrl: url, apiUrl: `${url}/api`, logs: () => '' })),
    close: async () => {},
  };
}
