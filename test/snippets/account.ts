import type { TestContext } from 'vitest';
import { documents, type Snippet, snippetsOf } from '../markdown.ts';
import { REASONS } from './reasons.ts';

/** What a test did with a snippet. `checked`: read by what would read it, but nothing happened. */
export type Deed = 'compiled' | 'checked' | 'run';

export interface Account {
  readonly deed: Deed;
  readonly where: string;
}

/** What this machine lacks to run a snippet. */
export interface Excuse {
  readonly where: string;
  readonly reason: string;
}

declare module 'vitest' {
  interface TaskMeta {
    snippets?: Account[];
    excuses?: Excuse[];
  }
}

const all = (snippets: readonly (Snippet | string)[]): Snippet[] =>
  snippets.flatMap((snippet) => (typeof snippet === 'string' ? snippetsOf(snippet) : [snippet]));

/** Notes on a test what it does with snippets. It counts once the test has passed. */
export function account({ task }: TestContext, deed: Deed, ...snippets: readonly (Snippet | string)[]): void {
  task.meta.snippets = [...(task.meta.snippets ?? []), ...all(snippets).map(({ where }) => ({ deed, where }))];
}

/** Notes on a test that snippets cannot be run on this machine. */
export function excuse({ task }: TestContext, reason: string, ...snippets: readonly (Snippet | string)[]): void {
  task.meta.excuses = [...(task.meta.excuses ?? []), ...all(snippets).map(({ where }) => ({ where, reason }))];
}

/** One line of the list. */
export interface Entry {
  readonly snippet: Snippet;
  readonly deeds: ReadonlySet<Deed>;
  /** Why it is not run. */
  readonly reason: string | undefined;
}

/** Every snippet with what was done with it, and the reasons that fit no snippet any more. */
export function settle(accounts: readonly Account[], excuses: readonly Excuse[]): { entries: Entry[]; idle: string[] } {
  const used = new Set<(typeof REASONS)[number]>();
  const entries = documents()
    .flatMap(snippetsOf)
    .map((snippet) => {
      const deeds = new Set(accounts.filter(({ where }) => where === snippet.where).map(({ deed }) => deed));
      const found = REASONS.find(
        ({ document, starts }) => document === snippet.document && snippet.code.startsWith(starts),
      );
      if (found && !deeds.has('run')) used.add(found);
      const reason = found?.reason ?? excuses.find(({ where }) => where === snippet.where)?.reason;
      return { snippet, deeds, reason };
    });
  const idle = REASONS.filter((reason) => !used.has(reason)).map(({ document, starts }) => `${document}: ${starts}`);
  return { entries, idle };
}

/** Whether nothing is left to say about it: it ran, or somebody says why it does not. */
export const isSettled = ({ deeds, reason }: Entry): boolean => deeds.has('run') || reason !== undefined;
