import { createContext, runInContext } from 'node:vm';
import { build, type Rolldown } from 'vite';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { FakeApi } from '../../test/fake-api.ts';

let isLoading = true;
/** As in Cloudflare's runtime: what needs entropy or I/O throws while modules load. */
const lateCrypto = new Proxy(crypto, {
  get(target, name) {
    if (isLoading) throw new Error(`crypto.${String(name)} while modules load`);
    const value: unknown = Reflect.get(target, name, target);
    return typeof value === 'function' ? value.bind(target) : value;
  },
});

/** What every edge runtime has. No `process`, no `Buffer`, no `require`. */
const WEB_GLOBALS = {
  AbortController,
  Headers,
  Request,
  Response,
  TextDecoder,
  TextEncoder,
  URL,
  atob,
  btoa,
  clearTimeout,
  console,
  crypto: lateCrypto,
  fetch,
  queueMicrotask,
  setTimeout,
  structuredClone,
};

let api: FakeApi;
beforeEach(async () => {
  api = await FakeApi.start();
});
afterEach(() => api.close());

async function bundle(entry: string): Promise<string> {
  const output = (await build({
    configFile: false,
    logLevel: 'silent',
    resolve: { conditions: ['@op/source', 'edge-light', 'worker', 'import', 'default'] },
    build: {
      write: false,
      minify: false,
      lib: { entry, formats: ['iife'], name: 'entry' },
    },
  })) as Rolldown.RolldownOutput[];
  return output.flatMap((one) => one.output.flatMap((file) => (file.type === 'chunk' ? [file.code] : []))).join('\n');
}

it('/server bundles without a Node module, and publishes and signs where only the web platform is', async () => {
  const code = await bundle(new URL('index.ts', import.meta.url).pathname);
  expect(code).not.toMatch(/["']node:|browser-external|require\(/);
  const context = createContext({ ...WEB_GLOBALS, apiUrl: api.url });
  runInContext(code, context);
  isLoading = false;
  const published = await runInContext(
    `entry.createRealtime({ apiUrl, apiKey: 'key' }).publish(entry.Channels.user('7'), { type: 'channel-invalidation' })`,
    context,
  );
  expect(published.position.offset).toBe(1);
  const token = await runInContext(
    `entry.createRealtime({ tokenSecret: 'secret' }).createConnectionToken({ userId: '7' })`,
    context,
  );
  expect(token.split('.')).toHaveLength(3);
  const failure = runInContext(`entry.realtime.createConnectionToken({ userId: '7' })`, context);
  await expect(failure).rejects.toMatchObject({ code: 'invalid_config' });
});

it('/trpc/server bundles without a Node module, and loads where only the web platform is', async () => {
  isLoading = true;
  const code = await bundle(new URL('../trpc/server/index.ts', import.meta.url).pathname);
  expect(code).not.toMatch(/["']node:|browser-external|require\(/);
  const context = createContext(WEB_GLOBALS);
  runInContext(code, context);
  expect(runInContext('typeof entry.watches(() => "trpc:global")', context)).toBe('function');
});
