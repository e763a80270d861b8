import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from './markdown.ts';
import { moduleDocstring, type PublicName, publicNames } from './public-surface.ts';

/** A page of docs/api: one entry point. */
export interface ApiPage {
  /** What is imported: `@op/realtime/client`. */
  readonly specifier: string;
  /** Below docs/api. */
  readonly page: string;
  /** The file whose exports are the entry point. */
  readonly entry: string;
}

/** The entry points of both packages, each with its page. */
export const API_PAGES: readonly ApiPage[] = ['packages/realtime', 'packages/broker'].flatMap(pagesOf);

function pagesOf(directory: string): ApiPage[] {
  const { name, exports } = JSON.parse(readFileSync(join(ROOT, directory, 'package.json'), 'utf8'));
  return Object.entries<Record<string, unknown>>(exports).flatMap(([path, conditions]) => {
    // The same names under a second condition.
    if (path.endsWith('/production')) return [];
    const own = path.slice(2);
    const page = own || (directory.endsWith('broker') ? 'broker' : 'index');
    const entry = join(ROOT, directory, sourceOf(conditions['@op/source']));
    return [{ specifier: own ? `${name}/${own}` : name, page: `${page}.md`, entry }];
  });
}

function sourceOf(entry: unknown): string {
  if (typeof entry === 'string') return entry;
  const { development, browser, default: otherwise } = entry as Record<string, unknown>;
  return sourceOf(development ?? browser ?? otherwise);
}

/** What a page was made from, in a line that tells when that changed: docstrings and signatures, and no bodies. */
export function fingerprintOf(names: readonly PublicName[]): string {
  const hash = createHash('sha256');
  for (const { name, docstring, signature } of names) hash.update(JSON.stringify([name, docstring, signature]));
  return `<!-- made from ${hash.digest('hex').slice(0, 16)} -->`;
}

/** The index of the reference: one line per entry point, from the docstrings of their files. */
export function indexPage(): string {
  const rows = API_PAGES.map(({ specifier, page, entry }) => {
    const [purpose, users] = moduleDocstring(entry).split(/\n\s*\n/);
    return `| [\`${specifier}\`](${page}) | ${purpose} | ${users?.replace(/^Imported /, '')} | ${countOf(entry)} |`;
  });
  return `# API reference

Every public name of both packages, made from the docstrings by \`pnpm docs:api\`; a test fails where a page is older than its source. What an entry point loads
is its own: importing one never brings in another's half of the world. What no page lists is internal and may change in any
release; what is marked *Experimental* (the seam for other transports) may change in a minor one.

| Entry point | What it is for | Imported | Names |
| --- | --- | --- | --- |
${rows.join('\n')}

\`@op/realtime/devtools/production\` has the names of \`@op/realtime/devtools\`, also in a production build.
The command line is told by \`op-realtime --help\`, the protocol by [PROTOCOL.md](../../PROTOCOL.md), the error codes by \`ErrorCode\` in [the first page](index.md).
`;
}

function countOf(entry: string): number {
  return publicNames(entry).filter(({ name }) => !name.includes('.')).length;
}
