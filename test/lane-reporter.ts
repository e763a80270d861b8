import type { Reporter, TestModule } from 'vitest/node';
import { hasLane, missingLanes } from './lanes.ts';

/** Prints the seconds of each lane (vitest project), and the closing line `N passed, N failed, N skipped` that CI reads. */
export default class LaneReporter implements Reporter {
  readonly #spans = new Map<string, { startMs: number; endMs: number }>();

  onTestRunStart(): void {
    hasLane('chromium');
  }

  onTestModuleQueued(module: TestModule): void {
    const name = module.project.name;
    const now = performance.now();
    if (!this.#spans.has(name)) this.#spans.set(name, { startMs: now, endMs: now });
  }

  onTestModuleEnd(module: TestModule): void {
    const span = this.#spans.get(module.project.name);
    if (span) span.endMs = performance.now();
  }

  onTestRunEnd(modules: readonly TestModule[], errors: readonly unknown[]): void {
    const missing = missingLanes();
    const lanes = new Map<string, { files: number; tests: number; skipped: number }>();
    const count = { passed: 0, failed: errors.length + missing.length, skipped: 0 };
    for (const module of modules) {
      const name = module.project.name;
      const lane = lanes.get(name) ?? { files: 0, tests: 0, skipped: 0 };
      lanes.set(name, lane);
      lane.files++;
      if (module.errors().length) count.failed++;
      // A hook that fails takes its tests with it, which then count as skipped.
      for (const suite of module.children.allSuites()) if (suite.errors().length) count.failed++;
      for (const test of module.children.allTests()) {
        const state = test.result().state;
        // A test that never ran, because its file or the run broke off, is no success.
        const outcome = state === 'pending' ? 'failed' : state;
        count[outcome]++;
        lane.tests++;
        if (outcome === 'skipped') lane.skipped++;
      }
    }
    const rows = [...lanes].map(([name, { files, tests, skipped }]) => {
      const { startMs, endMs } = this.#spans.get(name) ?? { startMs: 0, endMs: 0 };
      const seconds = ((endMs - startMs) / 1000).toFixed(1).padStart(6);
      return `  ${name.padEnd(12)} ${seconds} s   ${tests} tests in ${files} files${skipped ? `, ${skipped} skipped` : ''}`;
    });
    for (const line of missing) process.stderr.write(`\n${line}\n`);
    if (missing.length || count.failed) process.exitCode = 1;
    process.stdout.write(
      `\nLanes\n${rows.join('\n')}\n\n${count.passed} passed, ${count.failed} failed, ${count.skipped} skipped\n`,
    );
  }
}
