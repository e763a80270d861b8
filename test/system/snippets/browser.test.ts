import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { createServer, Server } from 'node:http';
import { join } from 'node:path';
import { getRequestListener } from '@hono/node-server';
import react from '@vitejs/plugin-react';
import type { Browser } from 'playwright';
import { build, defaultClientConditions, type PreviewServer, preview } from 'vite';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { freePort } from '../../free-port.ts';
import { findChromium, hasLane, LANES } from '../../lanes.ts';
import { snippetIn, snippetsOf } from '../../markdown.ts';
import { launch, openWindow, tryInTwoWindows } from '../../packed/two-windows.ts';
import { account, excuse } from '../../snippets/account.ts';
import { createStage, type Stage } from './stage.ts';

/** From source, and with the devtools, which a production build leaves out. */
const resolve = { conditions: ['@op/source', 'development', ...defaultClientConditions] };
const logLevel = 'error';
const chromium = findChromium();
/** Less than a test has, so that one is told what the page showed. */
const PATIENCE_MS = 40_000;

/** What the quickstart leaves to the reader on the server. */
const QUICKSTART_APP = `
const all = [];
export const userOf = async () => ({ id: 'mei' });
export const isMember = async (_userId, channel) => channel === 'trpc:org:7';
export const assertMember = async () => {};
export const posts = {
  list: async () => [...all],
  create: async (orgId, text) => { const post = { id: String(all.length), orgId, text }; all.push(post); return post; },
};
`;
const PAGE = (main: string) => `<!doctype html><div id="root"></div><script type="module" src="/${main}.tsx"></script>`;

