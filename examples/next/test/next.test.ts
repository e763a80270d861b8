import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { type Broker, optionsFromEnv, startBroker } from '@op/realtime-broker';
import { type Browser, chromium, type Page } from 'playwright';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { findChromium, hasLane } from '../../../test/lanes.ts';

const FOLDER = join(import.meta.dirname, '..');
const API_KEY = 'example-api-key';
const TOKEN_SECRET = 'example-token-secret-of-more-than-32-bytes';
const BUILD_LIMIT_MS = 240_000;

const executablePath = findChromium();

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  server.close();
  await once(server, 'close');
  return port;
}

/** A page, what it asked the server for, and what it complained about. */
interface Visit {
  readonly page: Page;
  readonly lists: () => number;
  readonly complaints: string[];
}

describe.skipIf(!hasLane('chromium'))('Next.js, App Router', () => {
  let broker: Broker;
  let next: ChildProcess;
  let browser: Browser;
  let url: string;
  let output = '';

  beforeAll(async () => {
    const [brokerPort, port] = [await freePort(), await freePort()];
    url = `http://localhost:${port}`;
    const env = {
      ...process.env,
      NODE_ENV: 'production' as const,
      NEXT_TELEMETRY_DISABLED: '1',
      CENTRIFUGO_API_URL: `http://127.0.0.1:${brokerPort}/api`,
      CENTRIFUGO_API_KEY: API_KEY,
      CENTRIFUGO_TOKEN_SECRET: TOKEN_SECRET,
      // Next writes it into the bundle, so the port must be known before the build.
      NEXT_PUBLIC_CENTRIFUGO_WS_URL: `ws://127.0.0.1:${brokerPort}/connection/websocket`,
    };
    for (const [cwd, ...command] of [
      [join(FOLDER, '../../packages/broker'), 'pnpm', 'run', 'build'],
      [join(FOLDER, '../../packages/realtime'), 'pnpm', 'run', 'build'],
      [FOLDER, 'node_modules/.bin/next', 'build'],
    ] as const) {
      const built = spawnSync(command[0], command.slice(1), { cwd, env, encoding: 'utf8' });
      if (built.status !== 0) throw new Error(`${command.join(' ')} failed:\n${built.stdout}${built.stderr}`);
    }
    broker = await startBroker(
      optionsFromEnv({
        CENTRIFUGO_HTTP_SERVER_PORT: String(brokerPort),
        CENTRIFUGO_HTTP_API_KEY: API_KEY,
        CENTRIFUGO_CLIENT_TOKEN_HMAC_SECRET_KEY: TOKEN_SECRET,
        CENTRIFUGO_CLIENT_ALLOWED_ORIGINS: url,
        CENTRIFUGO_CHANNEL_NAMESPACES: 'trpc',
        CENTRIFUGO_CHANNEL_NAMESPACES_TRPC_HISTORY_SIZE: '300',
        CENTRIFUGO_CHANNEL_NAMESPACES_TRPC_HISTORY_TTL: '10m',
        CENTRIFUGO_CHANNEL_NAMESPACES_TRPC_FORCE_RECOVERY: 'true',
      }),
    );
    next = spawn('node_modules/.bin/next', ['start', '-p', String(port)], { cwd: FOLDER, env, detached: true });
    for (const stream of [next.stdout, next.stderr])
      stream?.on('data', (chunk: Buffer) => {
        output += chunk;
      });
    await vi.waitFor(
      async () => {
        const response = await fetch(url).catch(() => null);
        if (!response?.ok) throw new Error(`next start does not answer:\n${output}`);
      },
      { timeout: 60_000, interval: 100 },
    );
    browser = await chromium.launch({ executablePath: executablePath!, args: ['--no-sandbox'] });
  }, BUILD_LIMIT_MS);

  afterAll(async () => {
    await browser?.close();
    if (next?.pid && next.exitCode === null) {
      process.kill(-next.pid, 'SIGTERM');
      await once(next, 'exit');
    }
    await broker?.close();
  });

  async function visit(): Promise<Visit> {
    const context = await browser.newContext();
    const page = await context.newPage();
    const complaints: string[] = [];
    let lists = 0;
    page.on('console', (message) => {
      if (message.type() === 'error' || message.type() === 'warning') complaints.push(message.text());
    });
    page.on('pageerror', (error) => complaints.push(String(error)));
    page.on('request', (request) => {
      if (request.url().includes('notes.list')) lists++;
    });
    return { page, lists: () => lists, complaints };
  }

  async function addNote(text: string): Promise<void> {
    const response = await fetch(`${url}/api/trpc/notes.add`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ text }),
    });
    expect(response.status).toBe(200);
  }

  const live = (page: Page) => page.getByTestId('freshness').getByText('live', { exact: true }).waitFor();

  it('shows what the server rendered, and asks for nothing where nothing changed', async () => {
    const { page, lists, complaints } = await visit();
    await page.goto(url);
    await page.getByText('Rendered on the server').waitFor();
    await live(page);
    expect(lists()).toBe(0);
    expect(complaints).toEqual([]);
    await page.context().close();
  });

  it('shows a change made between render and hydration, after one request', async () => {
    const { page, lists, complaints } = await visit();
    let letScriptsLoad = () => {};
    const opened = new Promise<void>((resolve) => {
      letScriptsLoad = resolve;
    });
    await page.route('**/_next/static/**/*.js', async (route) => {
      await opened;
      await route.continue();
    });
    await page.goto(url, { waitUntil: 'commit' });
    await page.getByText('Rendered on the server').waitFor();
    await addNote('Between render and hydration');
    expect(await page.getByText('Between render and hydration').count()).toBe(0);
    letScriptsLoad();
    await page.getByText('Between render and hydration').waitFor();
    await live(page);
    expect(lists()).toBe(1);
    expect(complaints).toEqual([]);
    await page.context().close();
  });

  it('shows what another window added, after one request in each', async () => {
    const [one, other] = [await visit(), await visit()];
    for (const { page } of [one, other]) {
      await page.goto(url);
      await live(page);
    }
    await one.page.getByLabel('New note').fill('From another window');
    await one.page.getByRole('button', { name: 'Add' }).click();
    for (const { page } of [one, other]) {
      await page.getByText('From another window').waitFor();
      await live(page);
    }
    expect([one.lists(), other.lists()]).toEqual([1, 1]);
    expect([...one.complaints, ...other.complaints]).toEqual([]);
    for (const { page } of [one, other]) await page.context().close();
  });
});
