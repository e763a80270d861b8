import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { findCommand } from '../../test/lanes.ts';
import { runProgram } from './run-program.ts';

const folder = fileURLToPath(new URL('../python/', import.meta.url));
const environment = `${folder}.venv/`;
const installed = `${environment}installed.txt`;
const INSTALL_TIMEOUT_MS = 180_000;

/** A Python of 3.9 or later that can make virtual environments. */
export function findPython(): string | undefined {
  const python = findCommand('python3', 'python');
  if (!python) return undefined;
  try {
    execFileSync(python, ['-c', 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 9))'], {
      stdio: 'ignore',
    });
    return python;
  } catch {
    return undefined; // too old, or without venv
  }
}

/** The Python of the lane's own virtual environment, made and filled on first use; nothing where its packages cannot be had. */
export async function preparePython(python: string): Promise<string | undefined> {
  const requirements = readFileSync(`${folder}requirements.txt`, 'utf8');
  const own = `${environment}bin/python`;
  if (existsSync(installed) && readFileSync(installed, 'utf8') === requirements) return own;
  try {
    await runProgram(python, ['-m', 'venv', '--clear', environment], { cwd: folder, timeoutMs: INSTALL_TIMEOUT_MS });
    await runProgram(
      own,
      ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', '-r', 'requirements.txt'],
      {
        cwd: folder,
        timeoutMs: INSTALL_TIMEOUT_MS,
      },
    );
  } catch (error) {
    process.stderr.write(
      `\nconformance: the Python packages cannot be installed: ${error instanceof Error ? error.message : error}\n`,
    );
    return undefined;
  }
  writeFileSync(installed, requirements);
  return own;
}

/** Runs the scenarios against a server, and gives what they printed. */
export function runPython(python: string, settings: Record<string, string>): Promise<string> {
  return runProgram(python, ['scenarios.py'], { cwd: folder, env: settings });
}
