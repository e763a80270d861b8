import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { createRealtime } from '../../packages/realtime/src/server/create-realtime.ts';
import {
  appVariables,
  type ClinicBroker,
  embeddedWard,
  KEY,
  ORIGIN,
  SECRET,
} from '../../packages/realtime/test/clinic.ts';
import { commandProgram, REALTIME, start } from './run-command.ts';

let broker: ClinicBroker;
let env: NodeJS.ProcessEnv;
let program: string;
beforeAll(async () => {
  [broker, program] = await Promise.all([embeddedWard().start(), commandProgram()]);
  env = { ...process.env, ...appVariables(broker.port), NO_COLOR: '1' };
});
afterAll(() => broker.close());

const command = (...args: string[]) => start(process.execPath, [program, ...args], { cwd: REALTIME, env });
const publish = () =>
  createRealtime({ apiUrl: env.CENTRIFUGO_API_URL, apiKey: KEY }).publish('trpc:org:1', {
    type: 'channel-invalidation',
  });

it('doctor exits with 0 for a good set-up and with 1 for a fault, and prints no key, token or address', async () => {
  const good = await command('doctor', '--origin', 'http://localhost:3000').finished;
  expect(good).toMatchObject({ code: 0, err: '' });
  expect(good.out).toMatch(/\n30 ok, 1 skipped\n$/);
  env.CENTRIFUGO_API_KEY = 'a-key-of-another-broker';
  const bad = await command('doctor', '--origin', ORIGIN, '--json').finished.finally(() =>
    Object.assign(env, appVariables(broker.port)),
  );
  expect(bad).toMatchObject({ code: 1, err: '' });
  const { ok, counts, findings } = JSON.parse(bad.out);
  expect({ ok, failures: counts.failure > 0, count: findings.length }).toEqual({
    ok: false,
    failures: true,
    count: 31,
  });
  for (const value of [KEY, SECRET, 'a-key-of-another-broker', 'eyJ', ...Object.values(appVariables(broker.port))])
    expect(good.out + bad.out).not.toContain(value);
});

it('tail ends on Ctrl-C with 0, having printed what came', async () => {
  const tail = command('tail', 'trpc:org:1');
  await tail.wrote('Joined trpc:org:1');
  await publish();
  await tail.wrote('{"type":"channel-invalidation"}');
  process.kill(-(tail.child.pid ?? 0), 'SIGINT');
  expect(await tail.finished).toMatchObject({ code: 0, signal: null });
});

it('tail ends quietly when nobody reads any more', async () => {
  const child = spawn(process.execPath, [program, 'tail', 'trpc:org:1'], {
    cwd: REALTIME,
    env,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const ended = once(child, 'exit');
  let complaints = '';
  await new Promise<void>((resolve) => {
    child.stderr.on('data', (chunk) => {
      complaints += chunk;
      if (complaints.includes('Joined')) resolve();
    });
  });
  child.stdout.destroy();
  let isOver = false;
  void ended.then(() => {
    isOver = true;
  });
  while (!isOver) {
    await publish();
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  expect(await ended).toEqual([0, null]);
  expect(complaints).not.toMatch(/EPIPE|Error/);
});

it('the script of the workspace hands every word on as it was typed, and adds nothing to the result', async () => {
  const pnpm = (...args: string[]) => start('npx', ['--yes', 'pnpm@12.21.0', 'w:realtime', ...args], { env }).finished;
  const message = `{"type":"event","name":"it's $HOME \\"quoted\\"","data":null}`;
  const published = await pnpm('publish', 'trpc:org:1', message, '--json');
  expect(published.code, published.err).toBe(0);
  const { publications } = await createRealtime({ apiUrl: env.CENTRIFUGO_API_URL, apiKey: KEY }).history('trpc:org:1', {
    limit: 1,
    reverse: true,
  });
  expect(publications[0]?.data).toEqual(JSON.parse(message));
  const token = await pnpm('token', '--user', '007');
  expect(token.out).toMatch(/^[\w-]+\.[\w-]+\.[\w-]+\n$/);
});
