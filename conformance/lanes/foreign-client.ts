import { type ChildProcess, spawn } from 'node:child_process';
import { expect } from 'vitest';
import { signToken } from '../clients/tokens.ts';
import { within } from '../clients/wire-client.ts';
import type { Driver } from '../drivers/driver.ts';
import { SECRETS } from '../environments.ts';
import { KNOWN_DIFFERENCES } from '../known-differences.ts';

const RUN_TIMEOUT_MS = 120_000;

/** The protocols that the server speaks: the embedded broker Protobuf once it is no known difference any more. */
export function protocolsOf(driver: Driver): string[] {
  const lacksProtobuf = driver.name === 'embedded' && 'protobuf frames: *' in KNOWN_DIFFERENCES;
  return lacksProtobuf ? ['json'] : ['json', 'protobuf'];
}

/** What a program of another language needs to know to run its scenarios against a server; it signs no tokens itself. */
export async function settings(
  node: string,
  user: string,
  protocols: readonly string[],
): Promise<Record<string, string>> {
  return {
    CONFORMANCE_PROTOCOLS: protocols.join(','),
    CONFORMANCE_WS_URL: `${node.replace(/^http/, 'ws')}/connection/websocket`,
    CONFORMANCE_API_URL: `${node}/api`,
    CONFORMANCE_API_KEY: SECRETS.api,
    CONFORMANCE_TOKEN: await signToken({ sub: user }),
    CONFORMANCE_SUBS_TOKEN: await signToken({ sub: user, channels: [`trpc:${user}-token`] }),
    CONFORMANCE_SUBSCRIPTION_TOKEN: await signToken({ sub: user, channel: `closed:${user}-sub` }),
    CONFORMANCE_EXPIRED_TOKEN: await signToken({ sub: user, exp: 1_500_000_000 }),
  };
}

/** The outcome of each scenario that a program printed, as `ok NAME` or `not ok NAME: WHY`. */
export class Outcomes {
  readonly #outcomes = new Map<string, string | undefined>();

  constructor(output: string) {
    for (const line of output.split('\n')) {
      const match = /^(not )?ok ([^:]+)(?:: (.*))?$/.exec(line.trim());
      if (match) this.#outcomes.set(match[2]!, match[1] ? (match[3] ?? 'failed') : undefined);
    }
  }

  /** @throws where the scenario failed or was not run */
  expectOk(name: string): void {
    expect([...this.#outcomes.keys()], 'scenarios that were run').toContain(name);
    expect(this.#outcomes.get(name), name).toBeUndefined();
  }
}

/** Runs a program to its end, and gives what it printed; rejects with all of it where it fails. */
export async function run(
  command: string,
  args: readonly string[],
  options: { readonly cwd: string; readonly env?: Record<string, string>; readonly timeoutMs?: number },
): Promise<string> {
  const child: ChildProcess = spawn(command, args, {
    cwd: options.cwd,
    env: { ...process.env, ...options.env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  const keep = (chunk: Buffer): void => {
    output += chunk.toString();
  };
  child.stdout?.on('data', keep);
  child.stderr?.on('data', keep);
  const end = new Promise<void>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code) =>
      code === 0 ? resolve() : reject(new Error(`${command} ${args[0] ?? ''} ended with ${code}:\n${output}`)),
    );
  });
  try {
    await within(end, `the end of ${command}`, options.timeoutMs ?? RUN_TIMEOUT_MS);
  } finally {
    child.kill('SIGKILL');
  }
  return output;
}
