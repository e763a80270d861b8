import { build } from 'esbuild';

await build({
  entryPoints: ['page.tsx'],
  outdir: 'bundle',
  bundle: true,
  minify: true,
  splitting: true,
  format: 'esm',
  platform: 'browser',
  jsx: 'automatic',
  define: { 'process.env.NODE_ENV': '"production"' },
  logLevel: 'warning',
});
