import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';

const BIN = fileURLToPath(new URL('bin.ts', import.meta.url));
const run = (...args: string[]) =>
  promisify(execFile)(process.execPath, ['--import', 'tsx', BIN, ...args]).then(
    ({ stdout, stderr }) => ({ code: 0, stdout, stderr }),
    ({ code, stdout, stderr }) => ({ code, stdout, stderr }),
  );

it('--help tells how it is configured, and starts nothing', async () => {
  expect(await run('--help')).toMatchObject({ code: 0, stdout: expect.stringContaining('CENTRIFUGO_HTTP_API_KEY') });
});

it('an argument is refused, since only the environment counts', async () => {
  expect(await run('--port', '9000')).toEqual({
    code: 2,
    stdout: '',
    stderr: 'op-realtime-broker takes no arguments, got "--port". See --help.\n',
  });
});
