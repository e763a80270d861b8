import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';

const FOLDER = join(import.meta.dirname, '../src/client');
const files = readdirSync(FOLDER, { recursive: true, encoding: 'utf8' }).filter((name) => /\.tsx?$/.test(name));

describe("the client's source", () => {
  it('is found', () => expect(files.length).toBeGreaterThan(20));

  it.each(files)('%s invalidates nothing by hand and knows no channel', (name) => {
    const source = readFileSync(join(FOLDER, name), 'utf8');
    const byHand = source.match(
      /\b(?:invalidate|refetch|reset|remove|cancel)Queries\b|\bset(?:Queries|Query)Data\b|\bChannels\b|['"`]trpc:/g,
    );
    expect(byHand).toBeNull();
  });
});
