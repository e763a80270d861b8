import { createTRPCClient, httpLink } from '@trpc/client';
import type { Page } from 'playwright';
import type { AppRouter } from '../src/server/trpc/router.ts';
import { untilLive, untilShown, write } from '../test/windows.ts';
import type { Camera, WindowOptions } from './camera.ts';
import { untilQuiet } from './until-quiet.ts';

const WIDE = { width: 1280, height: 800 };
const NARROW = { width: 390, height: 844 };

/** A browser window with the devtools open in it, and everything below in both colour schemes and widths. */
const WINDOWS: readonly (WindowOptions & { readonly name: string })[] = [
  { name: 'wide-light', ...WIDE, colorScheme: 'light' },
  { name: 'wide-dark', ...WIDE, colorScheme: 'dark' },
  { name: 'narrow-light', ...NARROW, colorScheme: 'light' },
  { name: 'narrow-dark', ...NARROW, colorScheme: 'dark' },
];

/** The devtools in the demo, which shows them when it runs in development. */
export async function takeDevtools(camera: Camera, url: string): Promise<void> {
  const as = (person: string) =>
    createTRPCClient<AppRouter>({ links: [httpLink({ url: `${url}/trpc`, headers: { 'x-demo-user': person } })] });
  const pages: Page[] = [];
  for (const options of WINDOWS) {
    const page = await camera.openWindow(`${url}/?as=mei`, options);
    await untilLive(page);
    await openDevtools(page, options.height);
    await untilQuiet(page);
    pages.push(page);
  }
  const [first] = pages as [Page];
  await as('amara').post.create.mutate({ orgId: null, body: 'Half an hour until the buns are gone, @mei.' });
  await untilAllShow(pages, 'Half an hour until');
  await write(first, 'Two of them are mine. On my way!');
  await untilAllShow(pages, 'On my way!');
  const [post] = await as('jonas').feed.everybody.query();
  await as('jonas').post.applaud.mutate({ postId: post!.id, on: true });
  await untilAllQuiet(pages);
  // Once more changes nothing, and is announced all the same: what the devtools call wasted.
  await as('jonas').post.applaud.mutate({ postId: post!.id, on: true });
  await Promise.all(pages.map((page) => page.locator('.pill[data-tone=wasted]').first().waitFor()));
  await untilAllQuiet(pages);

  for (const [at, page] of pages.entries()) {
    const { name, width } = WINDOWS[at]!;
    const isWide = width > 640;
    if (isWide) await choose(page, name.endsWith('light') ? 'post.create' : 'trpc:user:mei');
    await camera.take(page, `devtools-timeline-${name}`);
    if (name === 'narrow-light') {
      await choose(page, 'trpc:user:mei');
      await camera.take(page, 'devtools-story-narrow-light');
    }
    if (name === 'wide-light') await takeTab(camera, page, 'Queries', 'feed.everybody', 'devtools-queries-wide-light');
    if (name === 'wide-dark') await takeTab(camera, page, 'Channels', 'trpc:global', 'devtools-channels-wide-dark');
    if (name === 'narrow-dark') await takeTab(camera, page, 'Connection', null, 'devtools-connection-narrow-dark');
    await page.context().close();
  }
}

/** Opens the devtools, a little more than half of the window high. */
export async function openDevtools(page: Page, windowHeight: number, share = 0.52): Promise<void> {
  await page.evaluate(
    (height) => localStorage.setItem('op-realtime-devtools', JSON.stringify({ isOpen: true, height })),
    Math.round(windowHeight * share),
  );
  await page.reload();
  await untilLive(page);
  await page.getByRole('tab', { name: 'Timeline' }).waitFor();
}

async function takeTab(camera: Camera, page: Page, tab: string, row: string | null, name: string): Promise<void> {
  await page.getByRole('tab', { name: tab }).click();
  if (row) await choose(page, row);
  else await page.locator('.bars i').first().waitFor();
  await camera.take(page, name);
}

async function choose(page: Page, text: string): Promise<void> {
  await page.getByRole('option').filter({ hasText: text }).first().click();
  await page.locator('.detail h3').waitFor();
}

const untilAllShow = (pages: readonly Page[], text: string) =>
  Promise.all(pages.map((page) => untilShown(page, text).then(() => untilQuiet(page))));
const untilAllQuiet = (pages: readonly Page[]) => Promise.all(pages.map(untilQuiet));
