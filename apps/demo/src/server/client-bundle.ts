import { join } from 'node:path';
import react from '@vitejs/plugin-react';
import { build, defaultClientConditions } from 'vite';

export interface Asset {
  readonly body: Uint8Array<ArrayBuffer> | string;
  readonly contentType: string;
}

const CONTENT_TYPES: Record<string, string> = {
  html: 'text/html; charset=utf-8',
  js: 'text/javascript; charset=utf-8',
  css: 'text/css; charset=utf-8',
  svg: 'image/svg+xml',
};

/** Builds the browser's part in memory: about a second, no folder that two demos could fight over, nothing to watch. */
export async function buildClient(wsUrl: string): Promise<ReadonlyMap<string, Asset>> {
  const result = await build({
    root: join(import.meta.dirname, '../client'),
    configFile: false,
    logLevel: 'error',
    plugins: [react()],
    resolve: { conditions: ['@op/source', ...defaultClientConditions] },
    // The name is the one that Next.js apps use, so that the client's code reads the same here and there.
    define: { 'process.env.NEXT_PUBLIC_CENTRIFUGO_WS_URL': JSON.stringify(wsUrl) },
    build: { write: false, target: 'es2022', reportCompressedSize: false, modulePreload: { polyfill: false } },
  });
  const assets = new Map<string, Asset>();
  for (const output of [result].flat()) {
    if (!('output' in output)) continue;
    for (const file of output.output) {
      const body = file.type === 'chunk' ? file.code : file.source;
      const extension = file.fileName.slice(file.fileName.lastIndexOf('.') + 1);
      assets.set(`/${file.fileName}`, {
        body: typeof body === 'string' ? body : new Uint8Array(body),
        contentType: CONTENT_TYPES[extension] ?? 'application/octet-stream',
      });
    }
  }
  return assets;
}
