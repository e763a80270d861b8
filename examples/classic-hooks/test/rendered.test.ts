import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { type Broker, startBroker } from '@op/realtime-broker';
import { type Browser, chromium, type Page } from 'playwright';
import { build, defaultClientConditions } from 'vite';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { findChromium, hasLane } from '../../../test/lanes.ts';
import { handle } from '../src/router.ts';

const API_KEY = 'example-api-key';
const TOKEN_SECRET = 'example-token-secret-of-more-than-32-bytes';

/** The browser's part in one file, with the versions that belong to the classic hooks and no others. */
async function bundle(): Promise<string> {
  const result = await build({
    root: join(import.meta.dirname, '..'),
    configFile: false,
    logLevel: 'error',
    resolve: {
      conditions: ['@op/source', ...defaultClientConditions],
      dedupe: ['@trpc/client', '@trpc/server', '@tanstack/react-query', 'react', 'react-dom'],
    },
    define: { 'process.env.NODE_ENV': '"development"' },
    build: {
      write: false,
      minify: false,
      target: 'es2022',
      rollupOptions: { input: join(import.meta.dirname, '../src/main.tsx'), output: { codeSplitting: false } },
    },
  });
  const [first] = [result].flat();
  const chunk = first && 'output' in first ? first.output[0] : undefined;
  if (chunk?.type !== 'chunk') throw new TypeError('Vite gave no chunk.');
  return chunk.code;
}

/** The app: its page, its script and its procedures. */
async function serve(script: string): Promise<Server> {
  const server = createServer(async (request, response) => {
    const { url = '/', method = 'GET' } = request;
    if (url === '/main.js') return void response.setHeader('content-type', 'text/javascript').end(script);
    if (!url.startsWith('/trpc'))
      return void response
        .setHeader('content-type', 'text/html')
        .end('<!doctype html><link rel="icon" href="data:,"><body><script type="module" src="/main.js"></script>');
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk);
    const body = method === 'GET' ? null : Buffer.concat(chunks);
    const headers = request.headers as Record<string, string>;
    const answer = await handle(new Request(`http://app.test${url}`, { method, headers, body }));
    response.writeHead(answer.status, Object.fromEntries(answer.headers)).end(await answer.text());
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return server;
}

describe.skipIf(!hasLane('chromium'))('the classic hooks, rendered', () => {
  let broker: Broker;
  let server: Server;
  let browser: Browser;
  const complaints: string[] = [];

  beforeAll(async () => {
    broker = await startBroker({
      port: 0,
      httpApi: { key: API_KEY },
      client: { token: { hmacSecretKey: TOKEN_SECRET }, allowedOrigins: ['*'] },
      channel: { namespaces: { trpc: { historySize: 300, historyTtlMs: 600_000, forceRecovery: true } } },
    });
    vi.stubEnv('CENTRIFUGO_API_URL', broker.apiUrl);
    vi.stubEnv('CENTRIFUGO_API_KEY', API_KEY);
    vi.stubEnv('CENTRIFUGO_TOKEN_SECRET', TOKEN_SECRET);
    server = await serve(await bundle());
    browser = await chromium.launch({ executablePath: findChromium()!, args: ['--no-sandbox'] });
  });

  afterAll(async () => {
    await browser?.close();
    server?.closeAllConnections();
    server?.close();
    await broker?.close();
    vi.unstubAllEnvs();
  });

  /** A browser of its own in which `user` has the list open, and how often it read it. */
  async function open(user: string) {
    const page = await (await browser.newContext()).newPage();
    let reads = 0;
    let sockets = 0;
    page.on('request', (request) => {
      if (request.url().includes('notes.all')) reads++;
    });
    page.on('websocket', () => sockets++);
    page.on('pageerror', (error) => complaints.push(`${user}: ${error.message}`));
    page.on('console', (message) => {
      if (['error', 'warning'].includes(message.type())) complaints.push(`${user}: ${message.text()}`);
    });
    const { port } = server.address() as AddressInfo;
    await page.goto(`http://127.0.0.1:${port}/?user=${user}&ws=${encodeURIComponent(broker.url)}`);
    return { page, reads: () => reads, sockets: () => sockets };
  }

  async function add(page: Page, text: string) {
    await page.getByLabel('Note').fill(text);
    await page.getByRole('button', { name: 'Add' }).click();
  }

  const shows = async (page: Page, title: string, notes: string[]) => {
    await page.getByRole('heading', { name: title, exact: true }).waitFor();
    await expect.poll(() => page.locator('li').allTextContents(), { timeout: 30_000 }).toEqual(notes);
    await page.locator('main[data-state=live]').waitFor();
  };

  it("show what another user's mutation changed, after one request each, over one socket each, under StrictMode", async () => {
    const [ann, ben] = [await open('ann'), await open('ben')];
    for (const { page } of [ann, ben]) await shows(page, 'Shopping (0)', []);
    const before = [ann.reads(), ben.reads()];
    const notes: string[] = [];
    // One after the other: a second read after the first change would be counted with the next.
    for (const [by, text] of [
      ['ann', 'milk'],
      ['ben', 'bread'],
      ['ann', 'tea'],
    ] as const) {
      await add(by === 'ann' ? ann.page : ben.page, text);
      notes.push(`${text} (${by})`);
      for (const { page } of [ann, ben]) await shows(page, `Shopping (${notes.length})`, notes);
    }
    expect([ann.reads(), ben.reads()]).toEqual(before.map((reads) => reads + notes.length));
    expect([ann.sockets(), ben.sockets()]).toEqual([1, 1]);
    expect(complaints).toEqual([]);
  });
});
