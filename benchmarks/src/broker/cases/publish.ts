import { percentile } from '../../measure/statistics.ts';
import type { Figures, TargetAddress } from '../case.ts';
import { closeAll, openApi, pause, publishBody } from '../load.ts';
import { Meter } from '../meter.ts';
import { Publisher } from '../publisher.ts';
import { MEASURE_MS, WARM_UP_MS } from '../timing.ts';

/** Publications per second over the server API, and how long each takes. */
export async function publishOnly(target: TargetAddress): Promise<Figures> {
  const apis = openApi(target, 32);
  const latencies: number[] = [];
  let isMeasuring = false;
  let answered = 0;
  for (const api of apis)
    api.onAnswer = (elapsedMs) => {
      answered++;
      if (isMeasuring) latencies.push(elapsedMs);
    };
  const publisher = new Publisher(
    apis,
    () => publishBody('trpc:bench'),
    () => true,
  );
  await pause(WARM_UP_MS);
  isMeasuring = true;
  const meter = new Meter(target.pid);
  const before = answered;
  await pause(MEASURE_MS);
  const count = answered - before;
  const figures = {
    publishesPerSecond: meter.perSecond(count),
    p50Ms: percentile(latencies, 50),
    p99Ms: percentile(latencies, 99),
    cpuMicrosPerPublish: meter.serverMicrosPer(count),
    generatorShare: meter.generatorShare,
  };
  await publisher.stop();
  const failures = apis.reduce((sum, api) => sum + api.failures, 0);
  closeAll([], apis);
  return { ...figures, faults: failures };
}
