import type { Page } from 'playwright';

/** How long a window must ask for nothing: longer than news is gathered before a refetch. */
const QUIET_MS = 500;

/** Waits until the window has stopped asking for anything, so that a picture shows the end of it. */
export async function untilQuiet(page: Page): Promise<void> {
  let last = Date.now();
  const note = () => {
    last = Date.now();
  };
  page.on('request', note).on('response', note);
  while (Date.now() - last < QUIET_MS) await new Promise((resolve) => setTimeout(resolve, QUIET_MS / 8));
  page.off('request', note).off('response', note);
}
