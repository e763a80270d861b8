import { gzipSync } from 'node:zlib';
import { build } from 'esbuild';

/** What a browser loads of the library: bytes of the minified, gzipped ES module, without TanStack Query, tRPC and React, which the app has anyway. */
export interface BundleSize {
  readonly name: string;
  readonly entries: readonly string[];
  /** Loaded with the page, before the first subscription. */
  readonly eagerBytes: number;
  /** Loaded by `import()` at the first subscription. */
  readonly lazyBytes: number;
  readonly targetBytes: number | null;
}

interface Bundle {
  readonly name: string;
  readonly entries: readonly string[];
  /** Export conditions besides the usual ones. */
  readonly conditions?: readonly string[];
  readonly targetBytes: number | null;
}

const BUNDLES: readonly Bundle[] = [
  { name: '/client', entries: ['client'], targetBytes: null },
  { name: '/query', entries: ['query'], targetBytes: null },
  { name: '/trpc/client', entries: ['trpc/client'], targetBytes: null },
  { name: '/client + /query + /trpc/client', entries: ['client', 'query', 'trpc/client'], targetBytes: 5000 },
  { name: 'the same + /react', entries: ['client', 'query', 'trpc/client', 'react'], targetBytes: 6500 },
  // Functions that do nothing, unless the bundler says `development`.
  { name: '/devtools, production', entries: ['devtools'], targetBytes: 300 },
  { name: '/devtools, development', entries: ['devtools'], conditions: ['development'], targetBytes: null },
];

/** Bundles each set of entries as an app's bundler would. */
export async function bundleSizes(): Promise<readonly BundleSize[]> {
  return Promise.all(
    BUNDLES.map(async ({ name, entries, conditions = [], targetBytes }) => {
      const { outputFiles, metafile } = await build({
        stdin: {
          contents: entries.map((entry, at) => `export * as e${at} from '@op/realtime/${entry}';`).join('\n'),
          resolveDir: import.meta.dirname,
          sourcefile: 'app.js',
        },
        bundle: true,
        minify: true,
        splitting: true,
        format: 'esm',
        platform: 'browser',
        target: 'es2022',
        conditions: ['@op/source', ...conditions],
        external: ['@tanstack/*', '@trpc/*', 'react', 'react/*', 'react-dom'],
        outdir: 'out',
        write: false,
        metafile: true,
      });
      const eager = staticallyImported(metafile.outputs, entryOf(metafile.outputs));
      let eagerBytes = 0;
      let lazyBytes = 0;
      for (const file of outputFiles) {
        const path = Object.keys(metafile.outputs).find((output) => file.path.endsWith(output.slice(3)));
        const bytes = gzipSync(file.contents, { level: 9 }).length;
        if (path && eager.has(path)) eagerBytes += bytes;
        else lazyBytes += bytes;
      }
      return { name, entries, eagerBytes, lazyBytes, targetBytes };
    }),
  );
}

type Outputs = Record<string, { imports: { path: string; kind: string }[]; entryPoint?: string }>;

function entryOf(outputs: Outputs): string {
  const entry = Object.keys(outputs).find((path) => outputs[path]?.entryPoint?.endsWith('app.js'));
  if (!entry) throw new Error('esbuild named no entry');
  return entry;
}

/** The entry and every chunk that it imports before it runs. */
function staticallyImported(outputs: Outputs, entry: string): ReadonlySet<string> {
  const found = new Set([entry]);
  for (const path of found)
    for (const { path: imported, kind } of outputs[path]?.imports ?? [])
      if (kind === 'import-statement' && imported in outputs) found.add(imported);
  return found;
}

export function printSizes(sizes: readonly BundleSize[]): void {
  process.stdout.write('bundle sizes: minified, gzipped; TanStack Query, tRPC and React not counted\n');
  for (const { name, eagerBytes, lazyBytes, targetBytes } of sizes) {
    const verdict =
      targetBytes === null ? '' : `   target ≤ ${targetBytes}: ${eagerBytes <= targetBytes ? 'reached' : 'MISSED'}`;
    process.stdout.write(
      `  ${name.padEnd(32)} ${String(eagerBytes).padStart(6)} B at once, ${String(lazyBytes).padStart(6)} B at the first subscription${verdict}\n`,
    );
  }
}
