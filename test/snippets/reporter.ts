import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Reporter, TestModule } from 'vitest/node';
import { ROOT } from '../markdown.ts';
import { type Deed, type Entry, isSettled, settle } from './account.ts';

/** Where the tests of snippets are. */
const FOLDERS = ['test/snippets', 'test/system/snippets'].map((folder) => join(ROOT, folder));
const FILES = FOLDERS.flatMap((folder) =>
  readdirSync(folder)
    .filter((name) => name.endsWith('.test.ts'))
    .map((name) => join(folder, name)),
);

/**
 * After a run that had all tests of snippets: how many were compiled, checked and run, and those of which nothing is known, which fail the run.
 * After a run that had nothing else (`pnpm snippets`): the whole list.
 */
export default class SnippetReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[]): void {
    const ours = modules.filter(({ moduleId }) => FILES.includes(moduleId));
    if (ours.length < FILES.length) return;
    const tests = ours.flatMap(({ children }) => [...children.allTests('passed')]);
    const { entries, idle } = settle(
      tests.flatMap((test) => test.meta().snippets ?? []),
      tests.flatMap((test) => test.meta().excuses ?? []),
    );
    const lines = ours.length === modules.length ? ['', 'Snippets', ...entries.map(lineOf)] : [];
    const count = (deed: Deed) => entries.filter(({ deeds }) => deeds.has(deed)).length;
    const excused = entries.filter((entry) => isSettled(entry) && !entry.deeds.has('run')).length;
    lines.push(
      `\nsnippets: ${entries.length}, ${count('compiled')} compiled, ${count('checked')} checked, ${count('run')} run, ${excused} not run with a reason`,
    );
    const unsettled = entries.filter((entry) => !isSettled(entry));
    for (const { snippet } of unsettled) lines.push(`FAILED ${snippet.where}: no test ran it, and no reason is given`);
    for (const reason of idle) lines.push(`FAILED ${reason}: a reason for a snippet that is run, or that is gone`);
    process.stdout.write(`${lines.join('\n')}\n`);
    if (unsettled.length + idle.length > 0) process.exitCode = 1;
  }
}

function lineOf({ snippet, deeds, reason }: Entry): string {
  const what = [...(['compiled', 'checked', 'run'] as const)].filter((deed) => deeds.has(deed)).join(', ') || '-';
  const name = `${snippet.where} ${snippet.language || 'text'}${snippet.file ? ` ${snippet.file}` : ''}`;
  return `  ${name.padEnd(64)} ${what}${deeds.has('run') || !reason ? '' : `; not run: ${reason}`}`;
}
