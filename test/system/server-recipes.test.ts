import { afterEach, expect, it } from 'vitest';
import { freePort } from '../free-port.ts';
import { snippetsOf } from '../markdown.ts';
import { createSandbox } from './run-command.ts';
import { createScriptFolder } from './script-folder.ts';

const printed = Object.fromEntries(
  snippetsOf('docs/recipes/servers.md').flatMap(({ file, code }) => (file ? [[file, code]] : [])),
);
/** What a platform would do with the module. */
const PLATFORM = `
import { serve } from '@hono/node-server';
import edge from './edge';
const { CENTRIFUGO_API_URL = '', CENTRIFUGO_API_KEY = '', CENTRIFUGO_TOKEN_SECRET = '' } = process.env;
const env = { CENTRIFUGO_API_URL, CENTRIFUGO_API_KEY, CENTRIFUGO_TOKEN_SECRET };
serve({ fetch: (request) => edge.fetch(request, env, { waitUntil: () => {} }), port: Number(process.env.PORT) });
`;

const cleanups: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

const ANNOUNCED = { 'x-op-realtime': '1', 'x-op-realtime-id': 'a1', 'x-user': '7' };

it('every server of the recipes answers as printed, with metadata for who asks and plain data for who does not', async () => {
  const broker = await createSandbox();
  cleanups.push(() => broker.close());
  await broker.run('dev', '--engine', 'embedded', '--detach');
  const folder = createScriptFolder({ ...printed, 'platform.ts': PLATFORM });
  cleanups.push(() => folder.close());

  const run = async (script: string) => {
    const port = await freePort();
    const server = folder.run(script, broker, { PORT: String(port) });
    const ask = async (path: string, init: RequestInit = {}) => {
      let answer: Response | undefined;
      await expect
        .poll(
          async () => {
            expect(server.child.exitCode, server.text()).toBeNull();
            answer = await fetch(`http://localhost:${port}/trpc/${path}`, init).catch(() => undefined);
            return answer !== undefined;
          },
          { timeout: 30_000 },
        )
        .toBe(true);
      const { headers, status } = answer!;
      expect(status, server.text()).toBe(200);
      return { vary: headers.get('vary'), cache: headers.get('cache-control'), body: await answer!.json() };
    };
    return { script, ask };
  };

  const servers = await Promise.all(['hono.ts', 'express.ts', 'fastify.ts', 'standalone.ts'].map(run));
  for (const { script, ask } of servers) {
    const plain = await ask('list', { headers: { 'x-user': '7' } });
    expect(plain.body, script).toEqual({ result: { data: ['first'] } });
    expect(plain.vary, script).toContain('x-op-realtime');
    const told = await ask('list', { headers: ANNOUNCED });
    expect(told.body.result.data, script).toMatchObject({
      '~op/rt': { v: 1, id: 'a1', watch: [{ channel: 'trpc:org:7', grant: expect.any(String) }] },
      d: ['first'],
    });
    expect(told.cache, script).toBe('private, no-store');
  }
  const edge = await run('platform.ts');
  const added = await edge.ask('add', {
    method: 'POST',
    headers: { ...ANNOUNCED, 'content-type': 'application/json' },
  });
  expect(added.body.result.data).toMatchObject({ '~op/rt': { touch: [{ channel: 'trpc:global' }] }, d: 'added' });
});
