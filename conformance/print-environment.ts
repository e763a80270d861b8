/** Prints an environment as an env file: `pnpm --filter conformance environment standard`. */
import { ENVIRONMENTS } from './environments.ts';

const environment = Object.values(ENVIRONMENTS).find(({ name }) => name === process.argv[2]);
if (!environment) {
  process.stderr.write(`usage: environment <name>, with one of ${Object.keys(ENVIRONMENTS).join(', ')}\n`);
  process.exit(1);
}
for (const [name, value] of Object.entries(environment.variables)) process.stdout.write(`${name}=${value}\n`);
