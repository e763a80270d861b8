import type { Figures, TargetAddress } from './case.ts';
import { pause } from './load.ts';
import { Meter } from './meter.ts';
import { MEASURE_MS, WARM_UP_MS } from './timing.ts';

/** What deliveries cost the target, once it is warm, while somebody publishes. @param delivered how many there were so far */
export async function measureDeliveries(target: TargetAddress, delivered: () => number): Promise<Figures> {
  await pause(WARM_UP_MS);
  const meter = new Meter(target.pid);
  const before = delivered();
  await pause(MEASURE_MS);
  const count = delivered() - before;
  return {
    deliveriesPerSecond: meter.perSecond(count),
    cpuMicrosPerDelivery: meter.serverMicrosPer(count),
    generatorShare: meter.generatorShare,
  };
}
