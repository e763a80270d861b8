import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { recordingTerminal } from '../../../test/recording-terminal.ts';
import { readAppSettings } from '../app-settings.ts';
import { readBrokerSettings } from '../broker-settings.ts';
import { main } from '../main.ts';

const cwd = mkdtempSync(join(tmpdir(), 'op-realtime-init-'));
afterAll(() => rmSync(cwd, { recursive: true, force: true }));

it('writes a file that a broker and an application can start from', async () => {
  const terminal = recordingTerminal({ cwd });
  expect(await main(['init'], terminal)).toBe(0);
  expect(terminal.stdout()).toBe('Wrote .env.test');
  const { port, env } = readBrokerSettings({ cwd });
  const settings = readAppSettings(undefined, terminal);
  expect(settings.source).toBe('.env.test');
  expect(settings.env).toMatchObject({
    CENTRIFUGO_API_URL: `http://localhost:${port}/api`,
    CENTRIFUGO_API_KEY: env.get('CENTRIFUGO_HTTP_API_KEY'),
    CENTRIFUGO_TOKEN_SECRET: env.get('CENTRIFUGO_CLIENT_TOKEN_HMAC_SECRET_KEY'),
    NEXT_PUBLIC_CENTRIFUGO_WS_URL: expect.stringContaining(`:${port}/`),
  });
});

it('never writes over a file', async () => {
  writeFileSync(join(cwd, '.env.local'), 'MINE=1\n');
  const terminal = recordingTerminal({ cwd });
  expect(await main(['init', '--to', '.env.local'], terminal)).toBe(1);
  expect(terminal.stderr()).toContain('.env.local is there already; nothing was written.');
  expect(readFileSync(join(cwd, '.env.local'), 'utf8')).toBe('MINE=1\n');
});

it('says where it cannot write', async () => {
  const terminal = recordingTerminal({ cwd });
  expect(await main(['init', '--to', 'missing/.env'], terminal)).toBe(1);
  expect(terminal.stderr()).toContain('Cannot write the env file missing/.env (ENOENT).');
});
