import { utimes } from 'node:fs/promises';
import { join } from 'node:path';
import { createTRPCClient, httpLink } from '@trpc/client';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { findChromium, hasLane } from '../../../test/lanes.ts';
import type { AppRouter } from '../src/server/trpc/router.ts';
import { type DemoProcess, ROOT, START, START_PATIENCE, startDemoProcess } from './demo-process.ts';
import { launchWindows, untilLive, untilShown, type Windows } from './windows.ts';

/** React's development mode mounts every effect twice (StrictMode), and Vite replaces modules while the page runs. */
describe.skipIf(!hasLane('chromium', findChromium()))('the demo in development', () => {
  let demo: DemoProcess;
  let windows: Windows;
  beforeAll(async () => {
    [demo, windows] = await Promise.all([startDemoProcess({}, [...START, '--dev']), launchWindows()]);
  }, START_PATIENCE.timeout);
  afterAll(async () => {
    await Promise.all([windows?.close(), demo?.stop()]);
  });
  beforeEach(({ onTestFailed }) => {
    onTestFailed(() => {
      process.stderr.write(`\nthe demo:\n${demo.output()}\n`);
    });
  });

  it('has one socket and one refetch per change under StrictMode, before and after a module is replaced', async () => {
    const amara = createTRPCClient<AppRouter>({
      links: [httpLink({ url: `${demo.url}/trpc`, headers: { 'x-demo-user': 'amara' } })],
    });
    const mei = await windows.open('about:', 'blank');
    const log = windows.logOf(mei);
    const feedRequests = () => log.requests('feed.everybody');
    const sockets: string[] = [];
    mei.on('websocket', (socket) => {
      if (socket.url().endsWith('/connection/websocket')) sockets.push(socket.url());
    });
    await mei.goto(`${demo.url}/?as=mei`);
    await untilLive(mei);
    await untilShown(mei, 'Street market this Saturday');
    await log.quiet();

    const post = async (body: string) => {
      const before = feedRequests();
      await amara.post.create.mutate({ orgId: null, body });
      await untilShown(mei, body);
      await log.quiet();
      return feedRequests() - before;
    };
    expect(await post('Before the update.')).toBe(1);

    await mei.locator('.composer textarea').fill('Half a thought');
    const updated = mei.waitForEvent('console', (message) => message.text().includes('hot updated'));
    const now = new Date();
    await utimes(join(ROOT, 'apps/demo/src/client/components/App.tsx'), now, now);
    await updated;
    await untilLive(mei);
    expect(await mei.locator('.composer textarea').inputValue()).toBe('Half a thought');
    await log.quiet();
    expect(await post('After the update.')).toBe(1);
    expect(sockets).toHaveLength(1);
    expect(windows.takeProblems()).toEqual([]);
  });
});
