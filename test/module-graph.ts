import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { parseSync } from 'vite';
import { ROOT } from './markdown.ts';

/** A TypeScript file of this repository, and what it has to do with others. */
export interface ModuleFile {
  /** Relative to the root. */
  readonly path: string;
  readonly text: string;
  /** Values only: a type that nobody imports costs nothing, and may name what a signature shows. */
  readonly exports: readonly string[];
  /** Names taken from other files of the repository; `*` for all of them. */
  readonly imports: readonly { readonly path: string; readonly name: string }[];
}

const FOLDERS = ['packages', 'apps', 'benchmarks', 'conformance', 'examples', 'test'];
const SKIPPED = /(?:^|\/)(?:node_modules|dist|\.next|\.realtime|generated)(?:\/|$)/;

/** Every TypeScript file. */
export function readModules(): readonly ModuleFile[] {
  return FOLDERS.flatMap((folder) => filesBelow(join(ROOT, folder))).map(readModule);
}

function filesBelow(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    if (SKIPPED.test(relative(ROOT, path))) return [];
    if (entry.isDirectory()) return filesBelow(path);
    return /\.tsx?$/.test(entry.name) ? [path] : [];
  });
}

function readModule(file: string): ModuleFile {
  const text = readFileSync(file, 'utf8');
  const { staticImports, staticExports } = parseSync(file, text).module;
  const imports: { path: string; name: string }[] = [];
  const take = (specifier: string, name: string) => {
    if (specifier.startsWith('.')) imports.push({ path: relative(ROOT, join(dirname(file), specifier)), name });
  };
  for (const { moduleRequest, entries } of staticImports)
    for (const { importName } of entries) take(moduleRequest.value, importName.name ?? '*');
  // What is loaded later, and types that are named in place.
  for (const [, specifier = ''] of text.matchAll(/\bimport\(\s*'([^']+)'/g)) take(specifier, '*');
  const exports: string[] = [];
  for (const { moduleRequest, importName, exportName, isType } of staticExports.flatMap(({ entries }) => entries))
    if (moduleRequest) take(moduleRequest.value, importName.name ?? '*');
    else if (exportName.name && !isType) exports.push(exportName.name);
  return { path: relative(ROOT, file), text, exports, imports };
}
