/**
 * Fills in what a real Centrifugo says: `pnpm --filter conformance record transcripts/subscribe.txt`. Lines that say what is expected (`<`, `x`, `=`) are
 * dropped, everything else is played, and the transcripts are printed with what came. Read the result before you believe it.
 *
 * A line `with: CENTRIFUGO_CLIENT_INSECURE=true` adds a variable to the environment.
 *
 * `pnpm --filter conformance probe FILE` plays them on the embedded broker too, and prints only where it says something else.
 */
import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { App } from './clients/app.ts';
import { centrifugoDriver, findCentrifugo } from './drivers/centrifugo.ts';
import { embeddedDriver } from './drivers/embedded.ts';
import { APP, ENVIRONMENTS } from './environments.ts';
import { fillIn } from './fill-in.ts';
import { parseTranscripts } from './transcript.ts';

const { values, positionals } = parseArgs({ options: { compare: { type: 'boolean' } }, allowPositionals: true });
const [file] = positionals;
const source = findCentrifugo();
if (!file || !source) {
  process.stderr.write('usage: record [--compare] <file>, with CENTRIFUGO_BIN or a centrifugo on PATH\n');
  process.exit(1);
}
const text = readFileSync(file, 'utf8');
const { environment, transcripts } = parseTranscripts(text.replace(/^with: .*$/gm, ''));
const app = await App.start();
const more = [...text.matchAll(/^with: ([A-Z_0-9]+)=(.*)$/gm)].map(([, name, value]) => [name!, value!] as const);
const variables = Object.fromEntries(
  [...Object.entries(ENVIRONMENTS[environment].variables), ...more].map(([name, value]) => [
    name,
    value.replaceAll(APP, app.url),
  ]),
);
const drivers = [centrifugoDriver(source), ...(values.compare ? [embeddedDriver()] : [])];
const servers = await Promise.all(drivers.map((driver) => driver.start({ ...ENVIRONMENTS[environment], variables })));
let differing = 0;
if (!values.compare) process.stdout.write(`environment: ${environment}\n`);
for (const [index, transcript] of transcripts.entries()) {
  const [real, embedded] = await Promise.all(
    servers.map(async (server) => (await fillIn(server, app, `rec-${index}`, transcript)).join('\n')),
  );
  if (!values.compare) process.stdout.write(`\n# ${transcript.sentence}\n${real}\n`);
  else if (real !== embedded) {
    differing++;
    process.stdout.write(`\n# ${transcript.sentence}\nCentrifugo\n${real}\nembedded\n${embedded}\n`);
  }
}
if (values.compare) process.stdout.write(`\n${transcripts.length} transcripts, ${differing} differ\n`);
await Promise.all(servers.map((server) => server.close()));
await app.close();
