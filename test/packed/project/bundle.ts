import { build } from 'esbuild';

/** `bundle.js page`: for browsers. `bundle.js recipe`: a server of the recipes, as its file imports the others without endings. */
const common = { bundle: true, format: 'esm', logLevel: 'warning' } as const;
if (process.argv[2] === 'recipe')
  await build({
    ...common,
    entryPoints: ['recipe/server.ts'],
    outfile: 'out/recipe.js',
    platform: 'node',
    packages: 'external',
  });
else
  await build({
    ...common,
    entryPoints: ['page.tsx'],
    outdir: 'bundle',
    minify: true,
    splitting: true,
    platform: 'browser',
    jsx: 'automatic',
    define: { 'process.env.NODE_ENV': '"production"' },
  });
