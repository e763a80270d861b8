import { readFileSync } from 'node:fs';

/** How often the parents are looked at. With the patience below, everything is gone within 2 s of their end. */
const PARENT_CHECK_MS = 400;

/** How long closing may take before the process ends anyway. */
const CLOSE_PATIENCE_MS = 900;

/**
 * Ties the process to what started it: `close` runs once, at a signal or when a parent disappears, and then the process ends.
 * Nothing reads stdin, so a closed one changes nothing.
 */
export function endWithParents(close: () => Promise<void>): void {
  let isEnding = false;
  const end = () => {
    if (isEnding) return;
    isEnding = true;
    setTimeout(() => process.exit(0), CLOSE_PATIENCE_MS);
    void close().finally(() => process.exit(0));
  };
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, end);
  // Whoever read our lines may be gone; that alone is no reason to crash.
  for (const stream of [process.stdout, process.stderr]) stream.on('error', () => {});

  const chain = readChain(process.pid);
  setInterval(() => {
    if (chain.some(({ pid, parent }) => parentOf(pid) !== parent)) end();
  }, PARENT_CHECK_MS).unref();
}

interface Link {
  readonly pid: number;
  readonly parent: number;
}

const LAUNCHER = /(?:^|[\s/])(?:npm|npx|pnpm|yarn|tsx)(?:[\s@/.-]|$)/;
const SHELL = /^\S*\b(?:sh|ash|bash|dash|fish|ksh|zsh)\b/;

/**
 * This process and the npx, pnpm and shells above it that only exist to run it, each with its parent. Whoever ends one of them (a supervisor's
 * SIGTERM to the npx that it started reaches nothing else), or what started the outermost, leaves an orphan in this chain: that is how the demo notices.
 * (pnpm gives each script a process group of its own, so groups do not tell.)
 * One orphan is left alone, as everywhere: the job that a shell put in the background before it ended. (A terminal that closes sends SIGHUP.)
 */
function readChain(pid: number): Link[] {
  const self = readProcess(pid);
  if (!self) return [{ pid, parent: process.ppid }];
  const chain: Link[] = [];
  let launchers = 0;
  for (let at = pid, info: ProcessInfo | null = self; info; ) {
    chain.push({ pid: at, parent: info.parent });
    at = info.parent;
    info = readProcess(at);
    if (!info) break;
    if (SHELL.test(info.command)) continue;
    if (!LAUNCHER.test(info.command)) break;
    launchers = chain.length;
  }
  // Shells above the outermost launcher are the user's.
  const own = chain.slice(0, launchers + 1);
  const outermost = own.at(-1)!;
  return SHELL.test(readProcess(outermost.parent)?.command ?? '') ? own.slice(0, -1) : own;
}

function parentOf(pid: number): number | null {
  return pid === process.pid ? process.ppid : (readProcess(pid)?.parent ?? null);
}

interface ProcessInfo {
  readonly parent: number;
  readonly command: string;
}

/** From Linux's `/proc`. Elsewhere only the direct parent is known, through `process.ppid`. */
function readProcess(pid: number): ProcessInfo | null {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    // The name in parentheses may contain anything, so the fields are counted from its end: state, parent.
    const [, parent] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    const command = readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ').trim();
    return { parent: Number(parent), command };
  } catch {
    return null;
  }
}
