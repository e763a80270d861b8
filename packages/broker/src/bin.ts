#!/usr/bin/env node
import { startBroker } from './broker.ts';
import { EmbeddedBrokerError } from './core/errors.ts';
import { optionsFromEnv } from './edges/env.ts';

/** Runs a broker that is configured by the environment alone, until it is told to stop. */
async function main(): Promise<void> {
  const broker = await startBroker({ ...optionsFromEnv(process.env), warmUp: true });
  process.stdout.write(`Embedded broker on ${broker.url}, server API on ${broker.apiUrl}\n`);
  const stop = () => void broker.close().then(() => process.exit(0));
  process.once('SIGINT', stop);
  process.once('SIGTERM', stop);
}

main().catch((error: unknown) => {
  if (!(error instanceof EmbeddedBrokerError)) throw error;
  process.stderr.write(`${error.message}\n`);
  process.exitCode = 1;
});
