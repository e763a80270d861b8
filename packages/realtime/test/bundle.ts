import { createHash, randomUUID } from 'node:crypto';
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { build } from 'esbuild';
import { type Patch, patched } from '../model/subject.ts';

export const REALTIME_SOURCE = fileURLToPath(new URL('../src/', import.meta.url));

export interface BundleOptions {
  /** Of the library's source; each must match exactly once. */
  readonly patches?: readonly Patch[];
  /** With all dependencies inside, for a program that is started often: a start then costs a fraction of what compiling and resolving cost. */
  readonly isWhole?: boolean;
}

/** Optional natives, which nobody has. */
const NATIVES = ['pg-native', 'bufferutil', 'utf-8-validate'];
/** Dependencies that are CommonJS ask for Node's modules this way. */
const REQUIRE = "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);";

/**
 * Bundles a TypeScript file, its relative imports included, into a module that Node runs; what it is run from is as if it had stayed where it is.
 * @param packageUrl the package whose dependencies it finds
 * @returns the module's file, named after its content, so that there is one of each
 */
export async function bundle(
  entry: URL,
  packageUrl: URL,
  { patches = [], isWhole = false }: BundleOptions = {},
): Promise<string> {
  const unused = new Set(patches);
  const { outputFiles } = await build({
    entryPoints: [fileURLToPath(entry)],
    bundle: true,
    write: false,
    platform: 'node',
    format: 'esm',
    target: 'es2023',
    logLevel: 'error',
    ...(isWhole
      ? { conditions: ['@op/source'], external: NATIVES, banner: { js: REQUIRE } }
      : { packages: 'external' as const }),
    plugins: [
      {
        name: 'source',
        setup: (api) =>
          api.onLoad({ filter: /\.ts$/ }, async ({ path }) => {
            const file = path.startsWith(REALTIME_SOURCE) ? path.slice(REALTIME_SOURCE.length) : '';
            for (const patch of patches) if (patch.file === file) unused.delete(patch);
            const source = patched(await readFile(path, 'utf8'), file, patches);
            const contents = source.replaceAll('import.meta.url', JSON.stringify(pathToFileURL(path).href));
            return { contents, loader: 'ts' };
          }),
      },
    ],
  });
  for (const { file } of unused) throw new RangeError(`${file} is not loaded here, so a patch of it changes nothing.`);
  const code = outputFiles[0]!.contents;
  const folder = fileURLToPath(new URL('node_modules/.bundles/', packageUrl));
  const file = `${folder}${createHash('sha256').update(code).digest('hex').slice(0, 16)}.mjs`;
  await mkdir(folder, { recursive: true });
  const draft = `${folder}${randomUUID()}`; // another process may be writing the same
  await writeFile(draft, code);
  await rename(draft, file);
  return file;
}
