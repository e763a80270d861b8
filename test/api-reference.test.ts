import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { ROOT, readDocument } from './markdown.ts';

const REALTIME = 'packages/realtime';
const { exports } = JSON.parse(readFileSync(join(ROOT, REALTIME, 'package.json'), 'utf8'));
const entries = Object.keys(exports)
  .filter((name) => !name.endsWith('/production'))
  .map((name) => [name, name.replace(/^\.\/?/, '') || 'index'] as const);

/** The names that `export { … } from` and `export type { … } from` list. */
function namesIn(source: string): string[] {
  return [...source.matchAll(/^export (?:type )?\{([^}]*)\}/gm)]
    .flatMap(([, list = '']) => list.split(','))
    .map((name) =>
      name
        .trim()
        .replace(/^type /, '')
        .replace(/^.* as /, ''),
    )
    .filter((name) => name !== '');
}

it.each(entries)('the reference of %s has every name that it exports (else: pnpm docs:api)', (name, page) => {
  const path = name === '.' ? 'src/index.ts' : `src/${page}/index.ts`;
  const names = namesIn(readDocument(join(REALTIME, path)));
  expect(names.length).toBeGreaterThan(0);
  const text = readDocument(`docs/api/${page}.md`);
  expect(names.filter((each) => !new RegExp(`^#+ ${each.replaceAll('_', '\\\\?_')}\\b`, 'm').test(text))).toEqual([]);
});
