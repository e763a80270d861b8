import { type ChildProcess, spawn } from 'node:child_process';
import { createServer as createHttpServer } from 'node:http';
import { createServer, type Server } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { readBrokerSettings } from '../src/server/broker/broker-settings.ts';
import { listenFrom } from '../src/server/listen.ts';
import { type DemoProcess, ROOT, START, START_PATIENCE, startDemoProcess } from './demo-process.ts';

/** The README's command, with a stdin that is closed and not only empty. */
const AS_PRINTED = ['sh', '-c', 'exec npx --yes pnpm@12.21.0 demo <&-'];

const ending = { timeout: 60_000 };

let demo: DemoProcess | undefined;
let occupant: Server | undefined;
afterEach(async () => {
  await demo?.stop();
  occupant?.close();
  demo = occupant = undefined;
});

const answers = async (url: string) => {
  const response = await fetch(`${url}/trpc/people.list`).catch(() => null);
  return response?.ok ?? false;
};

const isRunning = (pid: number) => {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
};

async function occupyPort(host: string): Promise<number> {
  occupant = createServer();
  await new Promise<void>((resolve) => occupant!.listen(0, host, resolve));
  return (occupant.address() as { port: number }).port;
}

describe('the demo as a process', START_PATIENCE, () => {
  it('starts as printed with a closed stdin, passes by a busy port, and ends as a whole on Ctrl-C', async () => {
    const busy = await occupyPort('127.0.0.1');
    demo = await startDemoProcess({ PORT: String(busy) }, AS_PRINTED);
    expect(Number(new URL(demo.url).port)).toBeGreaterThan(busy);
    expect(demo.output()).toContain(`port ${busy} is busy`);
    expect(demo.output()).toContain('Open it in two windows');
    expect(await answers(demo.url)).toBe(true);
    expect(await (await fetch(demo.url)).text()).toContain('<div id="root">');

    demo.signalGroup('SIGINT');
    await expect.poll(demo.isAlive, ending).toBe(false);
    expect(await answers(demo.url)).toBe(false);
  });

  it('ends when the npx that started it is killed and cannot pass anything on', async () => {
    demo = await startDemoProcess({}, AS_PRINTED);
    process.kill(demo.pid, 'SIGKILL');
    await expect.poll(demo.isAlive, ending).toBe(false);
  });

  it('ends when the program that started it disappears', async () => {
    const script = `require('node:child_process').spawn(${JSON.stringify(START[0])}, ${JSON.stringify(START.slice(1))}, { stdio: 'inherit' })`;
    demo = await startDemoProcess({}, ['node', '-e', script]);
    process.kill(demo.pid, 'SIGKILL');
    await expect.poll(demo.isAlive, ending).toBe(false);
  });
});

describe('a job in the background', START_PATIENCE, () => {
  it('outlives the shell that put it there', async () => {
    demo = await startDemoProcess({}, ['sh', '-c', `${START.join(' ')} &`]);
    await expect.poll(() => isRunning(demo!.pid)).toBe(false);
    // Longer than it takes to notice a parent that is gone.
    for (const until = Date.now() + 1_500; Date.now() < until; ) expect(await answers(demo.url)).toBe(true);
  });
});

describe('the port', () => {
  it('is passed by if it only answers on IPv6, since browsers try that first', async () => {
    const busy = await occupyPort('::1');
    const server = createHttpServer();
    expect(await listenFrom(server, busy)).toBeGreaterThan(busy);
    server.close();
  });
});

describe('settings', () => {
  const run = (env: Record<string, string>): Promise<{ code: number | null; text: string }> =>
    new Promise((resolve) => {
      const child: ChildProcess = spawn(START[0]!, START.slice(1), {
        cwd: ROOT,
        env: { PATH: process.env.PATH, ...env },
      });
      let text = '';
      child.stderr!.on('data', (chunk) => {
        text += chunk;
      });
      child.once('close', (code) => resolve({ code, text }));
    });

  it('names the variables that an external broker needs', () => {
    expect(readBrokerSettings({})).toBeUndefined();
    expect(() =>
      readBrokerSettings({ CENTRIFUGO_API_URL: 'http://localhost:8000/api', CENTRIFUGO_API_KEY: '' }),
    ).toThrow('CENTRIFUGO_API_KEY and CENTRIFUGO_TOKEN_SECRET and NEXT_PUBLIC_CENTRIFUGO_WS_URL');
    const env = {
      CENTRIFUGO_API_URL: 'http://localhost:8000/api',
      CENTRIFUGO_API_KEY: 'k',
      CENTRIFUGO_TOKEN_SECRET: 's',
      NEXT_PUBLIC_CENTRIFUGO_WS_URL: 'ws://localhost:8000/connection/websocket',
    };
    expect(readBrokerSettings(env)).toEqual({
      apiUrl: env.CENTRIFUGO_API_URL,
      apiKey: 'k',
      tokenSecret: 's',
      wsUrl: env.NEXT_PUBLIC_CENTRIFUGO_WS_URL,
    });
  });

  it.each([
    [{ PORT: '80a' }, 'PORT must be a whole number'],
    [{ PORT: '0', CENTRIFUGO_API_URL: 'http://localhost:1/api' }, 'CENTRIFUGO_API_KEY'],
  ])('ends with exit code 1 and one helpful line: %j', async (env, line) => {
    const { code, text } = await run(env);
    expect(code).toBe(1);
    expect(text).toContain(line);
    expect(text.trim().split('\n')).toHaveLength(1);
  });
});