if (chromium && hasLane('chromium')) {
  let stage: Stage;
  let browser: Browser;
  let port: Readonly<Record<'vite' | 'optimistic' | 'parts', number>>;
  const servers: Server[] = [];
  const previews: PreviewServer[] = [];
  beforeAll(async () => {
    // Servers that pages start have no end: they run in processes of their own there.
    const listen = Server.prototype.listen;
    vi.spyOn(Server.prototype, 'listen').mockImplementation(function (this: Server, ...words: unknown[]) {
      servers.push(this);
      return Reflect.apply(listen, this, words);
    });
    port = { vite: await freePort(), optimistic: await freePort(), parts: await freePort() };
    [browser, stage] = await Promise.all([
      launch(chromium),
      createStage(...Object.values(port).map((each) => `http://localhost:${each}`)),
    ]);
  });
  afterAll(async () => {
    await browser?.close();
    await Promise.all(previews.map((each) => each.close()));
    for (const server of servers) server.close().closeAllConnections();
    await stage?.close();
    vi.restoreAllMocks();
  });

  it.for(['vite', 'optimistic'] as const)(
    'the app of docs/recipes/%s… follows the other window',
    async (name, context) => {
      const page = name === 'vite' ? 'docs/recipes/vite.md' : 'docs/recipes/optimistic-updates.md';
      const env = `NEXT_PUBLIC_CENTRIFUGO_WS_URL=${process.env.NEXT_PUBLIC_CENTRIFUGO_WS_URL}\nSECRET=never\n`;
      const opened = stage.open(page, { '.env.local': env });
      const api = String(await freePort());
      vi.stubEnv('PORT', api);
      await opened.run('server/server.ts');
      // Built with the configuration as printed; only what it serves is at ports of its own.
      const root = opened.folder;
      const configFile = join(root, 'vite.config.ts');
      await build({ root, configFile, resolve, logLevel });
      const proxy = { '/trpc': `http://localhost:${api}` };
      previews.push(
        await preview({ root, configFile, logLevel, preview: { port: port[name], strictPort: true, proxy } }),
      );
      await tryInTwoWindows(browser, `http://localhost:${port[name]}`, ['/?user=mei', '/?user=amara'], PATIENCE_MS);
      account(context, 'run', ...snippetsOf(page).filter(({ file }) => file));
    },
  );

  it('the components of the other pages render, hear, and say who is here', async (context) => {
    const room = snippetIn('docs/client.md', 'useFreshness, usePresence');
    const readers = snippetIn('docs/recipes/presence.md', 'Readers.tsx');
    const mount = snippetIn('docs/devtools.md', 'mountRealtimeDevtools');
    const launcher = snippetIn('docs/devtools.md', '<RealtimeDevtools position');
    const panel = snippetIn('docs/devtools.md', 'realtimeDevtoolsPlugin()');
    const quickstart = snippetsOf('docs/quickstart.md').filter(({ file }) => file);
    const { handle } = await stage
      .open('docs/quickstart.md', { 'server/app.ts': QUICKSTART_APP })
      .run('server/handler.ts');
    const parts = stage.open('docs/quickstart.md', {
      'server/app.ts': QUICKSTART_APP,
      'room.tsx': room.code,
      'readers.tsx': readers.code,
      'mount.ts': `${mount.code}\nexport {};`,
      'launcher.tsx': launcher.code,
      'panel.tsx': panel.code,
      'quickstart.html': PAGE('quickstart'),
      'quickstart.tsx': `
        import { createRoot } from 'react-dom/client';
        import { App } from './client/App';
        createRoot(document.getElementById('root')!).render(<App />);
      `,
      'parts.html': PAGE('parts'),
      'parts.tsx': `
        import { RealtimeManager } from '@op/realtime/client';
        import { QueryClient } from '@tanstack/react-query';
        import { createRoot } from 'react-dom/client';
        RealtimeManager.initialize({
          wsUrl: process.env.NEXT_PUBLIC_CENTRIFUGO_WS_URL!,
          getToken: async () => '${await stage.realtime.createConnectionToken({ userId: '5' })}',
          getChannelTokens: async () => ({ 'trpc:org:7': '${await stage.realtime.createChannelToken({ userId: '5', channel: 'trpc:org:7' })}' }),
        });
        await import('./mount');
        const { Providers, Room } = await import('./room');
        const { Readers } = await import('./readers');
        const { Providers: WithDevtools } = await import('./launcher');
        const { plugins } = await import('./panel');
        createRoot(document.getElementById('root')!).render(
          <>
            <Providers><Room orgId="7" /><Readers /></Providers>
            <WithDevtools queryClient={new QueryClient()}>{plugins[0]!.render(document.body, { theme: 'light' })}</WithDevtools>
          </>,
        );
      `,
    });
    const root = parts.folder;
    await build({
      ...{ root, configFile: false, resolve, logLevel, plugins: [react()] },
      define: {
        'process.env.NEXT_PUBLIC_CENTRIFUGO_WS_URL': JSON.stringify(process.env.NEXT_PUBLIC_CENTRIFUGO_WS_URL),
      },
      build: {
        target: 'es2022',
        rolldownOptions: { input: ['quickstart', 'parts'].map((name) => join(root, `${name}.html`)) },
      },
    });
    const site = createServer(
      getRequestListener((request) => {
        const { pathname } = new URL(request.url);
        if (pathname.startsWith('/trpc')) return handle(request);
        const file = join(root, 'dist', pathname);
        if (!existsSync(file)) return new Response(null, { status: 404 });
        const type = file.endsWith('.js') ? 'text/javascript' : 'text/html';
        return new Response(readFileSync(file), { headers: { 'content-type': type } });
      }),
    );
    await once(site.listen(port.parts, 'localhost'), 'listening');

    const at = (name: string) => openWindow(browser, `http://localhost:${port.parts}/${name}.html`, PATIENCE_MS);
    const [one, other] = await Promise.all([at('quickstart'), at('quickstart')]);
    await one.page.getByText('Say hello').click();
    await Promise.all([one.shows('Hello'), other.shows('Hello')]);
    for (const window of [one, other]) await window.close();
    const all = await at('parts');
    await all.shows('connected, unknown, 1 here');
    await all.page.getByRole('button', { name: 'Open the realtime devtools' }).waitFor();
    await all.page.getByLabel('Realtime devtools', { exact: true }).first().waitFor();
    const said = all.page.waitForEvent('console', (message) => message.text().includes('hello'));
    await stage.realtime.publish('trpc:org:7', { type: 'event', name: 'hello from the server', data: null });
    expect((await said).text()).toBe('hello from the server');
    await all.close();
    account(
      context,
      'run',
      room,
      readers,
      mount,
      launcher,
      panel,
      ...quickstart.filter(({ file }) => file?.endsWith('.tsx')),
    );
  });
} else
  it('needs a browser', (context) => {
    const reason = `needs ${LANES.chromium.needs}`;
    excuse(
      context,
      reason,
      'docs/recipes/vite.md',
      'docs/recipes/optimistic-updates.md',
      'docs/client.md',
      'docs/devtools.md',
    );
    excuse(context, reason, 'docs/quickstart.md', 'docs/recipes/presence.md');
  });
