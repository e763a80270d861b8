import { build } from 'esbuild';
import { describe, expect, it } from 'vitest';

/** An app with everything that the browser side has, bundled for production or not. */
async function bundle(entry: string | null, conditions: readonly string[]): Promise<string> {
  const devtools = entry
    ? `import { mountRealtimeDevtools, RealtimeDevtools, RealtimeDevtoolsPanel, realtimeDevtoolsPlugin } from '${entry}';
       mountRealtimeDevtools();
       mounted(createElement(RealtimeDevtools, { position: 'top-left' }), createElement(RealtimeDevtoolsPanel), realtimeDevtoolsPlugin());`
    : 'mounted();';
  const { outputFiles } = await build({
    stdin: {
      contents: `
        import { createElement } from 'react';
        import { RealtimeManager } from '@op/realtime/client';
        import { RealtimeProvider } from '@op/realtime/react';
        globalThis.app = [RealtimeManager, RealtimeProvider];
        ${devtools}
        function mounted(...elements) { globalThis.elements = elements; }`,
      resolveDir: import.meta.dirname,
    },
    bundle: true,
    minify: true,
    splitting: true,
    format: 'esm',
    conditions: ['@op/source', ...conditions],
    external: ['react', 'react/*', '@tanstack/*', '@trpc/*'],
    outdir: 'out',
    write: false,
  });
  return outputFiles.map(({ text }) => text).join('\n');
}

/** Words that only the devtools have: of their styles, texts, and names on the page. */
const MARKS = [
  'op-realtime-devtools',
  'attachShadow',
  'oklch',
  'Hold the timeline still',
  'tablist',
  '@op/realtime.recorder',
];
const marksIn = (code: string) => MARKS.filter((mark) => code.includes(mark));

describe('a bundle of an app that mounts the devtools', () => {
  it.each([['production'], []].map((conditions) => ({ conditions })))(
    'holds no byte of them with the conditions $conditions',
    async ({ conditions }) => {
      const code = await bundle('@op/realtime/devtools', conditions);
      expect(marksIn(code)).toEqual([]);
      // Not more than functions that return null, one that does nothing, and the name of the plugin.
      expect(code.length - (await bundle(null, conditions)).length).toBeLessThan(350);
    },
  );

  it('holds them in development', async () => {
    expect(marksIn(await bundle('@op/realtime/devtools', ['development']))).toEqual(MARKS);
  });

  it('holds them in production where they are asked for by name', async () => {
    expect(marksIn(await bundle('@op/realtime/devtools/production', ['production']))).toEqual(MARKS);
  });
});
