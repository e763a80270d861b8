import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Browser, chromium, type Page } from 'playwright';
import { findChromium } from '../../../test/lanes.ts';
import { ROOT } from '../test/demo-process.ts';
import type { Frame } from './animated-webp.ts';

/** Small enough for a repository, and nothing of it is seen at this size. */
const STILL_QUALITY = 0.9;
const FOLDER = join(ROOT, 'docs/screenshots');

export interface WindowOptions {
  readonly width: number;
  readonly height: number;
  readonly colorScheme: 'light' | 'dark';
}

/** A part of a picture that differs from the one before. */
export type Patch = Omit<Frame, 'durationMs'>;

/** A browser that keeps pictures of its windows in `docs/screenshots`. */
export class Camera {
  readonly #browser: Browser;
  /** An empty page whose canvas turns pictures into small files. */
  readonly #darkroom: Page;

  private constructor(browser: Browser, darkroom: Page) {
    this.#browser = browser;
    this.#darkroom = darkroom;
  }

  static async open(): Promise<Camera> {
    const executablePath = findChromium();
    if (!executablePath) throw new Error('No Chromium found: set CHROMIUM_PATH, or put one on PATH.');
    await mkdir(FOLDER, { recursive: true });
    const args = process.getuid?.() === 0 ? ['--no-sandbox'] : [];
    const browser = await chromium.launch({ executablePath, args });
    const darkroom = await browser.newPage();
    await darkroom.evaluate('globalThis.__name = (fn) => fn'); // tsx writes calls of it into functions that run there
    return new Camera(browser, darkroom);
  }

  async openWindow(url: string, { width, height, colorScheme }: WindowOptions): Promise<Page> {
    const context = await this.#browser.newContext({
      viewport: { width, height },
      colorScheme,
      reducedMotion: 'reduce',
    });
    const page = await context.newPage();
    await page.goto(url);
    return page;
  }

  /** Takes the picture of a window as `docs/screenshots/{name}.webp`. */
  async take(page: Page, name: string): Promise<void> {
    const { webp } = await this.patch(null, await shoot(page), STILL_QUALITY);
    await this.keep(`${name}.webp`, webp);
  }

  async keep(file: string, content: Uint8Array): Promise<void> {
    await writeFile(join(FOLDER, file), content);
    process.stdout.write(`  ${file}  ${(content.length / 1_000).toFixed(0)} kB\n`);
  }

  /** What of a picture (PNG) differs from the one before; all of it where there is none. With a `quality` of 1 nothing is lost. */
  async patch(before: Buffer | null, after: Buffer, quality = 1): Promise<Patch> {
    const { data, ...place } = await this.#darkroom.evaluate(developPatch, [
      before?.toString('base64') ?? null,
      after.toString('base64'),
      quality,
    ] as const);
    return { ...place, webp: Buffer.from(data, 'base64') };
  }

  async close(): Promise<void> {
    await this.#browser.close();
  }
}

/** A picture of a window with nothing moving in it. */
export function shoot(page: Page): Promise<Buffer> {
  return page.screenshot({ animations: 'disabled', caret: 'hide' });
}

/** Runs in the darkroom: crops to what changed, and encodes. */
async function developPatch([before, after, quality]: readonly [
  before: string | null,
  after: string,
  quality: number,
]) {
  const draw = async (png: string) => {
    const image = new Image();
    image.src = `data:image/png;base64,${png}`;
    await image.decode();
    const canvas = new OffscreenCanvas(image.width, image.height);
    const context = canvas.getContext('2d', { willReadFrequently: true })!;
    context.drawImage(image, 0, 0);
    return context;
  };
  const context = await draw(after);
  const { width, height } = context.canvas;
  let [left, top, right, bottom] = [0, 0, width, height];
  if (before) {
    const old = new Uint32Array((await draw(before)).getImageData(0, 0, width, height).data.buffer);
    const now = new Uint32Array(context.getImageData(0, 0, width, height).data.buffer);
    [left, top, right, bottom] = [width, height, 0, 0];
    for (let at = 0; at < now.length; at++) {
      if (now[at] === old[at]) continue;
      const [x, y] = [at % width, Math.floor(at / width)];
      [left, top] = [Math.min(left, x), Math.min(top, y)];
      [right, bottom] = [Math.max(right, x + 1), Math.max(bottom, y + 1)];
    }
    if (left >= right) [left, top, right, bottom] = [0, 0, 2, 2]; // nothing changed: any corner
    [left, top] = [left - (left % 2), top - (top % 2)];
  }
  const cut = new OffscreenCanvas(right - left, bottom - top);
  cut.getContext('2d')!.drawImage(context.canvas, -left, -top);
  const blob = await cut.convertToBlob({ type: 'image/webp', quality });
  const content = new Uint8Array(await blob.arrayBuffer());
  let text = '';
  for (const byte of content) text += String.fromCharCode(byte);
  return { data: btoa(text), x: left, y: top, width: cut.width, height: cut.height };
}
