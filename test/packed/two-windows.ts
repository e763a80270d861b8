import { chromium, type Page } from 'playwright';

const PATIENCE_MS = 150_000;

/** Opens a page in two windows, presses *Add* in the first one, and waits until both show it. Returns what both show then. */
export async function tryInTwoWindows(
  origin: string,
  paths: readonly string[],
  executablePath: string,
): Promise<string> {
  const browser = await chromium.launch({ executablePath, args: process.getuid?.() === 0 ? ['--no-sandbox'] : [] });
  const complaints: string[] = [];
  try {
    const open = async (path: string) => {
      const context = await browser.newContext();
      const page = await context.newPage();
      page.on('pageerror', (error) => complaints.push(String(error)));
      page.setDefaultTimeout(PATIENCE_MS);
      for (const deadline = Date.now() + PATIENCE_MS; ; ) {
        const answer = await page.goto(`${origin}${path}`).catch(() => null);
        if (answer?.ok()) return page;
        if (Date.now() > deadline) throw new Error(`${origin} does not answer`);
        await new Promise((resolve) => setTimeout(resolve, 200));
      }
    };
    const windows: Page[] = [];
    for (const path of paths) windows.push(await open(path));
    const all = (text: string) => Promise.all(windows.map((page) => page.getByText(text).waitFor()));
    const failed = async (cause: unknown) => {
      const shown = await Promise.all(windows.map((page) => page.textContent('body')));
      throw new Error(`the windows show ${JSON.stringify(shown)}. ${complaints.join('; ')}`, { cause });
    };
    await all('first (live)').catch(failed);
    await windows[0]?.getByText('Add').click();
    await all('first, another (live)').catch(failed);
    if (complaints.length > 0) throw new Error(`the page complains: ${complaints.join('; ')}`);
    return 'both windows: first, another (live)';
  } finally {
    await browser.close();
  }
}
