import { build } from 'vite';
import { clientConfig } from './client-config.ts';
import type { Pages } from './pages.ts';

interface Asset {
  readonly body: Uint8Array | string;
  readonly contentType: string;
}

const CONTENT_TYPES: Record<string, string> = {
  html: 'text/html; charset=utf-8',
  js: 'text/javascript; charset=utf-8',
  css: 'text/css; charset=utf-8',
  svg: 'image/svg+xml',
};

/** Builds the browser's part in memory: about a second, no folder that two demos could fight over, nothing to watch. */
export async function buildClient(wsUrl: string): Promise<Pages> {
  const result = await build({
    ...clientConfig(wsUrl),
    build: { write: false, target: 'es2022', reportCompressedSize: false, modulePreload: { polyfill: false } },
  });
  const assets = new Map<string, Asset>();
  for (const output of [result].flat()) {
    if (!('output' in output)) continue;
    for (const file of output.output) {
      const body = file.type === 'chunk' ? file.code : file.source;
      const extension = file.fileName.slice(file.fileName.lastIndexOf('.') + 1);
      assets.set(`/${file.fileName}`, {
        body,
        contentType: CONTENT_TYPES[extension] ?? 'application/octet-stream',
      });
    }
  }
  return {
    handler: ({ url = '/' }, response) => {
      const path = url.split('?')[0]!;
      const isAsset = path.startsWith('/assets/');
      const asset = assets.get(path) ?? (isAsset ? undefined : assets.get('/index.html'));
      if (!asset) return void response.writeHead(404).end();
      // Names of assets contain a hash of what is in them; the page itself is asked for anew.
      const cacheControl = isAsset ? 'public, max-age=31536000, immutable' : 'no-cache';
      response.writeHead(200, { 'Content-Type': asset.contentType, 'Cache-Control': cacheControl }).end(asset.body);
    },
    close: async () => {},
  };
}
