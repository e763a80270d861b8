interface Reason {
  readonly document: string;
  /** How the snippets begin that it is about. */
  readonly starts: string;
  readonly reason: string;
}

const DEV = 'local brokers are started, found and stopped by test/system/realtime-dev.test.ts, at ports of their own';
const COMMANDS = 'on a broker of their own in test/system/realtime-commands.test.ts';
const PACKED = 'needs the registry: typed as printed by `pnpm try:packed --recipes all`';
const INSTALL = 'needs the registry: both packages are packed and installed by `pnpm try:packed`';
const CLONE = 'is this very run, or contains it: test/fresh-clone.sh types it in a fresh clone';
const CLUSTER = 'needs a cluster and the registry of its charts; names and keys are compared in test/deploy.test.ts';

/** Snippets that no test runs, each with the reason. One that fits nothing any more, or whose snippets are run after all, fails the list. */
export const REASONS: readonly Reason[] = [
  { document: 'README.md', starts: 'npm install @op/realtime', reason: INSTALL },
  { document: 'README.md', starts: 'npx --yes pnpm@12.21.0 demo', reason: CLONE },
  { document: 'README.md', starts: 'npx --yes pnpm@12.21.0 test', reason: CLONE },
  { document: 'README.md', starts: 'pnpm w:realtime dev', reason: DEV },
  { document: 'README.md', starts: 'pnpm w:realtime down', reason: DEV },
  { document: 'README.md', starts: 'pnpm w:realtime doctor', reason: COMMANDS },
  { document: 'docs/origin-readme.md', starts: 'pnpm w:realtime dev', reason: DEV },
  { document: 'docs/origin-readme.md', starts: 'pnpm w:realtime down', reason: DEV },
  { document: 'docs/install.md', starts: 'npm install', reason: INSTALL },
  { document: 'docs/install.md', starts: 'npx op-realtime init', reason: PACKED },
  { document: 'docs/install.md', starts: '# pnpm-workspace.yaml', reason: PACKED },
  { document: 'docs/install.md', starts: '# .yarnrc.yml', reason: PACKED },
  { document: 'docs/cli.md', starts: 'pnpm w:realtime tail', reason: COMMANDS },
  { document: 'docs/cli.md', starts: 'pnpm w:realtime doctor', reason: COMMANDS },
  { document: 'docs/deploying.md', starts: 'pnpm w:realtime doctor', reason: COMMANDS },
  { document: 'packages/realtime/README.md', starts: 'npm install', reason: INSTALL },
  { document: 'packages/broker/README.md', starts: 'npm install', reason: INSTALL },
  {
    document: 'packages/broker/README.md',
    starts: 'CENTRIFUGO_HTTP_API_KEY=…',
    reason: 'the secrets are left out; the command itself is started by packages/broker/src/bin.test.ts',
  },
  {
    document: 'packages/broker/README.md',
    starts: 'CENTRIFUGO_RPC',
    reason: 'two variables, read as the broker reads them; proxies answer in packages/broker/src/edges/proxies.test.ts',
  },
  { document: 'PROTOCOL.md', starts: 'tab B', reason: 'a drawing' },
  { document: 'apps/demo/README.md', starts: 'npx', reason: CLONE },
  {
    document: 'apps/demo/README.md',
    starts: 'organisation:',
    reason: 'two lines out of the demo, whose tests run them: apps/demo/test/browser.test.ts',
  },
  { document: 'conformance/README.md', starts: 'npx --yes pnpm@12.21.0 test', reason: CLONE },
  { document: 'conformance/README.md', starts: 'npx --yes pnpm@12.21.0 --silent', reason: 'needs a Docker engine' },
  {
    document: 'deploy/README.md',
    starts: 'cp .env.example',
    reason: 'needs a Docker engine; the files are read in test/deploy.test.ts',
  },
  { document: 'deploy/kubernetes.md', starts: 'kubectl', reason: CLUSTER },
  { document: 'deploy/kubernetes.md', starts: 'replicaCount', reason: CLUSTER },
  {
    document: 'examples/next/README.md',
    starts: 'pnpm w:realtime dev',
    reason: 'built and started, at ports of its own, by examples/next/test/next.test.ts',
  },
  { document: 'examples/classic-hooks/README.md', starts: 'pnpm exec vitest', reason: CLONE },
  ...['hono', 'express', 'fastify', 'node', 'edge', 'vite', 'custom-channels', 'own-events', 'presence', 'testing'].map(
    (name) => ({ document: `docs/recipes/${name}.md`, starts: 'npm init -y', reason: PACKED }),
  ),
  ...['hono', 'express', 'fastify', 'node', 'edge', 'custom-channels', 'own-events', 'presence'].map((name) => ({
    document: `docs/recipes/${name}.md`,
    starts: 'npx op-realtime dev',
    reason: `${PACKED}; its files are run here`,
  })),
  { document: 'docs/recipes/vite.md', starts: 'npx op-realtime dev', reason: `${PACKED}; its files are run here` },
  { document: 'docs/recipes/leaving.md', starts: 'npm init -y', reason: 'needs the registry; its files are run here' },
  { document: 'docs/recipes/leaving.md', starts: 'npx tsx', reason: 'its files are run here' },
  {
    document: 'docs/recipes/nextjs.md',
    starts: '',
    reason:
      'needs Next.js and the registry: `pnpm try:packed --recipes nextjs`; examples/next/test/next.test.ts runs its twin',
  },
];
