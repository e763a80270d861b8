import { fork } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { parseArgs } from 'node:util';
import { formatSteps, type KeptRun } from './kept-run.ts';
import { MUTANTS, TIMED_MUTANTS } from './mutants.ts';
import { LARGE, SCENARIOS, WIDE } from './scenarios.ts';
import { type FoundViolation, search } from './search.ts';
import { loadSubject } from './subject.ts';
import { allowedMs, longestWaitMs, PRESSURES } from './timed.ts';
import { walk } from './walk.ts';

/**
 * `pnpm model`: the whole search, the random walks, the timed model, and the mutants, whose shortest runs are searched anew.
 * `--states` bounds each scenario, `--walks` and `--seed` the walks, `--workers` the processes, `--only` the jobs; `--update` writes `shortest-runs.json`.
 */
const { values: options } = parseArgs({
  options: {
    states: { type: 'string' },
    walks: { type: 'string', default: '20000' },
    seed: { type: 'string', default: String(Date.now() % 1_000_000) },
    only: { type: 'string' },
    workers: { type: 'string', default: String(availableParallelism()) },
    update: { type: 'boolean', default: false },
  },
});

/** The wide ones first: they take longest. */
const SEARCHED = [...WIDE, ...SCENARIOS];

type Job =
  | { readonly kind: 'search'; readonly at: number }
  | { readonly kind: 'walk'; readonly at: number; readonly seed: number; readonly count: number }
  | { readonly kind: 'mutant'; readonly at: number }
  | { readonly kind: 'timed'; readonly at: number };

interface JobResult {
  readonly line: string;
  readonly ok: boolean;
  readonly states?: number;
  readonly quiet?: number;
  readonly complete?: boolean;
  readonly steps?: number;
  readonly run?: KeptRun;
}

if (process.send) {
  process.on('message', (job: Job) => {
    void perform(job).then((result) => process.send!(result));
  });
  process.on('disconnect', () => process.exit());
} else await main();

async function main(): Promise<void> {
  const seed = Number(options.seed);
  const walks = Number(options.walks);
  const jobs: Job[] = SEARCHED.map((_, at) => ({ kind: 'search', at }));
  for (let at = 0; at < TIMED_MUTANTS.length + 1; at++) jobs.push({ kind: 'timed', at });
  for (let at = 0; at < MUTANTS.length; at++) jobs.push({ kind: 'mutant', at });
  for (let from = 0; from < walks; from += 1_000)
    jobs.push({
      kind: 'walk',
      at: (from / 1_000) % LARGE.length,
      seed: seed + from,
      count: Math.min(1_000, walks - from),
    });
  const wanted = options.only ? jobs.filter((job) => label(job).includes(options.only!)) : jobs;
  const startedMs = Date.now();
  console.log(`seed ${seed}, ${wanted.length} jobs`);
  const results = await distribute(wanted);
  const total = (pick: (result: JobResult) => number | undefined) =>
    results.reduce((sum, result) => sum + (pick(result) ?? 0), 0);
  const failed = results.filter(({ ok }) => !ok);
  console.log(
    `\n${total(({ states }) => states)} distinct states, ${total(({ quiet }) => quiet)} of them quiet; ` +
      `${results.filter(({ complete }) => complete).length} of ${SEARCHED.length} scenarios to the end; ` +
      `${total(({ steps }) => steps)} steps of walks; ${((Date.now() - startedMs) / 1000).toFixed(0)} s; seed ${seed}`,
  );
  for (const { line } of failed) console.log(`FAILED  ${line}`);
  if (options.update) {
    const runs = results.flatMap(({ run }) => run ?? []);
    const order = MUTANTS.map(({ row, rule }) => `${row} ${rule}`);
    runs.sort((a, b) => order.indexOf(`${a.row} ${a.rule}`) - order.indexOf(`${b.row} ${b.rule}`));
    await writeFile(new URL('./shortest-runs.json', import.meta.url), `${JSON.stringify(runs, null, 2)}\n`);
    console.log(`${runs.length} shortest runs written`);
  }
  process.exitCode = failed.length ? 1 : 0;
}

