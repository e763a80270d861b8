import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { createInterface } from 'node:readline/promises';
import { chromium } from 'playwright';
import type { EmptyProject } from './empty-project.ts';

/** Bundles the project's page for browsers, opens it, and waits until it shows a message that was published. Returns the bytes of its entry. */
export async function tryInBrowser(project: EmptyProject, executablePath: string): Promise<number> {
  await project.node('out/bundle.js');
  let settings = '';
  const site = createServer(({ url = '/' }, response) => {
    if (url === '/') {
      const script = `<script>window.settings = ${settings}</script><script type="module" src="/page.js"></script>`;
      response.setHeader('content-type', 'text/html').end(`<!doctype html><link rel="icon" href="data:,">${script}`);
    } else {
      const code = readFileSync(join(project.folder, 'bundle', new URL(url, 'http://localhost').pathname));
      response.setHeader('content-type', 'text/javascript').end(code);
    }
  });
  await once(site.listen(0, '127.0.0.1'), 'listening');
  const origin = `http://127.0.0.1:${(site.address() as AddressInfo).port}`;

  const { command, ...options } = project.spawnOptions;
  const server = spawn(command, ['out/serve.js', origin], { ...options, stdio: ['pipe', 'pipe', 'inherit'] });
  const browser = await chromium.launch({ executablePath, args: process.getuid?.() === 0 ? ['--no-sandbox'] : [] });
  try {
    settings = (await createInterface(server.stdout)[Symbol.asyncIterator]().next()).value;
    const page = await browser.newPage();
    const complaints: string[] = [];
    page.on('pageerror', (error) => complaints.push(String(error)));
    page.on('console', (message) => {
      if (message.type() === 'error') complaints.push(message.text());
    });
    const shows = (text: string) =>
      page
        .getByText(text)
        .waitFor()
        .catch(async () => {
          throw new Error(
            `the page shows "${await page.textContent('body')}", not "${text}". ${complaints.join('; ')}`,
          );
        });
    await page.goto(origin);
    await shows('connected, joined');
    server.stdin.write('publish\n');
    await shows('heard channel-invalidation');
    if (complaints.length > 0) throw new Error(`the page complains: ${complaints.join('; ')}`);
    return readFileSync(join(project.folder, 'bundle/page.js')).length;
  } finally {
    await browser.close();
    site.close();
    server.stdin.end();
    if (server.exitCode === null) await once(server, 'exit');
  }
}
