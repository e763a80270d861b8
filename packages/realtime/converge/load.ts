import { pathToFileURL } from 'node:url';
import type { Patch } from '../model/subject.ts';
import { bundle } from '../test/bundle.ts';

/** The run over the library as it would be with these patches. */
export async function loadPatched(patches: readonly Patch[]): Promise<typeof import('./converge.ts')> {
  const file = await bundle(new URL('./converge.ts', import.meta.url), new URL('../', import.meta.url), { patches });
  return import(/* @vite-ignore */ pathToFileURL(file).href);
}
