import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

/** The code under test: the real modules, or a mutant of them. */
export type Subject = typeof import('../src/core/freshness.ts') &
  typeof import('../src/core/freshness-verdict.ts') &
  typeof import('../src/query/refetcher.ts');

/** A small change of the source. `find` must occur exactly once in the file. */
export interface Patch {
  /** Below `src/`. */
  readonly file: string;
  readonly find: string;
  readonly replace: string;
}

const SOURCE = fileURLToPath(new URL('../src/', import.meta.url));
const MODULES = ['core/freshness.ts', 'core/freshness-verdict.ts', 'query/refetcher.ts'];
const ENTRY = MODULES.map((module) => `export * from '${SOURCE}${module}';`).join(' ');

/** Loads the source with the patches applied; none: as it ships. */
export async function loadSubject(patches: readonly Patch[] = []): Promise<Subject> {
  const { outputFiles } = await build({
    stdin: { contents: ENTRY, resolveDir: SOURCE, loader: 'ts' },
    bundle: true,
    write: false,
    format: 'esm',
    target: 'es2023',
    logLevel: 'silent',
    plugins: [
      {
        name: 'patch',
        setup: (api) =>
          api.onLoad({ filter: /\.ts$/ }, async ({ path }) => {
            const source = await readFile(path, 'utf8');
            return { contents: patched(source, path.slice(SOURCE.length), patches), loader: 'ts' };
          }),
      },
    ],
  });
  const code = Buffer.from(outputFiles[0]!.contents).toString('base64');
  return import(/* @vite-ignore */ `data:text/javascript;base64,${code}`);
}

/** Applies the patches meant for this file. */
export function patched(source: string, file: string, patches: readonly Patch[]): string {
  for (const patch of patches) {
    if (patch.file !== file) continue;
    const parts = source.split(patch.find);
    if (parts.length !== 2)
      throw new RangeError(`"${patch.find}" occurs ${parts.length - 1} times in ${file}, not once.`);
    source = parts.join(patch.replace);
  }
  return source;
}
