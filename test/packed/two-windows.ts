import { type Browser, chromium, type Page } from 'playwright';

const PATIENCE_MS = 150_000;

export const launch = (executablePath: string): Promise<Browser> =>
  chromium.launch({ executablePath, args: process.getuid?.() === 0 ? ['--no-sandbox'] : [] });

/** Opens a page in two windows, presses *Add* in the first one, and waits until both show it. Returns what both show then. */
export async function tryInTwoWindows(
  browser: Browser,
  origin: string,
  paths: readonly string[],
  patienceMs = PATIENCE_MS,
): Promise<string> {
  const windows: Window[] = [];
  for (const path of paths) windows.push(await openWindow(browser, `${origin}${path}`, patienceMs));
  const all = (text: string) => Promise.all(windows.map(({ shows }) => shows(text)));
  await all('first (live)');
  await windows[0]?.page.getByText('Add').click();
  await all('first, another (live)');
  for (const { close } of windows) await close();
  return 'both windows: first, another (live)';
}

export interface Window {
  readonly page: Page;
  /** Waits for a text; fails with what the page shows instead. */
  shows(text: string): Promise<void>;
  /** @throws Error where something was thrown in the page */
  close(): Promise<void>;
}

/** A window of its own user, at a page that may still be starting. */
export async function openWindow(browser: Browser, url: string, patienceMs = PATIENCE_MS): Promise<Window> {
  const context = await browser.newContext();
  const page = await context.newPage();
  const complaints: string[] = [];
  page.on('pageerror', (error) => complaints.push(String(error)));
  page.setDefaultTimeout(patienceMs);
  for (const deadline = Date.now() + patienceMs; ; ) {
    const answer = await page.goto(url).catch(() => null);
    if (answer?.ok()) break;
    if (Date.now() > deadline) throw new Error(`${url} does not answer`);
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
  return {
    page,
    shows: (text) =>
      page
        .getByText(text)
        .first()
        .waitFor()
        .catch(async (cause) => {
          const shown = await page.textContent('body');
          throw new Error(`the page shows "${shown}", not "${text}". ${complaints.join('; ')}`, { cause });
        }),
    async close() {
      await context.close();
      if (complaints.length > 0) throw new Error(`the page complains: ${complaints.join('; ')}`);
    },
  };
}
