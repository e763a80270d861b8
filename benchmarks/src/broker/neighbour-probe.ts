/** The quiet neighbour: a process with one subscriber of one channel, which publishes to it a while after each answer. */
import type { TargetAddress } from './case.ts';
import { connectTo, faults, openApi, publishBody, until } from './load.ts';

const PAUSE_MS = 5;
const CHANNEL = 'trpc:quiet';

export interface ProbeReport {
  readonly latenciesMs: readonly number[];
  readonly faults: number;
}

process.on('message', async (message: TargetAddress | 'measure' | 'stop') => {
  if (message === 'measure') latenciesMs.length = 0;
  else if (message === 'stop') isRunning = false;
  else await probe(message);
});
process.on('disconnect', () => process.exit());

const latenciesMs: number[] = [];
let isRunning = true;

async function probe(target: TargetAddress): Promise<void> {
  const [socket] = await connectTo(target, 1, () => CHANNEL);
  const [api] = openApi(target, 1);
  socket!.onPublications = (publications) => {
    for (const { latencyMs } of publications) latenciesMs.push(latencyMs);
  };
  process.send!('ready');
  let published = 0;
  while (isRunning) {
    published++;
    await new Promise<void>((resolve) => api!.post(publishBody(CHANNEL), resolve));
    await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
  }
  const measured = [...latenciesMs];
  await until(() => socket!.received >= published);
  process.send!({ latenciesMs: measured, faults: faults([socket!], () => published) } satisfies ProbeReport);
}
