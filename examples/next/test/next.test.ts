import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { type Broker, optionsFromEnv, startBroker } from '@op/realtime-broker';
import { type Browser, chromium, type Page } from 'playwright';
import { afterAll, beforeAll, describe, expect, it, onTestFailed, vi } from 'vitest';
import { findChromium, hasLane } from '../../../test/lanes.ts';
import { PageLog, playTimely } from '../../../test/page-log.ts';

const FOLDER = join(import.meta.dirname, '..');
const API_KEY = 'example-api-key';
const TOKEN_SECRET = 'example-token-secret-of-more-than-32-bytes';
const BUILD_LIMIT_MS = 240_000;

const executablePath = findChromium();

/** A page, and what it asked the server for. */
interface Visit {
  readonly page: Page;
  readonly log: PageLog;
  /** How often it asked for the list. */
  readonly lists: () => number;
}

describe.skipIf(!hasLane('chromium'))('Next.js, App Router', () => {
  let broker: Broker;
  let next: ChildProcess;
  let browser: Browser;
  let url: string;
  let output = '';
  let changes = 0;

  beforeAll(async () => {
    broker = await startBroker(
      optionsFromEnv({
        CENTRIFUGO_HTTP_SERVER_PORT: '0',
        CENTRIFUGO_HTTP_API_KEY: API_KEY,
        CENTRIFUGO_CLIENT_TOKEN_HMAC_SECRET_KEY: TOKEN_SECRET,
        CENTRIFUGO_CLIENT_ALLOWED_ORIGINS: 'http://localhost:*',
        CENTRIFUGO_CHANNEL_NAMESPACES: 'trpc',
        CENTRIFUGO_CHANNEL_NAMESPACES_TRPC_HISTORY_SIZE: '300',
        CENTRIFUGO_CHANNEL_NAMESPACES_TRPC_HISTORY_TTL: '10m',
        CENTRIFUGO_CHANNEL_NAMESPACES_TRPC_FORCE_RECOVERY: 'true',
      }),
    );
    const env = {
      ...process.env,
      NODE_ENV: 'production' as const,
      NEXT_TELEMETRY_DISABLED: '1',
      CENTRIFUGO_API_URL: broker.apiUrl,
      CENTRIFUGO_API_KEY: API_KEY,
      CENTRIFUGO_TOKEN_SECRET: TOKEN_SECRET,
      // Next writes it into the bundle, so the port must be known before the build.
      NEXT_PUBLIC_CENTRIFUGO_WS_URL: broker.url,
    };
    for (const [cwd, ...command] of [
      [join(FOLDER, '../../packages/broker'), 'pnpm', 'run', 'build'],
      [join(FOLDER, '../../packages/realtime'), 'pnpm', 'run', 'build'],
      [FOLDER, 'node_modules/.bin/next', 'build'],
    ] as const) {
      await promisify(execFile)(command[0], command.slice(1), { cwd, env }).catch((error) => {
        throw new Error(`${command.join(' ')} failed: ${error.message}\n${error.stdout}`);
      });
    }
    next = spawn('node_modules/.bin/next', ['start', '-p', '0'], { cwd: FOLDER, env, detached: true });
    for (const stream of [next.stdout, next.stderr])
      stream?.on('data', (chunk: Buffer) => {
        output += chunk;
      });
    await vi.waitFor(
      async () => {
        [url = ''] = /http:\/\/localhost:\d+/.exec(output) ?? [];
        const response = await fetch(url).catch(() => null);
        if (!response?.ok) throw new Error(`next start does not answer:\n${output}`);
      },
      { timeout: 60_000, interval: 100 },
    );
    browser = await chromium.launch({ executablePath: executablePath!, args: ['--no-sandbox'] });
  }, BUILD_LIMIT_MS);

  afterAll(async () => {
    await browser?.close();
    if (next?.pid && next.exitCode === null && next.signalCode === null) {
      process.kill(-next.pid, 'SIGTERM');
      await once(next, 'exit');
    }
    await broker?.close();
  });

  async function visit(name: string): Promise<Visit> {
    const context = await browser.newContext();
    const page = await context.newPage();
    const log = new PageLog(page, name);
    return { page, log, lists: () => log.requests('notes.list') };
  }

  /** Plays something with fresh pages, and says what came of it. */
  function play<T>(count: number, scene: (visits: readonly Visit[]) => Promise<T>): Promise<T> {
    onTestFailed(() => {
      process.stderr.write(`\nnext start:\n${output}\n`);
    });
    return playTimely(async (take) => {
      const visits = await Promise.all(Array.from({ length: count }, (_, n) => visit(`page ${n + 1}, take ${take}`)));
      const logs = visits.map(({ log }) => log);
      const found = await scene(visits);
      await Promise.all(logs.map((log) => log.quiet()));
      await Promise.all(visits.map(({ page }) => page.context().close()));
      expect(logs.flatMap(({ complaints }) => complaints)).toEqual([]);
      return { logs, found };
    });
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
    const lists = await play(1, async ([visit]) => {
      const { page, lists } = visit!;
      await page.goto(url);
      await page.getByText('Rendered on the server').waitFor();
      await live(page);
      return lists();
    });
    expect(lists).toBe(0);
  });

  it('shows a change made between render and hydration, after one request', async () => {
    const lists = await play(1, async ([visit]) => {
      const { page, lists } = visit!;
      const change = `Between render and hydration ${++changes}`;
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
      await addNote(change);
      expect(await page.getByText(change, { exact: true }).count()).toBe(0);
      letScriptsLoad();
      await page.getByText(change, { exact: true }).waitFor();
      await live(page);
      return lists();
    });
    expect(lists).toBe(1);
  });

  it('shows what another window added, after one request in each', async () => {
    const lists = await play(2, async (visits) => {
      const change = `From another window ${++changes}`;
      const [one, other] = visits.map(({ page }) => page) as [Page, Page];
      for (const page of [one, other]) {
        await page.goto(url);
        await live(page);
      }
      await one.getByLabel('New note').fill(change);
      await one.getByRole('button', { name: 'Add' }).click();
      for (const page of [one, other]) {
        await page.getByText(change, { exact: true }).waitFor();
        await live(page);
      }
      return visits.map(({ lists }) => lists());
    });
    expect(lists).toEqual([1, 1]);
  });
});
