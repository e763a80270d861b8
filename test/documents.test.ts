import { existsSync, readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { documents, missingTests, ROOT, readDocument, snippetsOf, testsNamedIn } from './markdown.ts';

const withoutSnippets = (text: string) => text.replace(/^```[\s\S]*?^```$/gm, '');

/** What a page's headings are called in links, as GitHub does it. */
function headingsOf(target: string): ReadonlySet<string> {
  const headings = withoutSnippets(readDocument(target.replace(/#.*$/, ''))).matchAll(/^#+ (.+)$/gm);
  return new Set(
    Array.from(headings, ([, heading = '']) =>
      heading
        .toLowerCase()
        .replace(/[^\p{L}\p{N} _-]/gu, '')
        .replaceAll(' ', '-'),
    ),
  );
}

describe.each(documents())('%s', (path) => {
  const text = withoutSnippets(readDocument(path));

  it('links to nothing that is missing', () => {
    const targets = [...text.matchAll(/\]\(([^)\s]+)\)/g)].map(([, target = '']) => target);
    const own = targets.filter((target) => !/^[a-z]+:/.test(target) && !target.startsWith('#'));
    const missing = own.filter((target) => !existsSync(join(ROOT, dirname(path), target.replace(/#.*$/, ''))));
    expect(missing).toEqual([]);
    const places = [path, ...own.map((target) => join(dirname(path), target))].filter((at) => /\.md(#|$)/.test(at));
    const inside = targets.filter((target) => target.startsWith('#')).map((target) => `${path}${target}`);
    expect([...places, ...inside].filter((at) => at.includes('#') && !headingsOf(at).has(at.split('#')[1]!))).toEqual(
      [],
    );
  });

  it('names no path of this repository that is missing', () => {
    const named = [...text.matchAll(/`([^`\s]+)`/g)].map(([, name = '']) => name);
    const paths = named.filter((name) =>
      /^(?:\.ci|\.changeset|apps|benchmarks|conformance|deploy|docs|examples|packages|test)\/[^*…<>]*$/.test(name),
    );
    expect(paths.filter((name) => !existsSync(join(ROOT, name)))).toEqual([]);
  });
});

describe.each(['docs/invariants.md', 'SECURITY.md'])('%s', (path) => {
  it('names tests that exist', () => {
    const named = testsNamedIn(path);
    expect(named.length).toBeGreaterThan(15);
    expect(missingTests(named)).toEqual([]);
  });
});

describe('README.md', () => {
  const readme = readDocument('README.md');
  const origin = readDocument('docs/origin-readme.md');

  it('prints every snippet of the README of origin word for word', () => {
    const snippets = snippetsOf('docs/origin-readme.md');
    expect(snippets.length).toBe(4);
    for (const { code, where } of snippets) expect(readme, where).toContain(`\n${code}\n`);
  });

  it('prints its sections on channels, development and environment word for word', () => {
    const sections = ['## Channel Strategy', '### Running Centrifugo Locally', '## Environment Variables'];
    for (const heading of sections) {
      const section = origin.slice(origin.indexOf(heading)).split(/\n(?=##? )/)[0] ?? '';
      expect(readme, heading).toContain(section.trimEnd());
    }
  });
});

describe('docs/architecture.svg', () => {
  const folders = [...readDocument('docs/architecture.svg').matchAll(/data-folder="([^"]+)"/g)].map(
    ([, folder = '']) => folder,
  );

  it('has boxes for folders that exist, and for nothing else', () => {
    const boxes = readDocument('docs/architecture.svg').match(/class="box"/g) ?? [];
    expect(folders.length).toBeGreaterThan(boxes.length);
    expect(folders.filter((folder) => !existsSync(join(ROOT, folder)))).toEqual([]);
  });

  it('has every folder of both packages', () => {
    const sources = ['packages/realtime/src', 'packages/broker/src'];
    const there = sources.flatMap((source) =>
      readdirSync(join(ROOT, source), { withFileTypes: true })
        .filter((entry) => entry.isDirectory())
        .map((entry) => `${source}/${entry.name}`),
    );
    expect(
      there.filter((folder) => !folders.some((named) => named === folder || named.startsWith(`${folder}/`))),
    ).toEqual([]);
  });
});
