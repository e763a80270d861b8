import { afterEach, expect, it } from 'vitest';
import { findCommand, hasLane } from '../../lanes.ts';
import { snippetsOf } from '../../markdown.ts';
import { account } from '../../snippets/account.ts';
import { createSandbox, type Running, type Sandbox } from '../run-command.ts';
import { applicationEnv, createScriptFolder } from '../script-folder.ts';

/** The two TypeScript snippets of the README of origin: what a server says, and what a tab does. */
const [publishing = '', subscribing = ''] = snippetsOf('docs/origin-readme.md')
  .filter(({ language }) => language === 'typescript')
  .map(({ code }) => code);
/** The README prints both word for word. */
const PRINTED = ['docs/origin-readme.md', 'README.md']
  .flatMap(snippetsOf)
  .filter(({ code }) => [publishing, subscribing].includes(code));

const STUB = `import { realtime } from '@op/realtime/server';
export const trpc = { realtime: { getToken: { query: async () => ({ token: await realtime.createConnectionToken({ userId: '123' }) }) } } };
`;
const WAIT = 'await new Promise((resolve) => process.stdin.once("data", resolve));\n';

const cleanups: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

const centrifugo = process.env.CENTRIFUGO_BIN || findCommand('centrifugo');

it.for(['embedded', ...(hasLane('centrifugo', centrifugo) ? ['binary'] : [])])(
  'a script of the README of origin receives its message on the %s engine',
  async (engine, context) => {
    const broker = await createSandbox();
    cleanups.push(() => broker.close());
    expect(await broker.run('dev', '--engine', engine, '--detach')).toMatchObject({ code: 0, err: '' });

    const folder = createScriptFolder({
      'trpc.ts': STUB,
      'server.ts': `const userId = '123';\n${publishing}\n`,
      'client.ts': subscribing.replace('// Later,', `${WAIT}\n// Later,`),
    });
    cleanups.push(() => folder.close());
    const client = folder.run('client.ts', broker);
    await joined(broker, 'trpc:user:123', client);
    expect(await folder.run('server.ts', broker).finished).toMatchObject({ code: 0, err: '' });
    await client.wrote('Received:');
    expect(client.text()).toBe("Received: { type: 'query-invalidation', queryKey: [ 'user', 'notifications' ] }\n");

    // After the wait comes `unsubscribe()`: with nothing left to hear, the connection ends and so does the script.
    client.child.stdin?.end('go on\n');
    expect(await client.finished).toMatchObject({ code: 0, err: '' });
    account(context, 'run', ...PRINTED);
  },
);

/** Waits until the broker has a subscriber on the channel. */
async function joined(broker: Sandbox, channel: string, client: Running): Promise<void> {
  const apiKey = applicationEnv().get('CENTRIFUGO_API_KEY') ?? '';
  await expect
    .poll(
      async () => {
        expect(client.child.exitCode, client.text()).toBeNull();
        const answer = await fetch(`http://localhost:${broker.port}/api/channels`, {
          method: 'POST',
          headers: { 'X-API-Key': apiKey },
          body: JSON.stringify({ pattern: channel }),
        });
        const { result } = (await answer.json()) as { result: { channels: Record<string, { num_clients: number }> } };
        return result.channels[channel]?.num_clients;
      },
      { timeout: 60_000 },
    )
    .toBe(1);
}
