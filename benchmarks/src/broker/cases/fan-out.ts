import { percentile } from '../../measure/statistics.ts';
import type { Figures, TargetAddress } from '../case.ts';
import { closeAll, connectTo, faults, openApi, pause, publishBody, until } from '../load.ts';
import { measureDeliveries } from '../measure-deliveries.ts';
import { Meter } from '../meter.ts';
import { Publisher } from '../publisher.ts';
import { MEASURE_MS, WARM_UP_MS, WINDOW } from '../timing.ts';

const CHANNEL = 'trpc:bench';

/** Deliveries per second with as many publications as the server answers. */
export async function fanOutMax(target: TargetAddress, subscribers: number): Promise<Figures> {
  const sockets = await connectTo(target, subscribers, () => CHANNEL);
  const apis = openApi(target, 32);
  let delivered = 0;
  const publisher = new Publisher(
    apis,
    () => publishBody(CHANNEL),
    (published) => published * subscribers - delivered < WINDOW * subscribers,
  );
  let sinceWake = 0;
  for (const socket of sockets)
    socket.onPublications = ({ length }) => {
      delivered += length;
      sinceWake += length;
      if (sinceWake < 512) return;
      sinceWake = 0;
      publisher.wake();
    };
  // With few subscribers the last deliveries of a window may be fewer than that.
  const waker = setInterval(() => publisher.wake(), 1);
  const figures = await measureDeliveries(target, () => delivered);
  await publisher.stop();
  await until(() => delivered >= publisher.published * subscribers);
  clearInterval(waker);
  const result = { ...figures, faults: faults(sockets, () => publisher.published) };
  closeAll(sockets, apis);
  return result;
}

/** CPU and latency at a given rate. */
export async function fanOutAtRate(
  target: TargetAddress,
  subscribers: number,
  deliveriesPerSecond: number,
): Promise<Figures> {
  const sockets = await connectTo(target, subscribers, () => CHANNEL);
  const apis = openApi(target, 4);
  const everyMs = 1000 / (deliveriesPerSecond / subscribers);
  let delivered = 0;
  let isMeasuring = false;
  const latencies: number[] = [];
  for (const [at, socket] of sockets.entries())
    socket.onPublications = (publications) => {
      delivered += publications.length;
      // One client in ten is enough for a median, and cheap.
      if (isMeasuring && at % 10 === 0) for (const { latencyMs } of publications) latencies.push(latencyMs);
    };
  let published = 0;
  const startedAt = performance.now();
  const ticker = setInterval(() => {
    while (published < (performance.now() - startedAt) / everyMs)
      apis[published++ % apis.length]!.post(publishBody(CHANNEL), () => {});
  }, 1);
  await pause(WARM_UP_MS);
  const meter = new Meter(target.pid);
  const before = delivered;
  isMeasuring = true;
  await pause(MEASURE_MS * 2);
  const figures = {
    cpuMicrosPerDelivery: meter.serverMicrosPer(delivered - before),
    p50Ms: percentile(latencies, 50),
    p99Ms: percentile(latencies, 99),
    generatorShare: meter.generatorShare,
  };
  clearInterval(ticker);
  await until(() => delivered >= published * subscribers);
  const result = { ...figures, faults: faults(sockets, () => published) };
  closeAll(sockets, apis);
  return result;
}
