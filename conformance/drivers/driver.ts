import type { Environment } from '../environments.ts';

/** One running server, of one node or of several that share their state. */
export interface Server {
  readonly environment: Environment;
  /** The base address of each node, such as `http://127.0.0.1:4711`; the server API of the first one is used. */
  readonly nodes: readonly [string, ...string[]];
  /** What the server wrote, where it can be known. */
  logs(): string;
  /** Asks it to end as a deployment would (SIGTERM), and resolves when it has. */
  close(): Promise<void>;
}

/** What runs the scenarios: a way to get a server with a given environment. */
export interface Driver {
  readonly name: 'embedded' | 'centrifugo';
  /** Only this environment is to be had (a running server), or any when undefined. */
  readonly only?: string;
  start(environment: Environment): Promise<Server>;
}
