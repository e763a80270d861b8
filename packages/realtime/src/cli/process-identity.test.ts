import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { describe, expect, it } from 'vitest';
import { processIdentity } from './process-identity.ts';

describe('the identity of a process', () => {
  it('stays the same while it runs', () => {
    expect(processIdentity(process.pid)).toEqual(expect.any(String));
    expect(processIdentity(process.pid)).toBe(processIdentity(process.pid));
  });

  it('tells two processes apart, and is gone with the process', async () => {
    const child = spawn(process.execPath, ['-e', 'process.stdin.resume()'], { stdio: ['pipe', 'ignore', 'ignore'] });
    const pid = child.pid ?? 0;
    expect(processIdentity(pid)).toEqual(expect.any(String));
    expect(processIdentity(pid)).not.toBe(processIdentity(process.pid));
    const exit = once(child, 'exit');
    child.stdin.end();
    await exit;
    expect(processIdentity(pid)).toBeUndefined();
  });

  it('is nothing for a number that no process has', () => {
    expect(processIdentity(2 ** 30)).toBeUndefined();
  });
});
