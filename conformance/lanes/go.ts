import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { findCommand } from '../../test/lanes.ts';
import { runProgram } from './run-program.ts';

const folder = fileURLToPath(new URL('../go/', import.meta.url));
const program = `${folder}.build/scenarios`;
const BUILD_TIMEOUT_MS = 180_000;

/** A Go toolchain of 1.25 or later, which the official client asks for. */
export function findGo(): string | undefined {
  const go = findCommand('go');
  if (!go) return undefined;
  try {
    const version = execFileSync(go, ['env', 'GOVERSION'], {
      env: { ...process.env, GOTOOLCHAIN: 'local' },
    }).toString();
    const [, major, minor] = /go(\d+)\.(\d+)/.exec(version) ?? [];
    return Number(major) > 1 || Number(minor) >= 25 ? go : undefined;
  } catch {
    return undefined; // no toolchain that runs
  }
}

/** The program with the scenarios, built; nothing where its modules cannot be had. */
export async function buildGo(go: string): Promise<string | undefined> {
  const env = { GOTOOLCHAIN: 'local', GOFLAGS: '-buildvcs=false' };
  try {
    await runProgram(go, ['build', '-o', program, '.'], { cwd: folder, env, timeoutMs: BUILD_TIMEOUT_MS });
  } catch (error) {
    process.stderr.write(
      `\nconformance: the Go client cannot be built: ${error instanceof Error ? error.message : error}\n`,
    );
    return undefined;
  }
  return program;
}

/** Runs the scenarios against a server, and gives what they printed. */
export function runGo(built: string, settings: Record<string, string>): Promise<string> {
  return runProgram(built, [], { cwd: folder, env: settings });
}
