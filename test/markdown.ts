import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const ROOT = fileURLToPath(new URL('../', import.meta.url));

/** A fenced block of a document. */
export interface Snippet {
  /** `README.md:42`, for test names. */
  readonly where: string;
  readonly language: string;
  /** As printed, without the fences. */
  readonly code: string;
  /** From `<!-- file: src/x.ts -->` on the line above: blocks of one document that name files see each other by these names. */
  readonly file: string | undefined;
}

/** The documents that make promises to readers. */
export function documents(): string[] {
  const pagesOf = (folder: string) =>
    readdirSync(join(ROOT, folder))
      .filter((name) => name.endsWith('.md'))
      .map((name) => join(folder, name));
  return [
    ...pagesOf('.'),
    ...pagesOf('packages/realtime').filter((path) => path.endsWith('README.md')),
    ...pagesOf('packages/broker').filter((path) => path.endsWith('README.md')),
    ...pagesOf('docs'),
    ...pagesOf('docs/recipes'),
    ...pagesOf('deploy'),
  ];
}

export const readDocument = (path: string): string => readFileSync(join(ROOT, path), 'utf8');

export function snippetsOf(path: string): Snippet[] {
  const lines = readDocument(path).split('\n');
  const snippets: Snippet[] = [];
  for (let start = 0; start < lines.length; start++) {
    const language = /^```(\w+)$/.exec(lines[start] ?? '')?.[1];
    if (!language) continue;
    const length = lines.slice(start + 1).indexOf('```');
    if (length < 0) throw new Error(`${path}:${start + 1} opens a block that never closes.`);
    snippets.push({
      where: `${path}:${start + 1}`,
      language,
      code: lines.slice(start + 1, start + 1 + length).join('\n'),
      file: /^<!-- file: (\S+) -->$/.exec(lines[start - 1] ?? '')?.[1],
    });
    start += length + 1;
  }
  return snippets;
}
