import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createRealtime } from '@op/realtime/server';
import { type Broker, optionsFromEnv, startBroker } from '@op/realtime-broker';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readDeploy } from '../test/deployment.ts';
import { eventually } from '../test/eventually.ts';
import { freePort } from '../test/free-port.ts';
import { findNginx, hasLane } from '../test/lanes.ts';
import { Tab } from './cluster/tab.ts';
import { ENVIRONMENTS, SECRETS } from './environments.ts';

/** `deploy/nginx.conf`, run by a real nginx in front of the embedded broker. Only addresses and folders are other ones. */

const command = findNginx();
const CHANNEL = 'trpc:org:behind-nginx';

interface Nginx {
  readonly url: string;
  /** What its access log holds. */
  log(): string;
  close(): Promise<void>;
}

async function startNginx(nodePort: number): Promise<Nginx> {
  const folder = mkdtempSync(join(tmpdir(), 'conformance-nginx-'));
  chmodSync(folder, 0o777); // root's nginx works as another user
  const port = await freePort();
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map(
    (name) => `${name}_temp_path ${join(folder, name)};`,
  );
  const replacements: readonly [string, string][] = [
    ['http {', `http {\n${temporary.join('\n')}`],
    ['worker_processes auto;', 'worker_processes 2;'],
    ['worker_rlimit_nofile 262144;', ''],
    ['worker_connections 65536;', 'worker_connections 64;'],
    ['listen 8080;', `listen 127.0.0.1:${port};`],
    ['server centrifugo:8000 ', `server 127.0.0.1:${nodePort} `],
    ['/dev/stdout', join(folder, 'access.log')],
  ];
  let text = readDeploy('nginx.conf');
  for (const [from, to] of replacements) {
    expect(text, from).toContain(from);
    text = text.replace(from, to);
  }
  const file = join(folder, 'nginx.conf');
  writeFileSync(file, text);
  const directives = `daemon off; pid ${join(folder, 'pid')};`;
  const child = spawn(command!, ['-p', folder, '-c', file, '-e', 'stderr', '-g', directives], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  const endAtExit = () => child.kill('SIGTERM');
  process.once('exit', endAtExit);
  let errors = '';
  child.stderr.on('data', (chunk) => {
    errors += chunk;
  });
  const exited = once(child, 'exit');
  const url = `http://127.0.0.1:${port}`;
  await eventually(async () => {
    if (child.exitCode !== null) return; // the first test says why
    expect((await fetch(url)).status).toBe(404);
  });
  if (child.exitCode !== null) throw new Error(`nginx ended with ${child.exitCode}:\n${errors}`);
  return {
    url,
    log: () => readFileSync(join(folder, 'access.log'), 'utf8'),
    async close() {
      child.kill('SIGTERM');
      await exited;
      process.off('exit', endAtExit);
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

describe.skipIf(!hasLane('nginx', command))('behind the nginx of deploy/', () => {
  let broker: Broker;
  let nginx: Nginx;
  const realtime = () =>
    createRealtime({ apiUrl: broker.apiUrl, apiKey: SECRETS.api, tokenSecret: SECRETS.token, spread: () => 0 });
  const token = () => realtime().createConnectionToken({ userId: 'ann', channels: ['trpc:global'] });

  beforeAll(async () => {
    broker = await startBroker(
      optionsFromEnv({
        ...ENVIRONMENTS.standard.variables,
        CENTRIFUGO_HTTP_SERVER_ADDRESS: '127.0.0.1',
        CENTRIFUGO_HTTP_SERVER_PORT: '0',
        CENTRIFUGO_HTTP_STREAM_ENABLED: 'true',
        CENTRIFUGO_SSE_ENABLED: 'true',
        CENTRIFUGO_PROMETHEUS_ENABLED: 'true',
      }),
    );
    nginx = await startNginx(broker.port);
  });
  afterAll(async () => {
    await nginx?.close();
    await broker?.close();
  });

  it('WebSockets are upgraded, and publications arrive', async () => {
    const tab = new Tab(nginx.url, 'ann', realtime());
    const seen = tab.listen(CHANNEL);
    await eventually(() => expect(seen.joins).toEqual(['fresh']));
    await realtime().publish(CHANNEL, { type: 'event', name: 'number', data: 1 });
    await eventually(() => expect(seen.numbers).toEqual([1]));
    tab.close();
  });

  it.each([
    '/api/publish',
    '/api/info',
    '/metrics',
    '/health',
    '/',
    '/admin',
    '/connection',
    '/emulation/x',
    '//api/info',
  ])('%s is not public, not even with the key', async (path) => {
    const headers = { 'X-API-Key': SECRETS.api };
    for (const method of ['GET', 'POST'])
      expect((await fetch(nginx.url + path, { method, headers })).status, method).toBe(404);
  });

  it('/connection/../api is the server API for nobody', async () => {
    for (const path of ['/connection/../api/info', '/connection/%2e%2e/api/info', '/connection/..%2fapi/info'])
      expect((await fetch(nginx.url + path, { method: 'POST', headers: { 'X-API-Key': SECRETS.api } })).status).toBe(
        404,
      );
  });

  it('the first bytes of a stream come before its end', async () => {
    const connect = JSON.stringify({ id: 1, connect: { token: await token() } });
    const answers = [
      await fetch(`${nginx.url}/connection/http_stream`, { method: 'POST', body: connect }),
      await fetch(`${nginx.url}/connection/sse?cf_connect=${encodeURIComponent(connect)}`),
    ];
    for (const { status, body } of answers) {
      expect(status).toBe(200);
      const reader = body!.getReader();
      let text = '';
      while (!text.includes('"client"')) text += new TextDecoder().decode((await reader.read()).value);
      // A publication comes while the stream is open.
      await realtime().publish('trpc:global', { type: 'event', name: 'number', data: 7 });
      while (!text.includes('"data":7')) text += new TextDecoder().decode((await reader.read()).value);
      await reader.cancel();
    }
  });

  it('no token and no query string is in the log', async () => {
    await eventually(() => expect(nginx.log()).toContain('GET /connection/sse 200'));
    expect(nginx.log()).not.toMatch(/cf_connect|eyJ|\?/);
  });
});
