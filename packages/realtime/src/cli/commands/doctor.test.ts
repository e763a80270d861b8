import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { appVariables, type ClinicBroker, embeddedWard, KEY } from '../../../test/clinic.ts';
import { recordingTerminal } from '../../../test/recording-terminal.ts';
import { main } from '../main.ts';

let broker: ClinicBroker;
let folder: string;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'op-realtime-doctor-'));
  broker = await embeddedWard().start({ CENTRIFUGO_CLIENT_ALLOWED_ORIGINS: '*' });
});
afterAll(async () => {
  await broker.close();
  rmSync(folder, { recursive: true });
});

async function doctor(surroundings: Parameters<typeof recordingTerminal>[0], ...args: string[]) {
  const terminal = recordingTerminal(surroundings);
  const code = await main(['doctor', ...args], terminal);
  return { code, lines: terminal.stdout().split('\n'), err: terminal.stderr() };
}
const withBroker = () => ({ env: appVariables(broker.port) });
const wrongKey = () => ({ env: { ...appVariables(broker.port), CENTRIFUGO_API_KEY: 'wrong' } });

describe('op-realtime doctor', () => {
  it('writes one line for each finding into a pipe, with the fix in it', async () => {
    const { lines, err } = await doctor(wrongKey());
    expect(err).toBe('');
    expect(lines).toHaveLength(33);
    expect(lines[0]).toBe('Settings the environment');
    expect(lines.filter((line) => line.includes('api.key '))).toEqual([
      expect.stringMatching(
        /^failure api\.key {2,}The server API refuses CENTRIFUGO_API_KEY\. Fix: Give CENTRIFUGO_API_KEY the value/,
      ),
    ]);
    expect(lines.at(-1)).toBe('1 failure (api.key), 1 warning, 23 ok, 6 skipped');
  });

  it.each([60, 120])('fits a terminal of %i columns, and only counts what follows from a failure', async (columns) => {
    const { lines } = await doctor({ ...wrongKey(), columns });
    expect(lines.filter((line) => line.length > columns)).toEqual([]);
    expect(lines.join('\n')).toMatch(/ → Give CENTRIFUGO_API_KEY/);
    expect(lines.join('\n')).not.toContain('Not looked at');
    expect(lines.at(-1)).toContain('6 skipped');
  });

  it('exits with 0 for warnings, with 1 for them where it is told to be strict', async () => {
    expect((await doctor(withBroker())).code).toBe(0);
    expect((await doctor(withBroker(), '--strict')).code).toBe(1);
    const { code, lines } = await doctor(withBroker(), '--strict', '--json');
    expect(code).toBe(1);
    expect(JSON.parse(lines.join('\n'))).toMatchObject({ ok: false, counts: { failure: 0, warning: 1 } });
  });

  it.each([
    ['a time limit that is none', ['--timeout', 'long'], '--timeout must be a number of seconds'],
    ['a time limit of nothing', ['--timeout', '0'], '--timeout must be a number of seconds'],
  ])('answers %s with 2', async (_, args, message) => {
    expect(await doctor(withBroker(), ...args)).toEqual({
      code: 2,
      lines: [''],
      err: expect.stringContaining(message),
    });
  });
});

describe('the settings', () => {
  const state = async (...question: Parameters<typeof doctor>) => {
    const { lines } = await doctor(...question);
    return [lines[0], lines.find((line) => line.includes('env.api-key'))?.split(' ')[0]];
  };

  it('come from a named file, else from an environment that has any of them, else from .env.test of the folder', async () => {
    const file = (key: string) =>
      `CENTRIFUGO_API_URL=http://127.0.0.1:1\nCENTRIFUGO_API_KEY="${key}" # as applications write it\n`;
    writeFileSync(join(folder, '.env.test'), file(KEY));
    writeFileSync(join(folder, 'own.env'), file(KEY));
    expect(await state({ cwd: folder, env: {} })).toEqual(['Settings .env.test', 'ok']);
    expect(await state({ cwd: folder, env: { CENTRIFUGO_API_URL: 'http://127.0.0.1:1' } })).toEqual([
      'Settings the environment',
      'failure',
    ]);
    expect(await state({ cwd: folder, env: { CENTRIFUGO_API_KEY: ' ' } }, '--env-file', 'own.env')).toEqual([
      'Settings own.env',
      'ok',
    ]);
    expect(await state({ cwd: '/nonexistent', env: {} })).toEqual(['Settings the environment', 'failure']);
  });

  it('of a file that is not there are named', async () => {
    expect(await doctor({ cwd: folder }, '--env-file', 'no.env')).toEqual({
      code: 1,
      lines: [''],
      err: 'error Cannot read the env file no.env (ENOENT).',
    });
  });
});
