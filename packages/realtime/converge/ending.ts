import { PREDICAMENTS, type Predicament } from './predicaments.ts';
import { pause, TOPICS, type World } from './world.ts';

/** What the broker goes through while the last writes happen. */
type BrokerFate = 'stays' | 'restarts before' | 'restarts after' | 'is down';
const FATES: readonly BrokerFate[] = [
  ...Array<BrokerFate>(6).fill('stays'),
  'restarts before',
  'restarts after',
  'is down',
];

/** Every tab gets into some predicament, the last writes happen, and everything works again. */
export async function ending(world: World): Promise<void> {
  const fate = world.pick(FATES);
  world.server.tellsPositions = world.random() < 0.7;
  const deck = world.shuffle(PREDICAMENTS.flatMap((one) => Array<Predicament>(one.weight ?? 1).fill(one)));
  const chosen = world.tabs.map((tab, at) => [tab, deck[at % deck.length]!] as const);
  const begun = await Promise.all(
    chosen.map(async ([tab, predicament]) => ({ tab: await predicament.begin(tab, world), predicament })),
  );
  await pause(world.random() * 800); // some grace periods end, others do not
  if (fate === 'restarts before') await restart(world);
  if (fate === 'is down') await world.broker.kill();
  const writers = begun.flatMap(({ tab, predicament }) => (predicament.name === 'nothing' ? tab : []));
  const writes = TOPICS.flatMap((topic) =>
    Array.from({ length: world.below(5) }, () =>
      writers.length && world.random() < 0.5
        ? world.pick(writers).append(topic, world.note())
        : world.writeOnServer(topic),
    ),
  );
  if (fate !== 'is down') await Promise.all(writes);
  await pause(world.random() * 300);
  if (fate === 'restarts after') await restart(world);
  await world.broker.revive();
  await Promise.all(
    begun.map(async ({ tab, predicament }) => {
      await pause(world.random() * 300);
      await predicament.end(tab, world);
    }),
  );
  world.issueLongTokens();
  await Promise.all(writes);
}

async function restart({ broker }: World): Promise<void> {
  await broker.kill();
  await broker.revive();
}
