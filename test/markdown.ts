import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const ROOT = fileURLToPath(new URL('../', import.meta.url));

/** A fenced block of a document. */
export interface Snippet {
  /** `README.md:42`, for test names and lists. */
  readonly where: string;
  readonly document: string;
  /** What stands behind the fence; `''` where nothing does. */
  readonly language: string;
  /** As printed, without the fences and their indentation. */
  readonly code: string;
  /** From `<!-- file: src/x.ts -->` on the line above: blocks of one document that name files see each other by these names. */
  readonly file: string | undefined;
  /** From `<!-- append: .env.test -->`: lines for a file that is there. */
  readonly append: string | undefined;
  /** From `<!-- run: see hello -->`: what the lines of a shell are for, and what is to be seen then. */
  readonly run: { readonly step: 'install' | 'start' | 'see'; readonly expected: string } | undefined;
}

/** The documents that make promises to readers; the reference in `docs/api/` is made from the sources. */
export function documents(): string[] {
  const pagesOf = (folder: string) =>
    readdirSync(join(ROOT, folder))
      .filter((name) => name.endsWith('.md'))
      .map((name) => join(folder, name));
  const readmesOf = (folder: string) => [...pagesOf(folder).filter((path) => path.endsWith('/README.md'))];
  return [
    ...pagesOf('.'),
    ...readmesOf('packages/realtime'),
    ...readmesOf('packages/broker'),
    ...pagesOf('docs'),
    ...pagesOf('docs/recipes'),
    ...pagesOf('deploy'),
    ...[
      'apps/demo',
      'examples',
      'examples/next',
      'examples/classic-hooks',
      'conformance',
      'benchmarks',
      'test',
    ].flatMap(readmesOf),
    ...['model', 'converge', 'kill', 'test'].flatMap((folder) => readmesOf(`packages/realtime/${folder}`)),
  ];
}

export const readDocument = (path: string): string => readFileSync(join(ROOT, path), 'utf8');

export function snippetsOf(path: string): Snippet[] {
  const lines = readDocument(path).split('\n');
  const snippets: Snippet[] = [];
  for (let start = 0; start < lines.length; start++) {
    const [, indent = '', language] = /^(\s*)```(\w*)$/.exec(lines[start] ?? '') ?? [];
    if (language === undefined) continue;
    const length = lines.slice(start + 1).indexOf(`${indent}\`\`\``);
    if (length < 0) throw new Error(`${path}:${start + 1} opens a block that never closes.`);
    const mark = (name: string) => new RegExp(`^<!-- ${name}: (.+) -->$`).exec(lines[start - 1] ?? '')?.[1];
    const [, step, expected = ''] = /^(install|start|see)(?: (.*))?$/.exec(mark('run') ?? '') ?? [];
    if (mark('run') && !step) throw new Error(`${path}:${start} has a mark that says neither install, start nor see.`);
    snippets.push({
      where: `${path}:${start + 1}`,
      document: path,
      language,
      code: lines
        .slice(start + 1, start + 1 + length)
        .map((line) => line.slice(indent.length))
        .join('\n'),
      file: mark('file'),
      append: mark('append'),
      run: step ? { step: step as 'install' | 'start' | 'see', expected } : undefined,
    });
    start += length + 1;
  }
  return snippets;
}

/** The files that a page prints, by name; with `<!-- on: vite.md -->`, above those of that page. */
export function filesOf(path: string): Record<string, string> {
  const below = /^<!-- on: (\S+) -->$/m.exec(readDocument(path))?.[1];
  const own = snippetsOf(path).flatMap(({ file, code }) => (file ? [[file, code]] : []));
  return { ...(below && filesOf(join(path, '..', below))), ...Object.fromEntries(own) };
}

/** The one block of a page that names a file, or that contains a text. */
export function snippetIn(path: string, sought: string): Snippet {
  const found = snippetsOf(path).filter(({ file, code }) => file === sought || (!file && code.includes(sought)));
  const [snippet] = found;
  if (!snippet || found.length > 1) throw new Error(`${path} has ${found.length} snippets with "${sought}", not one.`);
  return snippet;
}

/** The tests that a page's tables name in their last column: `path`: title. */
export function testsNamedIn(path: string): { readonly path: string; readonly title: string }[] {
  return [...readDocument(path).matchAll(/\| `([^`]+\.tsx?)`: (.+?) \|$/gm)].map(([, file = '', title = '']) => ({
    path: file,
    title,
  }));
}

/** Of these tests those that do not exist. */
export function missingTests(named: ReturnType<typeof testsNamedIn>): string[] {
  const isThere = ({ path, title }: { path: string; title: string }) => {
    if (!existsSync(join(ROOT, path))) return false;
    const source = readDocument(path);
    return ["'", '"'].some((quote) => source.includes(`${quote}${title}`));
  };
  return named.filter((test) => !isThere(test)).map(({ path, title }) => `${path}: ${title}`);
}