/** Gives the jobs to as many processes as there are cores. */
async function distribute(jobs: readonly Job[]): Promise<JobResult[]> {
  const results: JobResult[] = [];
  let next = 0;
  const work = async (): Promise<void> => {
    const worker = fork(process.argv[1]!, process.argv.slice(2));
    while (next < jobs.length) {
      const job = jobs[next++]!;
      const result = await new Promise<JobResult>((resolve, reject) => {
        worker.once('message', (message) => resolve(message as JobResult));
        worker.once('exit', (code) => reject(new RangeError(`A worker ended with ${code} during ${label(job)}.`)));
        worker.send(job);
      });
      worker.removeAllListeners('exit');
      console.log(result.line);
      results.push(result);
    }
    worker.disconnect();
  };
  await Promise.all(Array.from({ length: Number(options.workers) }, work));
  return results;
}

function label(job: Job): string {
  const name = { search: SEARCHED, walk: LARGE, mutant: [], timed: [] }[job.kind][job.at]?.name ?? job.at;
  return `${job.kind} ${name}`;
}

async function perform(job: Job): Promise<JobResult> {
  const startedMs = Date.now();
  const seconds = () => `${((Date.now() - startedMs) / 1000).toFixed(1)} s`;
  if (job.kind === 'search') {
    const scenario = SEARCHED[job.at]!;
    const bound = options.states ? Number(options.states) : undefined;
    const { states, quiet, depth, complete, violation } = search(await loadSubject(), scenario, bound);
    const line = `${states} states, depth ${depth}, ${complete ? 'to the end' : 'bounded'}, ${seconds()}: ${scenario.name}${explain(violation)}`;
    return { line, ok: !violation, states, quiet, complete };
  }
  if (job.kind === 'walk') {
    const scenario = LARGE[job.at]!;
    const subject = await loadSubject();
    let steps = 0;
    for (let seed = job.seed; seed < job.seed + job.count; seed++) {
      const result = walk(subject, scenario, seed);
      steps += result.steps;
      if (result.violation || !result.quiet)
        return {
          line: `walk ${scenario.name}, seed ${seed}: ${result.violation ? '' : 'never at rest'}${explain(result.violation)}`,
          ok: false,
          steps,
        };
    }
    return {
      line: `${job.count} walks from seed ${job.seed}, ${steps} steps, ${seconds()}: ${scenario.name}`,
      ok: true,
      steps,
    };
  }
  if (job.kind === 'timed') {
    const mutant = TIMED_MUTANTS[job.at - 1];
    const subject = await loadSubject(mutant?.patches);
    const late = PRESSURES.filter((pressure) => longestWaitMs(subject, pressure) > allowedMs(pressure));
    const name = mutant ? `without "${mutant.rule}" (row ${mutant.row})` : 'the real code';
    return {
      line: `timed model, ${name}: ${late.length} of ${PRESSURES.length} pressures exceed I4, ${seconds()}`,
      ok: mutant ? late.length > 0 : !late.length,
    };
  }
  const { row, rule, breaks, scenario, patches } = MUTANTS[job.at]!;
  const { violation, states } = search(await loadSubject(patches), SCENARIOS.find(({ name }) => name === scenario)!);
  if (!violation)
    return { line: `row ${row}, ${rule}: NOT NOTICED in "${scenario}", ${states} states, ${seconds()}`, ok: false };
  const { invariant, text, steps } = violation;
  return {
    line: `row ${row}, without "${rule}": ${invariant} after ${steps.length} steps in "${scenario}", ${seconds()}`,
    ok: invariant === breaks,
    run: { row, rule, breaks: invariant, scenario, text, steps: formatSteps(steps) },
  };
}

function explain(violation: FoundViolation | null): string {
  return violation ? `\n  ${violation.invariant}: ${violation.text}\n  ${formatSteps(violation.steps).join(', ')}` : '';
}
