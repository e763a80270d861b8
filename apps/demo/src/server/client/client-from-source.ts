import type { Server } from 'node:http';
import { createServer } from 'vite';
import { clientConfig } from './client-config.ts';
import type { Pages } from './pages.ts';

/** For work on the demo itself: Vite serves the source, in React's development mode, and changes appear without a reload. */
export async function serveClientFromSource(server: Server, wsUrl: string): Promise<Pages> {
  const vite = await createServer({
    ...clientConfig(wsUrl),
    appType: 'spa',
    // Found at start, not in the browser: what is found later reloads the page.
    optimizeDeps: {
      include: [
        'react',
        'react-dom/client',
        '@tanstack/react-query',
        '@trpc/client',
        '@trpc/tanstack-react-query',
        '@op/realtime > centrifuge',
      ],
    },
    server: { middlewareMode: true, hmr: { server } },
  });
  return {
    handler: (request, response) => vite.middlewares(request, response, () => response.writeHead(404).end()),
    close: () => vite.close(),
  };
}
