import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect, vi } from 'vitest';
import { type Broker, optionsFromEnv, startBroker } from '../../../packages/broker/src/index.ts';
import { parseEnvFile } from '../../../packages/realtime/src/cli/env-file.ts';
import { RealtimeManager } from '../../../packages/realtime/src/client/index.node.ts';
import type { RealtimeManager as AnyManager } from '../../../packages/realtime/src/client/realtime-manager.ts';
import { createRealtime, type Realtime } from '../../../packages/realtime/src/server/index.ts';
import { filesOf, ROOT, type Snippet, snippetsOf } from '../../markdown.ts';

/** Where the default instance is. Another process would have another one. */
const MANAGER = Symbol.for('@op/realtime.manager');

/** Where files of pages are put, so that they find `@op/realtime` and its peers by name; git-ignored. All in this process: a snippet costs no start. */
export interface Folder {
  /** Puts the files of a page into a folder of their own, with what the page leaves to the reader. */
  open(page: string, beside?: Readonly<Record<string, string>>): Page;
  remove(): void;
}

/** A broker, and the variables of `.env.test` for it. */
export interface Stage extends Pick<Folder, 'open'> {
  readonly broker: Broker;
  readonly realtime: Realtime;
  /** What was written to the console since the page was opened. */
  readonly said: string[];
  close(): Promise<void>;
}

export interface Page {
  /** Where its files are. */
  readonly folder: string;
  /** Runs a file: as a program is run, so again each time. */
  // biome-ignore lint/suspicious/noExplicitAny: a module that a page printed
  run(name: string): Promise<any>;
  /** Runs a block that names no file. `before` and `after`: what the page leaves to the reader. */
  // biome-ignore lint/suspicious/noExplicitAny: a module that a page printed
  play(snippet: Snippet, around?: { before?: string; after?: string }): Promise<any>;
}

/** @param origins beside those of `.env.test`, for pages in a browser */
export async function createStage(...origins: readonly string[]): Promise<Stage> {
  const file = parseEnvFile(readFileSync(join(ROOT, 'packages/realtime/.env.test'), 'utf8'), '.env.test');
  // What the page on presence adds, and an origin of the page on the command.
  const presence = snippetsOf('docs/recipes/presence.md').find(({ append }) => append)?.code ?? '';
  const settings = Object.fromEntries([...file, ...parseEnvFile(presence, 'presence.md')]);
  settings.CENTRIFUGO_CLIENT_ALLOWED_ORIGINS += ['', 'https://app.example.com', ...origins].join(' ');
  settings.CENTRIFUGO_HTTP_SERVER_ADDRESS = '127.0.0.1';
  const options = optionsFromEnv(settings);
  const broker = await startBroker({ ...options, port: 0 });
  for (const [name, value] of file) vi.stubEnv(name, value.replace('localhost:8000', `localhost:${broker.port}`));
  const folder = createFolder();
  const said: string[] = [];
  for (const method of ['log', 'warn', 'error'] as const)
    vi.spyOn(console, method).mockImplementation((...words: unknown[]) => void said.push(words.map(String).join(' ')));
  return {
    broker,
    realtime: createRealtime({
      apiUrl: broker.apiUrl,
      apiKey: settings.CENTRIFUGO_API_KEY,
      tokenSecret: settings.CENTRIFUGO_TOKEN_SECRET,
    }),
    said,
    open(page, beside) {
      endTab();
      said.length = 0;
      return folder.open(page, beside);
    },
    async close() {
      endTab();
      vi.restoreAllMocks();
      vi.unstubAllEnvs();
      await broker.close();
      folder.remove();
    },
  };
}

export function createFolder(): Folder {
  const base = join(ROOT, 'packages/realtime/.realtime');
  mkdirSync(base, { recursive: true });
  const folder = mkdtempSync(join(base, 'stage-'));
  let runs = 0;
  return {
    open(page, beside = {}) {
      const own = join(folder, page.replace(/\W/g, '-'));
      const write = (name: string, code: string) => {
        mkdirSync(dirname(join(own, name)), { recursive: true });
        writeFileSync(join(own, name), code);
      };
      for (const [name, code] of Object.entries({ ...filesOf(page), ...beside })) write(name, code);
      const run = (name: string) => import(/* @vite-ignore */ `${join(own, name)}?run=${++runs}`);
      return {
        folder: own,
        run,
        play(snippet, { before = '', after = '' } = {}) {
          const name = `block-${snippet.where.split(':')[1]}.ts`;
          write(name, `${before}\n${snippet.code}\n${after}\nexport {};\n`);
          return run(name);
        },
      };
    },
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
}

/** Takes the default instance away, as another process would have another one. */
export function takeTab(): AnyManager | undefined {
  const slot = globalThis as { [MANAGER]?: AnyManager | undefined };
  const manager = slot[MANAGER];
  slot[MANAGER] = undefined;
  return manager;
}

const endTab = () => takeTab()?.dispose();

/** Waits until the console was told this. */
export async function untilSaid({ said }: Stage, text: string): Promise<void> {
  await expect.poll(() => said.join('\n')).toContain(text);
}

/** A tab of a user, as the pages that speak of `getInstance()` suppose that there is one. */
export function openTab({ realtime, broker }: Stage, userId = '123'): AnyManager {
  return RealtimeManager.initialize({
    wsUrl: broker.url,
    getToken: () => realtime.createConnectionToken({ userId }),
    getChannelTokens: async (channels) => {
      const grants = await realtime.createChannelTokens({ userId, channels: [...channels] as never });
      return Object.fromEntries(grants.map(({ channel, token }) => [channel, token]));
    },
  });
}
