import { playwright } from '@vitest/browser-playwright';
import { defaultClientConditions, defaultServerConditions } from 'vite';
import { defineConfig, type TestProjectConfiguration } from 'vitest/config';
import { findChromium } from './test/lanes.ts';
import { LongestFirst } from './test/longest-first.ts';

const source = '@op/source';
const conditions = [source, ...defaultServerConditions];
const resolve = { resolve: { conditions }, ssr: { resolve: { conditions } } };
const chromium = findChromium();
const isRoot = process.getuid?.() === 0;

/** Limits are for what hangs. A busy machine takes many times as long as an idle one, and that is no failure. */
const patient = { testTimeout: 120_000, hookTimeout: 120_000, expect: { poll: { timeout: 60_000, interval: 10 } } };

/** Files that mostly wait, for processes to start and for timers, run side by side. They share nothing: free ports, folders of their own. */
const waiting = { maxWorkers: 3, sequence: { groupOrder: 1 } };

const projects: TestProjectConfiguration[] = [
  {
    ...resolve,
    test: {
      name: 'unit',
      ...patient,
      include: ['packages/*/src/**/*.test.{ts,tsx}', 'packages/*/model/*.test.ts', 'test/**/*.test.ts'],
      exclude: ['**/*.browser.test.tsx', 'test/system/**', '**/node_modules/**', '**/dist/**'],
      maxWorkers: 2, // by default one, on a machine with two cores
      sequence: { groupOrder: 0 },
    },
  },
  {
    ...resolve,
    test: {
      name: 'conformance',
      include: ['conformance/**/*.test.ts'],
      ...patient,
      ...waiting,
      maxConcurrency: 16, // scenarios of one server run side by side
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
      ...waiting,
      maxConcurrency: 2,
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
      ...patient,
      include: ['src/**/*.browser.test.tsx'],
      sequence: { groupOrder: 2 },
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
  test: {
    projects,
    reporters: ['default', './test/snippets/reporter.ts', './test/lane-reporter.ts'],
    passWithNoTests: true,
    sequence: { sequencer: LongestFirst },
  },
});
