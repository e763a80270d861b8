import { join } from 'node:path';
import react from '@vitejs/plugin-react';
import { defaultClientConditions, type InlineConfig } from 'vite';

/** How Vite reads the browser's part, built or from source. */
export function clientConfig(wsUrl: string): InlineConfig {
  return {
    root: join(import.meta.dirname, '../../client'),
    configFile: false,
    logLevel: 'error',
    plugins: [react()],
    resolve: { conditions: ['@op/source', ...defaultClientConditions] },
    // The name is the one that Next.js apps use, so that the client's code reads the same here and there.
    define: { 'process.env.NEXT_PUBLIC_CENTRIFUGO_WS_URL': JSON.stringify(wsUrl) },
  };
}
