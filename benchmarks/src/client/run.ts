import { bundleSizes, printSizes } from './size.ts';

/** What the browser's side costs. */
export async function benchClient(): Promise<void> {
  printSizes(await bundleSizes());
}
