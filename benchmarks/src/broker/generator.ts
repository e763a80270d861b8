/** The load generator: a process of its own, told by its parent which case to run against which address. */
import type { TargetAddress } from './case.ts';
import { BROKER_CASES } from './cases.ts';

process.on('message', async ({ name, target }: { name: string; target: TargetAddress }) => {
  try {
    const benchmark = BROKER_CASES.find((one) => one.name === name);
    if (!benchmark) throw new Error(`no case "${name}"`);
    process.send!({ figures: await benchmark.run(target) });
  } catch (error) {
    process.send!({ failure: String(error) });
  }
});
process.on('disconnect', () => process.exit());
