import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { delimiter, join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { processIdentity } from '../../packages/realtime/src/cli/process-identity.ts';
import { findCommand, hasLane } from '../lanes.ts';
import { createDockerStandIn } from './docker-stand-in.ts';
import { createSandbox, type Sandbox, start } from './run-command.ts';

const sandboxes: Sandbox[] = [];
afterEach(async () => {
  for (const sandbox of sandboxes.splice(0)) await sandbox.close();
});

async function sandbox(env?: NodeJS.ProcessEnv): Promise<Sandbox> {
  const created = await createSandbox(env);
  sandboxes.push(created);
  return created;
}

const statePath = ({ folder, port }: Sandbox) => join(folder, `broker-${port}.json`);
const ownerPid = (box: Sandbox): number => JSON.parse(readFileSync(statePath(box), 'utf8')).owner.pid;
const isAlive = (pid: number): boolean => processIdentity(pid) !== undefined;

const centrifugo = process.env.CENTRIFUGO_BIN || findCommand('centrifugo');
const engines = ['embedded', ...(hasLane('centrifugo', centrifugo) ? ['binary'] : [])];

describe.each(engines)('op-realtime dev --engine %s', (engine) => {
  it('runs in the foreground until SIGTERM, with closed stdin, and says what it runs', async () => {
    const box = await sandbox();
    const dev = box.command('dev', '--engine', engine);
    await dev.wrote('Ready.');
    expect(await box.healthy()).toBe(true);
    expect(dev.text()).toContain(`(--engine ${engine}; `);
    expect(dev.text()).toContain(`http://localhost:${box.port}`);
    expect(dev.text()).not.toMatch(/published-with-the-source/);
    dev.child.kill('SIGTERM');
    expect(await dev.finished).toMatchObject({ code: 0, signal: null });
    expect(await box.healthy()).toBe(false);
    expect((await box.run('down')).out).toBe('');
  });

  it('ends on Ctrl-C, which the whole process group gets', async () => {
    const box = await sandbox();
    const dev = box.command('dev', '--engine', engine);
    await dev.wrote('Ready.');
    process.kill(-(dev.child.pid ?? 0), 'SIGINT');
    expect(await dev.finished).toMatchObject({ code: 0, signal: null });
    expect(await box.healthy()).toBe(false);
  });

  it('is stopped by down, and down is quiet where nothing runs', async () => {
    const box = await sandbox();
    expect(await box.run('down')).toMatchObject({ code: 0, out: '', err: '' });
    const dev = box.command('dev', '--engine', engine);
    await dev.wrote('Ready.');
    const stopped = await box.run('down');
    expect(stopped).toMatchObject({ code: 0, err: '' });
    expect(stopped.out).toMatch(/^Stopped the .* on port \d+\.\n$/);
    expect(await dev.finished).toMatchObject({ code: 0 });
    expect(await box.run('down')).toMatchObject({ code: 0, out: '', err: '' });
  });

  it('started twice says that it runs, and leaves it alone', async () => {
    const box = await sandbox();
    expect(await box.run('dev', '--engine', engine, '--detach')).toMatchObject({ code: 0, err: '' });
    const pid = ownerPid(box);
    const second = await box.run('dev', '--engine', engine);
    expect(second).toMatchObject({ code: 0, err: '' });
    expect(second.out).toMatch(/ already runs on http:\/\/localhost:\d+\.\n$/);
    expect(isAlive(pid)).toBe(true);
    expect(ownerPid(box)).toBe(pid);
  });

  it('two started at the same moment become one', async () => {
    const box = await sandbox();
    const both = [1, 2].map(() => box.command('dev', '--engine', engine));
    await Promise.any(both.map(({ wrote }) => wrote('Ready.')));
    const second = await Promise.race(both.map(({ finished }) => finished));
    expect(second).toMatchObject({ code: 0, err: '' });
    expect(second.out).toMatch(/ already runs on http:\/\/localhost:\d+\.\n$/);
    expect(await box.healthy()).toBe(true);
    await box.run('down');
    for (const { finished } of both) expect(await finished).toMatchObject({ code: 0 });
    expect(await box.healthy()).toBe(false);
  });

  it('can be started and stopped by another clone, since a port belongs to the machine', async () => {
    const box = await sandbox();
    await box.run('dev', '--engine', engine, '--detach');
    const pid = ownerPid(box);
    writeFileSync(join(box.folder, 'other.env'), 'CENTRIFUGO_HEALTH_ENABLED=true\n');
    await box.run('down', '--env-file', join(box.folder, 'other.env'));
    expect(isAlive(pid)).toBe(false);
  });

  it('a killed one leaves a state file that hinders neither dev nor down', async () => {
    const box = await sandbox();
    await box.run('dev', '--engine', engine, '--detach');
    process.kill(ownerPid(box), 'SIGKILL');
    await expect.poll(box.healthy).toBe(false);
    expect(await box.run('dev', '--engine', engine, '--detach')).toMatchObject({ code: 0, err: '' });
    expect(await box.healthy()).toBe(true);
  });

  it('is stopped by down also where the command that started it was killed', async () => {
    const box = await sandbox();
    const dev = box.command('dev', '--engine', engine);
    await dev.wrote('Ready.');
    const exit = once(dev.child, 'exit');
    dev.child.kill('SIGKILL');
    await exit;
    expect(await box.run('down')).toMatchObject({ code: 0, err: '' });
    expect(await box.healthy()).toBe(false);
  });
});

describe('op-realtime dev', () => {
  it('down never kills a stranger who got the old number', async () => {
    const box = await sandbox();
    const stale = { engine: 'embedded', port: box.port, fingerprint: 'x' };
    const owner = { kind: 'process', pid: process.pid, identity: 'another boot:1' };
    writeFileSync(statePath(box), JSON.stringify({ ...stale, owner }));
    expect(await box.run('down')).toMatchObject({ code: 0, out: '', err: '' });
    expect(isAlive(process.pid)).toBe(true);
  });

  it('says that settings have changed since the start, and needs down where the key did', async () => {
    const box = await sandbox();
    const file = join(box.folder, 'own.env');
    const dev = () => box.run('dev', '--engine', 'embedded', '--detach', '--env-file', file);
    const lines = ['CENTRIFUGO_HEALTH_ENABLED=true', 'CENTRIFUGO_HTTP_API_KEY=first'];
    writeFileSync(file, lines.join('\n'));
    await dev();
    writeFileSync(file, [...lines, 'CENTRIFUGO_CHANNEL_NAMESPACES=trpc'].join('\n'));
    expect((await dev()).out).toContain('own.env has changed since.');
    writeFileSync(file, lines.join('\n').replace('first', 'second'));
    expect(await dev()).toMatchObject({ code: 1, err: expect.stringContaining('started with other settings') });
  });

  it('names the foreign process that has the port, and does not touch it', async () => {
    const box = await sandbox();
    const stranger = createServer((_, response) => response.end('hello'));
    await once(stranger.listen(box.port, '127.0.0.1'), 'listening');
    const { code, err } = await box.run('dev', '--engine', 'embedded');
    expect(err).toContain(`Port ${box.port} is taken by `);
    expect(err).toContain(`(pid ${process.pid})`);
    expect(code).toBe(1);
    expect(await box.run('down')).toMatchObject({ code: 0, out: '', err: '' });
    expect(await (await fetch(`http://127.0.0.1:${box.port}/`)).text()).toBe('hello');
    stranger.closeAllConnections();
    await new Promise((resolve) => stranger.close(resolve));
  });

  it('falls back to the embedded broker on a machine that has nothing else, and says why', async () => {
    const box = await sandbox({ PATH: '', CENTRIFUGO_BIN: '' });
    const { code, out } = await box.run('dev', '--detach');
    expect(out).toContain(
      'embedded broker (docker is not on PATH; centrifugo is not on PATH; it needs nothing but Node)',
    );
    expect(code).toBe(0);
    expect(await box.healthy()).toBe(true);
  });

  it('is not configured by the environment of the shell', async () => {
    const box = await sandbox({ CENTRIFUGO_HTTP_API_KEY: 'of-the-shell', CENTRIFUGO_BOGUS_OPTION: '1' });
    expect(await box.run('dev', '--engine', 'embedded', '--detach')).toMatchObject({ code: 0 });
    const info = (key: string) =>
      fetch(`http://127.0.0.1:${box.port}/api/info`, { method: 'POST', headers: { 'X-API-Key': key }, body: '{}' });
    expect((await info('of-the-shell')).status).toBe(401);
    expect((await info('local-api-key-published-with-the-source')).status).toBe(200);
  });

  it('says why a broker did not start, from its log', async () => {
    const box = await sandbox();
    const file = join(box.folder, 'own.env');
    writeFileSync(file, 'CENTRIFUGO_HEALTH_ENABLED=true\nCENTRIFUGO_NO_SUCH_OPTION=1\n');
    const { code, err } = await box.run('dev', '--engine', 'embedded', '--detach', '--env-file', file);
    expect(err).toContain('CENTRIFUGO_NO_SUCH_OPTION');
    expect(code).toBe(1);
    expect((await box.run('down')).out).toBe('');
  });
});

describe('the commands of the README', () => {
  it('start and stop a broker, also where a signal ended only the outer command', async () => {
    const box = await sandbox();
    const pnpm = (...args: string[]) =>
      start('npx', ['--yes', 'pnpm@12.21.0', 'w:realtime', ...args, '--port', String(box.port)], { env: box.env });
    const dev = pnpm('dev', '--engine', 'embedded');
    await dev.wrote('Ready.');
    expect(await box.healthy()).toBe(true);
    const exit = once(dev.child, 'exit');
    dev.child.kill('SIGTERM');
    await exit;
    const down = await pnpm('down').finished;
    expect(down.code, down.err).toBe(0);
    expect(await box.healthy()).toBe(false);
    await dev.finished;
  });
});

describe('op-realtime dev with a stand-in for Docker', () => {
  async function dockerSandbox(options?: { pullFails?: boolean }) {
    const box = await sandbox();
    const bin = createDockerStandIn(box.folder, options);
    box.env.PATH = `${bin}${delimiter}${process.env.PATH ?? ''}`;
    return { box, calls: () => readFileSync(join(box.folder, 'docker.log'), 'utf8') };
  }

  it('prefers a running Docker engine, fetches the image once, and hands over the env file', async () => {
    const { box, calls } = await dockerSandbox();
    const dev = box.command('dev');
    await dev.wrote('Ready.');
    expect(dev.text()).toContain('Centrifugo container (Docker 99.0 is running)');
    expect(calls()).toContain('pull --quiet centrifugo/centrifugo:v6\n');
    expect(calls()).toMatch(/run --rm .*--env-file \S+\/packages\/realtime\/\.env\.test /);
    expect((await box.run('dev')).out).toContain('The Centrifugo container already runs');
    expect((await box.run('down')).out).toBe(`Stopped the Centrifugo container on port ${box.port}.\n`);
    expect(await dev.finished).toMatchObject({ code: 0 });
    expect(await box.healthy()).toBe(false);
  });

  it('down finds the container also where the state file is lost', async () => {
    const { box } = await dockerSandbox();
    const dev = box.command('dev');
    await dev.wrote('Ready.');
    writeFileSync(statePath(box), 'garbage');
    expect((await box.run('down')).out).toBe(`Stopped the Centrifugo container on port ${box.port}.\n`);
    await dev.finished;
  });

  it('takes the next engine where the image cannot be fetched, and says so; a forced one fails', async () => {
    const { box } = await dockerSandbox({ pullFails: true });
    const forced = await box.run('dev', '--engine', 'docker');
    expect(forced.err).toContain('Docker cannot fetch centrifugo/centrifugo:v6 (no route to the registry)');
    expect(forced.code).toBe(1);
    const { out, code } = await box.run('dev', '--detach');
    expect(out).toContain('Docker cannot fetch centrifugo/centrifugo:v6');
    expect(code).toBe(0);
    expect(await box.healthy()).toBe(true);
  });
});
