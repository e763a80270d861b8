import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, expect, it } from 'vitest';
import { parseEnvFile } from '../../packages/realtime/src/cli/env-file.ts';
import { findCommand, hasLane } from '../lanes.ts';
import { snippetsOf } from '../markdown.ts';
import { createSandbox, REALTIME, type Running, type Sandbox, start } from './run-command.ts';

/** The two TypeScript snippets of the README of origin: what a server says, and what a tab does. */
const [publishing = '', subscribing = ''] = snippetsOf('docs/origin-readme.md')
  .filter(({ language }) => language === 'typescript')
  .map(({ code }) => code);

const STUB = `import { realtime } from '@op/realtime/server';
export const trpc = { realtime: { getToken: { query: async () => ({ token: await realtime.createConnectionToken({ userId: '123' }) }) } } };
`;
const WAIT = 'await new Promise((resolve) => process.stdin.once("data", resolve));\n';

const cleanups: (() => Promise<unknown> | void)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

const centrifugo = process.env.CENTRIFUGO_BIN || findCommand('centrifugo');

it.each(['embedded', ...(hasLane('centrifugo', centrifugo) ? ['binary'] : [])])(
  'a script of the README of origin receives its message on the %s engine',
  async (engine) => {
    const broker = await createSandbox();
    cleanups.push(() => broker.close());
    expect(await broker.run('dev', '--engine', engine, '--detach')).toMatchObject({ code: 0, err: '' });

    const folder = scriptFolder({
      'trpc.ts': STUB,
      'server.ts': `const userId = '123';\n${publishing}\n`,
      'client.ts': subscribing.replace('// Later,', `${WAIT}\n// Later,`),
    });
    const client = script(broker, folder, 'client.ts');
    await joined(broker, 'trpc:user:123', client);
    const server = script(broker, folder, 'server.ts');
    expect(await server.finished).toMatchObject({ code: 0, err: '' });
    await client.wrote('Received:');
    expect(client.text()).toBe("Received: { type: 'query-invalidation', queryKey: [ 'user', 'notifications' ] }\n");

    // After the wait comes `unsubscribe()`: with nothing left to hear, the connection ends and so does the script.
    client.child.stdin?.end('go on\n');
    expect(await client.finished).toMatchObject({ code: 0, err: '' });
  },
);

function scriptFolder(files: Record<string, string>): string {
  const base = join(REALTIME, '.realtime');
  mkdirSync(base, { recursive: true });
  const folder = mkdtempSync(join(base, 'origin-'));
  cleanups.push(() => rmSync(folder, { recursive: true, force: true }));
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text);
  return folder;
}

/** Runs it with the application's half of `.env.test`, at the port of this test. */
function script(broker: Sandbox, folder: string, name: string): Running {
  const env: NodeJS.ProcessEnv = { PATH: process.env.PATH, HOME: process.env.HOME };
  for (const [key, value] of parseEnvFile(readFileSync(join(REALTIME, '.env.test'), 'utf8'), '.env.test'))
    env[key] = value.replace('localhost:8000', `localhost:${broker.port}`);
  const args = ['--import', 'tsx', '--conditions=@op/source', join(folder, name)];
  const running = start(process.execPath, args, { cwd: REALTIME, env, stdin: 'pipe' });
  cleanups.push(() => {
    if (running.child.exitCode === null && running.child.signalCode === null) running.child.kill('SIGKILL');
    return running.finished;
  });
  return running;
}

/** Waits until the broker has a subscriber on the channel. */
async function joined(broker: Sandbox, channel: string, client: Running): Promise<void> {
  const env = parseEnvFile(readFileSync(join(REALTIME, '.env.test'), 'utf8'), '.env.test');
  await expect
    .poll(
      async () => {
        expect(client.child.exitCode, client.text()).toBeNull();
        const answer = await fetch(`http://localhost:${broker.port}/api/channels`, {
          method: 'POST',
          headers: { 'X-API-Key': env.get('CENTRIFUGO_API_KEY') ?? '' },
          body: JSON.stringify({ pattern: channel }),
        });
        const { result } = (await answer.json()) as { result: { channels: Record<string, { num_clients: number }> } };
        return result.channels[channel]?.num_clients;
      },
      { timeout: 20_000 },
    )
    .toBe(1);
}
