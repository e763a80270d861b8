import { build } from 'esbuild';

await build({
  entryPoints: ['page.tsx'],
  outdir: 'bundle',
  bundle: true,
  format: 'esm',
  logLevel: 'warning',
  minify: true,
  splitting: true,
  platform: 'browser',
  jsx: 'automatic',
  define: { 'process.env.NODE_ENV': '"production"' },
});
