import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { percentile } from '../../measure/statistics.ts';
import type { Figures, TargetAddress } from '../case.ts';
import { closeAll, connectTo, faults, openApi, pause, publishBody, until } from '../load.ts';
import { Meter } from '../meter.ts';
import type { ProbeReport } from '../neighbour-probe.ts';
import { MEASURE_MS, WARM_UP_MS, WINDOW } from '../timing.ts';

const PROBE = fileURLToPath(new URL('../neighbour-probe.ts', import.meta.url));
const CHANNEL = 'trpc:busy';
const SUBSCRIBERS = 2000;

/**
 * Latency of a channel with one subscriber, beside one with 2,000 that is published to 100 times a second. The one subscriber is a process of its own:
 * within the generator, which reads 200,000 deliveries a second, its messages would wait for those of the others.
 */
export async function neighbour(target: TargetAddress): Promise<Figures> {
  const busy = await connectTo(target, SUBSCRIBERS, () => CHANNEL);
  const apis = openApi(target, 16);
  let published = 0;
  let delivered = 0;
  for (const socket of busy)
    socket.onPublications = ({ length }) => {
      delivered += length;
    };
  const startedAt = performance.now();
  const ticker = setInterval(() => {
    // What a server cannot keep up with waits here, not in its queues.
    while (
      published < (performance.now() - startedAt) / 10 &&
      published * SUBSCRIBERS - delivered < WINDOW * SUBSCRIBERS
    )
      apis[published++ % apis.length]!.post(publishBody(CHANNEL), () => {});
  }, 1);
  const probe = fork(PROBE, { execArgv: ['--import', 'tsx'] });
  probe.send(target);
  await once(probe, 'message');
  await pause(WARM_UP_MS);
  probe.send('measure');
  const meter = new Meter(target.pid);
  const before = delivered;
  await pause(MEASURE_MS * 2);
  const rates = {
    busyDeliveriesPerSecond: meter.perSecond(delivered - before),
    generatorShare: meter.generatorShare,
  };
  probe.send('stop');
  const [report] = (await once(probe, 'message')) as [ProbeReport];
  probe.disconnect();
  clearInterval(ticker);
  await until(() => delivered >= published * SUBSCRIBERS);
  const result = {
    p50Ms: percentile(report.latenciesMs, 50),
    p99Ms: percentile(report.latenciesMs, 99),
    ...rates,
    faults: faults(busy, () => published) + report.faults,
  };
  closeAll(busy, apis);
  return result;
}
