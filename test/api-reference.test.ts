import { describe, expect, it } from 'vitest';
import { API_PAGES, fingerprintOf, indexPage } from './api-pages.ts';
import { readDocument } from './markdown.ts';
import { publicNames } from './public-surface.ts';

const surface = API_PAGES.map((one) => ({ ...one, names: publicNames(one.entry) }));
const documented = new Set(
  surface.flatMap(({ names }) => names.flatMap(({ name, docstring }) => (docstring === null ? [] : name))),
);

/** `readonly type: 'event';` says all there is to say. */
const DISCRIMINANT = /^readonly (?:type|kind): '[^']+';$/;

describe.each(surface)('the reference of $specifier', ({ page, names, entry }) => {
  it('rests on docstrings: every public name, option and field has one', () => {
    const silent = names.filter(
      ({ docstring, signature, inheritsFrom }) =>
        docstring === null && !DISCRIMINANT.test(signature) && !inheritsFrom.some((name) => documented.has(name)),
    );
    expect(silent.map(({ name, file }) => `${name} in ${file}`)).toEqual([]);
    expect(names.length).toBeGreaterThan(0);
  });

  it('has every name (else: pnpm docs:api)', () => {
    const text = readDocument(`docs/api/${page}`);
    const tops = names.map(({ name }) => name).filter((name) => !name.includes('.'));
    expect(tops.filter((each) => !new RegExp(`^#+ ${each.replaceAll('_', '\\\\?_')}\\b`, 'm').test(text))).toEqual([]);
  });

  it('is made from the docstrings and signatures of today (else: pnpm docs:api)', () => {
    expect(readDocument(`docs/api/${page}`).trimEnd().split('\n').at(-1), entry).toBe(fingerprintOf(names));
  });
});

it('the index of the reference says of every entry point what it is for, and who imports it (else: pnpm docs:api)', () => {
  expect(readDocument('docs/api/README.md')).toBe(indexPage());
});
