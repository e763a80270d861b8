import { readdirSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { documents, readDocument } from './markdown.ts';

/** Commands of pnpm itself, in any project. */
const OWN = new Set(['add', 'exec', 'install', 'pack', 'remove']);

const scriptsOf = (path: string): [name: string, scripts: Record<string, string>] => {
  const { name, scripts = {} } = JSON.parse(readDocument(path));
  return [name, scripts];
};
const folders = ['apps', 'examples', 'packages'].flatMap((base) =>
  readdirSync(base).flatMap((name) => (name.includes('.') ? [] : [`${base}/${name}/package.json`])),
);
const packages = new Map(
  ['package.json', 'benchmarks/package.json', 'conformance/package.json', ...folders].map(scriptsOf),
);
const [root] = scriptsOf('package.json');

/** `pnpm --filter demo dev` is the script `dev` of the package `demo`. */
const COMMAND = /\bpnpm(?:@[\d.]+)? (?:--silent )?(?:--filter (\S+) |(-r) )?(?:run )?([a-z][\w:-]*)/g;

/** Commands stand in code, in a line of text or in a block. */
function commandsIn(path: string) {
  const text = readDocument(path);
  const code = [...text.matchAll(/```\w*\n([\s\S]*?)```|`([^`\n]+)`/g)].map(([, block, span]) => block ?? span ?? '');
  return [...code.join('\n').matchAll(COMMAND)].map(([command, filter, everywhere, script = '']) => ({
    command,
    script,
    names: everywhere ? ['@op/realtime', '@op/realtime-broker'] : [filter ?? root],
  }));
}

const named = documents().flatMap((path) => commandsIn(path).map((command) => ({ path, ...command })));

describe('the commands that the documents name', () => {
  it('are found', () => {
    expect(named.length).toBeGreaterThan(40);
  });

  it('are scripts', () => {
    const unknown = named.filter(
      ({ script, names }) => !OWN.has(script) && !names.every((name) => packages.get(name)?.[script]),
    );
    expect(unknown.map(({ path, command }) => `${path}: ${command}`)).toEqual([]);
  });
});
