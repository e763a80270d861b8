import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { FakeApi } from '../../test/fake-api.ts';
import { Channels, ConfigError, type realtime } from './index.ts';

const MESSAGE = { type: 'query-invalidation', queryKey: ['user', 'notifications'] } as const;
const SHARED = Symbol.for('@op/realtime/server');
const NAMES = ['CENTRIFUGO_API_URL', 'CENTRIFUGO_API_KEY', 'CENTRIFUGO_TOKEN_SECRET'] as const;

let api: FakeApi;
beforeEach(async () => {
  api = await FakeApi.start();
  vi.stubEnv('CENTRIFUGO_API_URL', `${api.url}/api`);
  vi.stubEnv('CENTRIFUGO_API_KEY', 'the-key');
  vi.stubEnv('CENTRIFUGO_TOKEN_SECRET', 'the-secret');
});
afterEach(async () => {
  vi.unstubAllEnvs();
  vi.resetModules();
  await api.close();
});

/** The module as another bundle of the same process would load it, in a process that has not used it yet. */
async function freshRealtime() {
  vi.resetModules();
  Reflect.deleteProperty(globalThis, SHARED);
  return (await import('./index.ts')).realtime;
}

it('is made from the environment, as the README publishes', async () => {
  const fresh = await freshRealtime();
  expect(await fresh.publish(Channels.user('7'), MESSAGE)).toMatchObject({ position: { offset: 1 } });
  expect(api.requests).toMatchObject([{ method: 'publish', key: 'the-key' }]);
  expect(await fresh.createConnectionToken({ userId: '7' })).toMatch(/^ey/);
});

const uses: Record<(typeof NAMES)[number], (instance: typeof realtime) => Promise<unknown>> = {
  CENTRIFUGO_API_URL: (instance) => instance.publish(Channels.user('7'), MESSAGE),
  CENTRIFUGO_API_KEY: (instance) => instance.positions([Channels.user('7')]),
  CENTRIFUGO_TOKEN_SECRET: (instance) => instance.createConnectionToken({ userId: '7' }),
};
const broken = NAMES.flatMap((name) => [undefined, '', '  '].map((value) => [name, value] as const));
it.each(broken)('names %s when it is %j, at the first use and not at import', async (name, value) => {
  vi.stubEnv(name, value);
  const fresh = await freshRealtime();
  await expect(uses[name](fresh)).rejects.toMatchObject({
    name: 'ConfigError',
    code: 'invalid_config',
    message: expect.stringContaining(name),
  });
});

it('works as soon as the variable is there', async () => {
  vi.stubEnv('CENTRIFUGO_API_KEY', undefined);
  const fresh = await freshRealtime();
  await expect(fresh.publish(Channels.global(), MESSAGE)).rejects.toThrow('CENTRIFUGO_API_KEY is not set.');
  vi.stubEnv('CENTRIFUGO_API_KEY', 'the-key');
  await expect(fresh.publish(Channels.global(), MESSAGE)).resolves.toBeDefined();
});

it('needs no API to sign tokens, and no secret to publish', async () => {
  vi.stubEnv('CENTRIFUGO_TOKEN_SECRET', undefined);
  await expect((await freshRealtime()).publish(Channels.global(), MESSAGE)).resolves.toBeDefined();
  vi.stubEnv('CENTRIFUGO_API_URL', undefined);
  vi.stubEnv('CENTRIFUGO_TOKEN_SECRET', 'the-secret');
  await expect((await freshRealtime()).createConnectionToken({ userId: '7' })).resolves.toBeDefined();
});

it('takes audience and issuer from the names of Centrifugo', async () => {
  vi.stubEnv('CENTRIFUGO_CLIENT_TOKEN_AUDIENCE', 'centrifugo');
  const token = await (await freshRealtime()).createConnectionToken({ userId: '7' });
  expect(JSON.parse(atob(token.split('.')[1] ?? ''))).toMatchObject({ aud: 'centrifugo' });
});

it('names the variable when the API refuses the key, without showing it', async () => {
  api.handler = () => ({ status: 401 });
  const publishing = (await freshRealtime()).publish(Channels.global(), MESSAGE);
  await expect(publishing).rejects.toThrow(/CENTRIFUGO_API_KEY/);
  await expect(publishing).rejects.not.toThrow(/the-key/);
});

it('is one instance, however often the module is loaded in a process', async () => {
  const first = await freshRealtime();
  vi.resetModules();
  const again = await import('./index.ts');
  expect(again.ConfigError).not.toBe(ConfigError);
  expect(again.realtime).toBe(first);
});

it('does without process', async () => {
  const fresh = await freshRealtime();
  vi.stubGlobal('process', undefined);
  const publishing = fresh.publish(Channels.global(), MESSAGE);
  const failure = await publishing.catch((error: unknown) => error);
  vi.unstubAllGlobals();
  expect(failure).toMatchObject({ code: 'invalid_config' });
});
