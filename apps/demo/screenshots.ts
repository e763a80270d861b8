/** Makes the pictures in `docs/screenshots` from a demo of its own: `pnpm --filter demo screenshots`. */
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { chromium, type Page } from 'playwright';
import { findChromium } from '../../test/lanes.ts';
import { ROOT, startDemoProcess } from './test/demo-process.ts';
import { untilLive, untilShown, write } from './test/windows.ts';

const FOLDER = join(ROOT, 'docs/screenshots');

interface Shot {
  readonly name: string;
  readonly path: string;
  readonly width: number;
  readonly height: number;
  readonly colorScheme: 'light' | 'dark';
  /** Text that shows that the page is complete. */
  readonly until: string;
}

const WIDE = { width: 1440, height: 900 };
const NARROW = { width: 375, height: 812 };
const MARKET = 'Street market this Saturday';
const WRENCH = 'Who has the torque wrench?';

const SHOTS: readonly Shot[] = [
  { name: 'everybody-wide-light', path: '/?as=mei', ...WIDE, colorScheme: 'light', until: MARKET },
  { name: 'organisation-wide-dark', path: '/o/tool-library?as=mei', ...WIDE, colorScheme: 'dark', until: WRENCH },
  { name: 'everybody-narrow-light', path: '/?as=mei', ...NARROW, colorScheme: 'light', until: MARKET },
  { name: 'organisation-narrow-dark', path: '/o/tool-library?as=mei', ...NARROW, colorScheme: 'dark', until: WRENCH },
  {
    name: 'organisations-narrow-light',
    path: '/organisations?as=mei',
    ...NARROW,
    colorScheme: 'light',
    until: 'Choir',
  },
  {
    name: 'notifications-narrow-dark',
    path: '/notifications?as=mei',
    ...NARROW,
    colorScheme: 'dark',
    until: 'answered',
  },
  { name: 'chooser-wide-light', path: '/', ...WIDE, colorScheme: 'light', until: 'Mei Tanaka' },
];

const executablePath = findChromium();
if (!executablePath) throw new Error('No Chromium found: set CHROMIUM_PATH, or put one on PATH.');
await mkdir(FOLDER, { recursive: true });
const demo = await startDemoProcess();
const browser = await chromium.launch({ executablePath, args: process.getuid?.() === 0 ? ['--no-sandbox'] : [] });
try {
  for (const shot of SHOTS) await takeShot(demo.url, shot);
  await takeTwoWindows(demo.url);
  await takeChaos(demo.url);
} finally {
  await browser.close();
  await demo.stop();
}

async function openWindow(url: string, width: number, height: number, colorScheme: 'light' | 'dark'): Promise<Page> {
  const context = await browser.newContext({ viewport: { width, height }, colorScheme });
  const page = await context.newPage();
  await page.goto(url);
  return page;
}

async function takeShot(url: string, { name, path, width, height, colorScheme, until }: Shot): Promise<void> {
  const page = await openWindow(url + path, width, height, colorScheme);
  await page.getByText(until).first().waitFor();
  if (path !== '/') await untilLive(page);
  await page.screenshot({ path: join(FOLDER, `${name}.png`), animations: 'disabled' });
  await page.context().close();
  process.stdout.write(`  ${name}.png\n`);
}

/** A cut socket, and how the window recovers. */
async function takeChaos(url: string): Promise<void> {
  const page = await openWindow(`${url}/o/tool-library?as=mei`, WIDE.width, WIDE.height, 'light');
  await untilLive(page);
  await page.locator('.pill').click();
  await page.getByRole('button', { name: 'Cut' }).click();
  await page.locator('.pill[data-state=reconnecting]').waitFor();
  await page.screenshot({ path: join(FOLDER, 'chaos-wide-light.png'), animations: 'disabled' });
  await page.context().close();
  process.stdout.write('  chaos-wide-light.png\n');
}

/** The picture of the README: one writes, the other sees. */
async function takeTwoWindows(url: string): Promise<void> {
  const [left, right] = await Promise.all([
    openWindow(`${url}/?as=mei`, 560, 620, 'light'),
    openWindow(`${url}/?as=amara`, 560, 620, 'dark'),
  ]);
  await Promise.all([left, right].map(untilLive));
  await write(left, 'Half an hour until the buns are gone, @amara.');
  await Promise.all([left, right].map((page) => untilShown(page, 'Half an hour until')));
  await right.getByTestId('unread').waitFor();
  const [one, two] = await Promise.all([left, right].map((page) => page.screenshot({ animations: 'disabled' })));
  const image = (png: Buffer) => `<img src="data:image/png;base64,${png.toString('base64')}">`;
  const frame = await openWindow('about:blank', 1248, 700, 'light');
  await frame.setContent(`<style>
    body { margin: 0; display: flex; gap: 32px; justify-content: center; align-items: center; height: 100vh; background: #e9ebe4 }
    img { border-radius: 12px; box-shadow: 0 10px 40px rgb(20 40 30 / 22%) }
  </style>${image(one!)}${image(two!)}`);
  await frame.screenshot({ path: join(FOLDER, 'two-windows.png') });
  process.stdout.write('  two-windows.png\n');
}
