import { printFailure, printReady, printStarting } from './banner.ts';
import { readBrokerSettings } from './broker/broker-settings.ts';
import type { Demo } from './demo.ts';
import { endWithParents } from './lifetime.ts';

const DEFAULT_PORT = 3000;

let starting: Promise<Demo> | null = null;
endWithParents(async () => (await starting)?.close());

try {
  const port = readPort(process.env.PORT);
  const isDevelopment = process.argv.includes('--dev');
  const broker = readBrokerSettings(process.env);
  printStarting();
  // What takes time to load comes after what can be wrong.
  starting = import('./demo.ts').then(({ startDemo }) => startDemo({ env: process.env, port, broker, isDevelopment }));
  printReady(await starting, port);
} catch (error) {
  printFailure(error);
  process.exitCode = 1;
}

function readPort(value: string | undefined): number {
  if (!value) return DEFAULT_PORT;
  const port = Number(value);
  if (Number.isInteger(port) && port >= 0 && port <= 65_535) return port;
  throw new Error(`PORT must be a whole number from 0 to 65535, got ${JSON.stringify(value)}.`);
}
