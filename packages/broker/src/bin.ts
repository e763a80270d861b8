#!/usr/bin/env node
import { startBroker } from './broker.ts';
import { EmbeddedBrokerError } from './core/errors.ts';
import { optionsFromEnv } from './edges/env.ts';

const HELP = `op-realtime-broker

Runs the embedded broker until SIGINT or SIGTERM. It takes no arguments: Centrifugo's environment variables configure it.

  CENTRIFUGO_HTTP_API_KEY=… CENTRIFUGO_CLIENT_TOKEN_HMAC_SECRET_KEY=… op-realtime-broker

A Centrifugo option that it does not have ends the start with an error that names it.
To start one from a file, see "op-realtime dev" of @op/realtime.
`;

/** Runs a broker that is configured by the environment alone, until it is told to stop. */
async function main(args: readonly string[]): Promise<void> {
  if (args[0] === '--help' || args[0] === '-h') {
    process.stdout.write(HELP);
    return;
  }
  if (args.length > 0) {
    process.stderr.write(`op-realtime-broker takes no arguments, got "${args[0]}". See --help.\n`);
    process.exitCode = 2;
    return;
  }
  const broker = await startBroker({ ...optionsFromEnv(process.env), warmUp: true });
  process.stdout.write(`Embedded broker on ${broker.url}, server API on ${broker.apiUrl}\n`);
  const stop = () => void broker.close().then(() => process.exit(0));
  process.once('SIGINT', stop);
  process.once('SIGTERM', stop);
}

main(process.argv.slice(2)).catch((error: unknown) => {
  if (!(error instanceof EmbeddedBrokerError)) throw error;
  process.stderr.write(`${error.message}\n`);
  process.exitCode = 1;
});
