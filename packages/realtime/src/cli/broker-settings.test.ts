import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { brokerEnvironment, readBrokerSettings } from './broker-settings.ts';

let cwd: string;
beforeEach(() => {
  cwd = mkdtempSync(join(tmpdir(), 'op-realtime-settings-'));
});
afterEach(() => rmSync(cwd, { recursive: true }));

const withFile = (...lines: string[]) =>
  writeFileSync(join(cwd, '.env.test'), ['CENTRIFUGO_HEALTH_ENABLED=true', ...lines].join('\n'));

describe('the settings of a broker', () => {
  it('take the port of the file, of the option before it, and 8000 where neither says one', () => {
    withFile();
    expect(readBrokerSettings({ cwd }).port).toBe(8000);
    withFile('CENTRIFUGO_HTTP_SERVER_PORT=8100');
    expect(readBrokerSettings({ cwd })).toMatchObject({ port: 8100, filePort: 8100 });
    expect(readBrokerSettings({ cwd, port: '8200' })).toMatchObject({ port: 8200, filePort: 8100 });
  });

  it.each(['0', '65536', '-1', '80a', '8000.5', ''])('refuse the port "%s" as wrong usage', (port) => {
    withFile();
    expect(() => readBrokerSettings({ cwd, port })).toThrow(expect.objectContaining({ code: 'usage' }));
  });

  it('refuse a port of the file that is none, naming variable and file', () => {
    withFile('CENTRIFUGO_HTTP_SERVER_PORT=eighty');
    expect(() => readBrokerSettings({ cwd })).toThrow('CENTRIFUGO_HTTP_SERVER_PORT in .env.test must be a port');
  });

  it('say what to do where there is no file', () => {
    expect(() => readBrokerSettings({ cwd })).toThrow('There is no .env.test in this folder.');
    expect(() => readBrokerSettings({ cwd, envFile: 'other.env' })).toThrow(
      'Cannot read the env file other.env (ENOENT).',
    );
  });

  it('need health, without which nobody sees that the broker is up', () => {
    writeFileSync(join(cwd, '.env.test'), 'CENTRIFUGO_HTTP_API_KEY=x');
    expect(() => readBrokerSettings({ cwd })).toThrow('CENTRIFUGO_HEALTH_ENABLED=true');
  });

  it('have a fingerprint that changes with any value and not with their order', () => {
    const fingerprint = (...lines: string[]) => {
      withFile(...lines);
      return readBrokerSettings({ cwd }).fingerprint;
    };
    expect(fingerprint('A=1', 'B=2')).toBe(fingerprint('B=2', 'A=1'));
    expect(fingerprint('A=1', 'B=2')).not.toBe(fingerprint('A=1', 'B=3'));
  });

  it('let only the file configure the broker, and keep it to this machine', () => {
    withFile('CENTRIFUGO_HTTP_API_KEY=of-the-file');
    const ambient = { PATH: '/bin', CENTRIFUGO_HTTP_API_KEY: 'ambient', CENTRIFUGO_CLIENT_INSECURE: 'true' };
    expect(brokerEnvironment(readBrokerSettings({ cwd, port: '8100' }), ambient)).toEqual({
      PATH: '/bin',
      CENTRIFUGO_HEALTH_ENABLED: 'true',
      CENTRIFUGO_HTTP_API_KEY: 'of-the-file',
      CENTRIFUGO_HTTP_SERVER_ADDRESS: '127.0.0.1',
      CENTRIFUGO_HTTP_SERVER_PORT: '8100',
    });
  });
});
