import { relative } from 'node:path';
import { describe, expect, it } from 'vitest';
import { API_PAGES } from './api-pages.ts';
import { ROOT } from './markdown.ts';
import { readModules } from './module-graph.ts';

// What the linter cannot say about the sources of both packages.

const modules = readModules();
const isTest = (path: string) => /\.(?:test|test-d)\.tsx?$/.test(path);
const sources = modules.filter(({ path }) => /^packages\/(?:realtime|broker)\/src\//.test(path) && !isTest(path));

/** Lines that match, each as `path:line: text`. */
function linesWith(pattern: RegExp): string[] {
  return sources.flatMap(({ path, text }) =>
    text.split('\n').flatMap((line, at) => (pattern.test(line) ? `${path}:${at + 1}: ${line.trim()}` : [])),
  );
}

it('reads the sources', () => {
  expect(sources.length).toBeGreaterThan(200);
  expect(sources.flatMap(({ exports }) => exports).length).toBeGreaterThan(400);
});

it('no value is exported that no other file uses', () => {
  const used = new Set(modules.flatMap(({ imports }) => imports.map(({ path, name }) => `${path} ${name}`)));
  const entries = new Set(API_PAGES.map(({ entry }) => relative(ROOT, entry)));
  const needless = sources
    .filter(({ path }) => !entries.has(path) && !used.has(`${path} *`))
    .flatMap(({ path, exports }) =>
      exports.filter((name) => !used.has(`${path} ${name}`)).map((name) => `${path} ${name}`),
    );
  expect(needless).toEqual([]);
});

it('no file lies there unused', () => {
  const started = /\/(?:index(?:\.node)?|bin|absent)\.ts$/;
  const used = new Set(modules.flatMap(({ imports }) => imports.map(({ path }) => path)));
  expect(sources.map(({ path }) => path).filter((path) => !used.has(path) && !started.test(path))).toEqual([]);
});

describe('errors', () => {
  it('have a class and a code of their own', () => {
    expect(linesWith(/\bnew (?:Range|Type|Syntax)?Error\(/)).toEqual([]);
  });

  it('are not swallowed without a word', () => {
    expect(linesWith(/catch(?: \(\w+\))? \{\s*\}/)).toEqual([]);
    const silent = sources.flatMap(({ path, text }) => {
      const lines = text.split('\n');
      const isExplained = (at: number) => /\/\//.test(lines[at] ?? '') || /^\s*(?:\/\/|\*)/.test(lines[at - 1] ?? '');
      return lines.flatMap((line, at) =>
        /(?:catch\(|, )\(\) => \{\}\);?/.test(line) && /\.(?:catch|then)\(/.test(line) && !isExplained(at)
          ? `${path}:${at + 1}: ${line.trim()}`
          : [],
      );
    });
    expect(silent).toEqual([]);
  });
});

it('what a package prints by itself says who speaks', () => {
  const printed = sources.flatMap(({ path, text }) =>
    [...text.matchAll(/console\.(?:error|warn|log|info)\(\s*(.{1,40})/g)].map(([, start = '']) => `${path}: ${start}`),
  );
  const isNamed = /^\S+: ['"`]\[@op\/realtime\] /;
  // On request, into the console of the page.
  expect(printed.filter((line) => !isNamed.test(line) && !line.includes('/devtools/panel.ts: text'))).toEqual([]);
  expect(printed.length).toBeGreaterThan(5);
});

it('no folder or file collects what has no name', () => {
  expect(
    sources.map(({ path }) => path).filter((path) => /\/(?:utils?|helpers?|common|misc)(?:\/|\.)/.test(path)),
  ).toEqual([]);
});
