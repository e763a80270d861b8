import { execFileSync } from 'node:child_process';
import { freePort } from '../../test/free-port.ts';
import { findCommand } from '../../test/lanes.ts';
import type { Environment } from '../environments.ts';
import type { Driver, Server } from './driver.ts';
import { launch } from './launcher.ts';

const IMAGE = 'centrifugo/centrifugo:v6';

/** Where a real Centrifugo comes from, in order of preference. */
export type Source =
  | { readonly kind: 'url'; readonly urls: readonly [string, ...string[]]; readonly environment: string }
  | { readonly kind: 'binary'; readonly path: string }
  | { readonly kind: 'docker'; readonly path: string };

export function findCentrifugo(env: NodeJS.ProcessEnv = process.env): Source | undefined {
  const [first, ...rest] = (env.CENTRIFUGO_TEST_URL ?? '')
    .split(',')
    .map((url) => url.trim().replace(/\/$/, ''))
    .filter((url) => url !== '');
  if (first) return { kind: 'url', urls: [first, ...rest], environment: env.CENTRIFUGO_TEST_ENVIRONMENT ?? 'standard' };
  const path = env.CENTRIFUGO_BIN || findCommand('centrifugo');
  if (path) return { kind: 'binary', path };
  const docker = findCommand('docker');
  return docker && dockerRuns(docker) ? { kind: 'docker', path: docker } : undefined;
}

function dockerRuns(docker: string): boolean {
  try {
    execFileSync(docker, ['info'], { stdio: 'ignore', timeout: 5_000 });
    return true;
  } catch {
    return false; // no engine, or none that this user may use: then it serves nobody
  }
}

/** A driver for a real Centrifugo. */
export function centrifugoDriver(source: Source): Driver {
  if (source.kind === 'url')
    return {
      name: 'centrifugo',
      only: source.environment,
      start: async (environment) => ({
        environment,
        nodes: source.urls,
        logs: () => '(a running server: its log is not to be had here)',
        close: async () => {},
      }),
    };
  return { name: 'centrifugo', start: (environment) => startProcess(source, environment) };
}

async function startProcess(source: Exclude<Source, { kind: 'url' }>, environment: Environment): Promise<Server> {
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const variables = {
    ...environment.variables,
    CENTRIFUGO_HTTP_SERVER_ADDRESS: '127.0.0.1',
    CENTRIFUGO_HTTP_SERVER_PORT: String(port),
  };
  const healthUrl = `${url}/health`;
  const launched =
    source.kind === 'binary'
      ? await launch({ command: source.path, args: [], variables, healthUrl })
      : await launch({
          command: source.path,
          // The host's network: then proxies reach the scenarios' own app, and the port is ours to choose.
          args: ['run', '--rm', '--network', 'host', ...Object.keys(variables).flatMap((name) => ['-e', name]), IMAGE],
          variables,
          healthUrl,
        });
  return { environment, nodes: [url], logs: launched.logs, close: launched.stop };
}
