import { playwright } from '@vitest/browser-playwright';
import { defaultClientConditions, defaultServerConditions } from 'vite';
import { defineConfig, type TestProjectConfiguration } from 'vitest/config';
import { findChromium } from './test/lanes.ts';

const source = '@op/source';
const conditions = [source, ...defaultServerConditions];
const resolve = { resolve: { conditions }, ssr: { resolve: { conditions } } };
const chromium = findChromium();
const isRoot = process.getuid?.() === 0;

/** Tests that start real servers, browsers or databases: slow to start, so they need time. */
const patient = { testTimeout: 60_000, hookTimeout: 60_000, expect: { poll: { timeout: 20_000 } } };

const projects: TestProjectConfiguration[] = [
  {
    ...resolve,
    test: {
      name: 'unit',
      testTimeout: 30_000,
      hookTimeout: 30_000,
      expect: { poll: { timeout: 20_000, interval: 10 } },
      include: ['packages/*/src/**/*.test.{ts,tsx}', 'packages/*/model/*.test.ts', 'test/**/*.test.ts'],
      exclude: ['**/*.browser.test.tsx', 'test/system/**', '**/node_modules/**', '**/dist/**'],
      sequence: { groupOrder: 0 },
    },
  },
  {
    ...resolve,
    test: {
      name: 'conformance',
      include: ['conformance/**/*.test.ts'],
      ...patient,
      fileParallelism: false,
      maxConcurrency: 16, // scenarios of one server run side by side: they mostly wait
      sequence: { groupOrder: 1 },
    },
  },
  {
    ...resolve,
    test: {
      name: 'system',
      include: [
        'apps/*/test/**/*.test.ts',
        'examples/*/test/**/*.test.ts',
        'packages/*/converge/**/*.test.ts',
        'packages/*/kill/**/*.test.ts',
        'test/system/**/*.test.ts',
      ],
      exclude: ['**/node_modules/**'],
      ...patient,
      maxConcurrency: 2,
      maxWorkers: 2, // they mostly wait for processes to start, and share nothing: free ports, folders of their own
      sequence: { groupOrder: 2 },
    },
  },
];

if (chromium) {
  projects.push({
    root: './packages/realtime',
    resolve: { conditions: [source, ...defaultClientConditions] },
    optimizeDeps: {
      include: [
        ...['react', 'react-dom', 'react-dom/client', 'react-dom/server', 'react/jsx-runtime', 'react/jsx-dev-runtime'],
        ...['@tanstack/query-core', '@tanstack/react-query', '@trpc/client', '@trpc/server/observable', 'centrifuge'],
      ],
    },
    test: {
      name: 'browser',
      testTimeout: 30_000,
      include: ['src/**/*.browser.test.tsx'],
      sequence: { groupOrder: 3 },
      browser: {
        enabled: true,
        headless: true,
        screenshotFailures: false,
        api: { host: '127.0.0.1' },
        provider: playwright({
          launchOptions: { executablePath: chromium, args: isRoot ? ['--no-sandbox'] : [] },
        }),
        instances: [{ browser: 'chromium' }],
      },
    },
  });
}

export default defineConfig({
  test: { projects, reporters: ['default', './test/lane-reporter.ts'], passWithNoTests: true },
});
