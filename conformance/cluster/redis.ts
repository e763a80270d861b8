import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { freePort } from '../../test/free-port.ts';

/** A throw-away Redis. */
export interface Redis {
  /** `redis://127.0.0.1:<port>` */
  readonly url: string;
  /** Sends one command and resolves to the lines of its answer. */
  ask(...command: readonly string[]): Promise<readonly string[]>;
  close(): Promise<void>;
}

/**
 * @param command the server's path
 * @param settings its arguments, as in the Compose file
 */
export async function startRedis(command: string, settings: readonly string[]): Promise<Redis> {
  const folder = mkdtempSync(join(tmpdir(), 'conformance-redis-'));
  const port = await freePort();
  const own = ['--port', String(port), '--bind', '127.0.0.1', '--dir', folder];
  const child = spawn(command, [...settings, ...own], { stdio: ['ignore', 'pipe', 'inherit'] });
  const killAtExit = () => child.kill('SIGKILL');
  process.once('exit', killAtExit);
  const exited = once(child, 'exit');
  const lines: string[] = [];
  await new Promise<void>((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', (code) => reject(new Error(`redis-server ended with ${code}:\n${lines.join('\n')}`)));
    createInterface({ input: child.stdout }).on('line', (line) => {
      lines.push(line);
      if (/ready to accept connections/i.test(line)) resolve();
    });
  });
  return {
    url: `redis://127.0.0.1:${port}`,
    async ask(...words) {
      const socket = connect(port, '127.0.0.1');
      socket.write(`${words.join(' ')}\r\nQUIT\r\n`);
      let text = '';
      for await (const chunk of socket) text += String(chunk);
      return text.split('\r\n').filter((line) => line !== '' && !/^[*$]/.test(line));
    },
    async close() {
      child.kill('SIGTERM');
      await exited;
      process.off('exit', killAtExit);
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
