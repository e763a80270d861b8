/** The broker of `abuse/memory.ts`, in a process of its own: tells its memory when asked, after a collection, and the largest since it was asked last. */
import { optionsFromEnv, startBroker } from '@op/realtime-broker';
import { ENVIRONMENTS } from '../environments.ts';

const broker = await startBroker(
  optionsFromEnv({ ...ENVIRONMENTS.standard.variables, CENTRIFUGO_HTTP_SERVER_PORT: '0' }),
);
let peakHeap = 0;
let peakRss = 0;
const look = (): void => {
  const { heapUsed, external, rss } = process.memoryUsage();
  peakHeap = Math.max(peakHeap, heapUsed + external);
  peakRss = Math.max(peakRss, rss);
};
setInterval(look, 20);
process.on('message', async () => {
  for (let i = 0; i < 3; i++) {
    globalThis.gc?.();
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  const { heapUsed, external, rss } = process.memoryUsage();
  process.send!({ heap: heapUsed + external, rss, peakHeap, peakRss });
  peakHeap = peakRss = 0;
});
process.on('disconnect', () => process.exit(0));
process.send!({ url: `http://127.0.0.1:${broker.port}` });
