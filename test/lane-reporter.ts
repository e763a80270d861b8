import type { Reporter, TestModule } from 'vitest/node';
import { findChromium, hasLane } from './lanes.ts';

/** Prints the seconds of each lane (vitest project), and the closing line `N passed, N failed, N skipped` that CI reads. */
export default class LaneReporter implements Reporter {
  onTestRunStart(): void {
    hasLane('chromium', findChromium());
  }

  onTestRunEnd(modules: readonly TestModule[], errors: readonly unknown[]): void {
    const lanes = new Map<string, { files: number; tests: number; start: number; end: number }>();
    const count = { passed: 0, failed: errors.length, skipped: 0 };
    for (const module of modules) {
      const name = module.project.name;
      const lane = lanes.get(name) ?? { files: 0, tests: 0, start: Number.POSITIVE_INFINITY, end: 0 };
      lanes.set(name, lane);
      lane.files++;
      if (module.errors().length) count.failed++;
      for (const test of module.children.allTests()) {
        const state = test.result().state;
        if (state !== 'pending') count[state]++;
        lane.tests++;
        const diagnostic = test.diagnostic();
        if (!diagnostic) continue;
        lane.start = Math.min(lane.start, diagnostic.startTime);
        lane.end = Math.max(lane.end, diagnostic.startTime + diagnostic.duration);
      }
    }
    const rows = [...lanes].map(([name, { files, tests, start, end }]) => {
      const seconds = end ? ((end - start) / 1000).toFixed(1) : '0.0';
      return `  ${name.padEnd(12)} ${seconds.padStart(6)} s   ${tests} tests in ${files} files`;
    });
    process.stdout.write(
      `\nLanes\n${rows.join('\n')}\n\n${count.passed} passed, ${count.failed} failed, ${count.skipped} skipped\n`,
    );
  }
}
