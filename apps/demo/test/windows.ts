import { type Browser, type BrowserContext, chromium, type Page } from 'playwright';
import { findChromium } from '../../../test/lanes.ts';
import { PageLog } from '../../../test/page-log.ts';

export interface Windows {
  /** A window of a browser of its own. */
  open(url: string, path: string): Promise<Page>;
  /** Another window of the same browser as `other`, so that they share cookies and local storage. */
  openBeside(other: Page, url: string, path: string): Promise<Page>;
  /** What a window asked and was told. */
  logOf(page: Page): PageLog;
  /** What went wrong in any window since the last call: console errors and exceptions. */
  takeProblems(): string[];
  closeAll(): Promise<void>;
  close(): Promise<void>;
}

export async function launchWindows(): Promise<Windows> {
  const executablePath = findChromium();
  const isRoot = process.getuid?.() === 0;
  const browser: Browser = await chromium.launch({
    ...(executablePath && { executablePath }),
    args: isRoot ? ['--no-sandbox'] : [],
  });
  const logs = new Map<Page, PageLog>();
  const contexts = new Set<BrowserContext>();

  const openIn = async (context: BrowserContext, url: string, path: string) => {
    const page = await context.newPage();
    logs.set(page, new PageLog(page, `window ${logs.size + 1}, opened at ${path}`));
    await page.goto(url + path);
    return page;
  };

  return {
    async open(url, path) {
      const context = await browser.newContext();
      contexts.add(context);
      return openIn(context, url, path);
    },
    openBeside: (other, url, path) => openIn(other.context(), url, path),
    logOf: (page) => logs.get(page)!,
    takeProblems: () => [...logs.values()].flatMap(({ complaints }) => complaints.splice(0)),
    async closeAll() {
      await Promise.all([...contexts].map((context) => context.close()));
      contexts.clear();
    },
    close: () => browser.close(),
  };
}

/** Waits until the window says that it is live. */
export const untilLive = (page: Page) => page.locator('.pill[data-state=connected]').waitFor();

/** Writes a post on the page that the window shows. */
export async function write(page: Page, text: string): Promise<void> {
  await page.locator('.composer textarea').fill(text);
  await page.getByRole('button', { name: 'Post', exact: true }).click();
}

/** Waits until a post with this text is shown. */
export const untilShown = (page: Page, text: string) => page.locator('.feed').getByText(text).first().waitFor();
