import { afterEach, expect, it } from 'vitest';
import { tail } from '../../../packages/realtime/src/cli/commands/tail.ts';
import { recordingTerminal } from '../../../packages/realtime/test/recording-terminal.ts';
import { freePort } from '../../free-port.ts';
import { filesOf, snippetsOf } from '../../markdown.ts';
import { account } from '../../snippets/account.ts';
import { createSandbox } from '../run-command.ts';
import { applicationEnv, createScriptFolder } from '../script-folder.ts';

const SERVERS = ['hono', 'express', 'fastify', 'node', 'edge'];
const pageOf = (server: string) => `docs/recipes/${server}.md`;

/** All in one process, each at its port. */
const ALL = `
for (const [name, port] of Object.entries(JSON.parse(process.env.PORTS))) {
  process.env.PORT = port;
  await import('./' + name + '/server.ts');
}
`;

const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

const ANNOUNCED = { 'x-op-realtime': '1', 'x-op-realtime-id': 'a1', 'x-user': '7' };

it('prints the same router on every page of a server', () => {
  const routers = SERVERS.flatMap((server) => filesOf(pageOf(server))['router.ts'] ?? []);
  expect(routers.length).toBe(SERVERS.length - 1); // the edge runtime makes its own
  expect(new Set([...routers, filesOf(pageOf('vite'))['server/router.ts']]).size).toBe(1);
});

it('every server of the recipes answers as printed, with metadata for who asks, and announces what its page says', async (context) => {
  const broker = await createSandbox();
  cleanups.push(() => broker.close());
  await broker.run('dev', '--engine', 'embedded', '--detach');
  const ports = Object.fromEntries(await Promise.all(SERVERS.map(async (name) => [name, String(await freePort())])));
  const files = SERVERS.flatMap((name) =>
    Object.entries(filesOf(pageOf(name))).map(([file, code]) => [`${name}/${file}`, code]),
  );
  const folder = createScriptFolder({ 'all.ts': ALL, ...Object.fromEntries(files) });
  cleanups.push(() => folder.close());
  const running = folder.run('all.ts', broker, { PORTS: JSON.stringify(ports) });

  const env = Object.fromEntries(
    [...applicationEnv()].map(([name, value]) => [name, value.replace('localhost:8000', `localhost:${broker.port}`)]),
  );
  const terminal = recordingTerminal({ env });
  const stop = new AbortController();
  const tailing = tail({ channel: 'trpc:org:7' }, terminal, stop.signal);
  cleanups.push(() => stop.abort());
  await expect.poll(() => terminal.stderr()).toContain('Joined trpc:org:7');

  const ask = async (server: string, path: string, init: RequestInit = {}) => {
    let answer: Response | undefined;
    await expect
      .poll(async () => {
        expect(running.child.exitCode, running.text()).toBeNull();
        answer = await fetch(`http://localhost:${ports[server]}${path}`, init).catch(() => undefined);
        return answer !== undefined;
      })
      .toBe(true);
    const { headers, status } = answer!;
    expect(status, running.text()).toBe(200);
    return { vary: headers.get('vary'), cache: headers.get('cache-control'), body: await answer!.json() };
  };

  for (const server of SERVERS) {
    if (server === 'edge') {
      const added = await ask(server, '/trpc/add', {
        method: 'POST',
        headers: { ...ANNOUNCED, 'content-type': 'application/json' },
      });
      expect(added.body.result.data).toMatchObject({ '~op/rt': { touch: [{ channel: 'trpc:org:7' }] }, d: 'added' });
    } else {
      const plain = await ask(server, '/trpc/list', { headers: { 'x-user': '7' } });
      expect(plain.body, server).toEqual({ result: { data: ['first'] } });
      expect(plain.vary, server).toContain('x-op-realtime');
      const told = await ask(server, '/trpc/list', { headers: ANNOUNCED });
      expect(told.body.result.data, server).toMatchObject({
        '~op/rt': { v: 1, id: 'a1', watch: [{ channel: 'trpc:org:7', grant: expect.any(String) }] },
        d: ['first'],
      });
      expect(told.cache, server).toBe('private, no-store');
    }
    account(context, 'run', ...snippetsOf(pageOf(server)).filter(({ file }) => file));

    // The two lines of "see": `tail` runs above, and what the other one sends is sent here.
    const see = snippetsOf(pageOf(server)).find(({ run }) => run?.step === 'see')!;
    const [tailLine, curl = ''] = see.code.split('\n');
    expect(tailLine).toBe('npx op-realtime tail trpc:org:7');
    const headers = [...curl.matchAll(/ -H '([\w-]+): ([^']+)'/g)].map(([, name = '', value = '']) => [name, value]);
    const path = /^curl -X POST (?:-H '[^']+' )*http:\/\/localhost:3000(\/\S+)$/.exec(curl)?.[1] ?? '';
    const before = terminal.stdout().split(see.run!.expected).length;
    await ask(server, path, { method: 'POST', headers: Object.fromEntries(headers) });
    await expect.poll(() => terminal.stdout().split(see.run!.expected).length).toBe(before + 1);
    account(context, 'run', see);
  }
  stop.abort();
  expect(await tailing).toBe(0);
});
