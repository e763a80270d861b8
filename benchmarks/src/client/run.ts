import { mkdirSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describeMachine } from '../measure/machine.ts';
import { type Herd, herd } from './herd.ts';
import { type PushRate, pushRate } from './push-rates.ts';
import { bundleSizes, printSizes } from './size.ts';
import { workPerPublication } from './work-per-publication.ts';

const RESULTS = fileURLToPath(new URL('../../results/', import.meta.url));

/** What the browser's side costs. */
export async function benchClient(): Promise<void> {
  const sizes = await bundleSizes();
  printSizes(sizes);

  const work = await workPerPublication();
  process.stdout.write('\nwork per publication, 10,000 cached queries, 10 bound\n');
  process.stdout.write(`  bound queries                       ${work.oursMicros.toFixed(1)} µs\n`);
  process.stdout.write(`  invalidateQueries with a predicate  ${work.predicateMicros.toFixed(0)} µs\n`);
  process.stdout.write(`  ${work.ratio.toFixed(0)} times less, target 50\n`);

  process.stdout.write('\none mounted query, its fetch takes 250 ms, pushed for 8 s\n');
  const rates: PushRate[] = [];
  for (const pushesPerSecond of [1, 10, 100])
    for (const kind of ['bound', 'naive'] as const) {
      const rate = await pushRate(pushesPerSecond, kind);
      rates.push(rate);
      process.stdout.write(
        `  ${String(pushesPerSecond).padStart(3)}/s ${kind}  ${String(rate.fetches).padStart(3)} fetches, ${String(rate.aborted).padStart(3)} aborted, time to fresh p50 ${rate.timeToFreshP50Ms.toFixed(0)} ms, max ${rate.timeToFreshMaxMs.toFixed(0)} ms, ends ${rate.endsExact ? 'exact' : 'BEHIND'}\n`,
      );
    }

  process.stdout.write('\none publication for 1,000 tabs\n');
  const herds: Herd[] = [];
  for (const spreadMs of [0, 5000]) {
    const result = await herd(spreadMs);
    herds.push(result);
    process.stdout.write(
      `  spread ${String(spreadMs).padStart(4)} ms: ${result.requests} requests, peak ${result.peakRequestsPerSecond} requests/s\n`,
    );
  }

  mkdirSync(RESULTS, { recursive: true });
  const result = { machine: describeMachine(), sizes, work, rates, herds };
  writeFileSync(`${RESULTS}client.json`, `${JSON.stringify(result, null, 2)}\n`);
}
