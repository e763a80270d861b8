import { pause, TOPICS, type World } from './world.ts';

/** Something that happens, and how often compared with the others. */
interface StormEvent {
  readonly weight: number;
  readonly isFault?: true;
  readonly happen: (world: World) => unknown;
}

const anyTab = (world: World) => world.pick(world.tabs);
const isHeads = (world: World) => world.random() < 0.5;

const EVENTS: readonly StormEvent[] = [
  // What users and the server do.
  { weight: 20, happen: (world) => keep(world, anyTab(world).append(world.pick(TOPICS), world.note())) },
  { weight: 8, happen: (world) => keep(world, world.writeOnServer(world.pick(TOPICS))) },
  { weight: 2, happen: (world) => keep(world, anyTab(world).clear(world.pick(TOPICS))) },
  {
    weight: 3,
    happen: (world) => keep(world, anyTab(world).appendOptimistically(world.pick(TOPICS), world.below(100))),
  },
  { weight: 2, happen: (world) => anyTab(world).refetch() },
  { weight: 4, happen: (world) => world.mountSomething(anyTab(world)) },
  {
    weight: 2,
    happen: (world) => {
      const tab = anyTab(world);
      if (tab.shown.length > 1) tab.unmount(world.below(tab.shown.length));
    },
  },
  {
    weight: 2,
    happen: (world) => {
      const { focus } = anyTab(world);
      focus.set(!focus.on);
    },
  },
  {
    weight: 1,
    happen: async (world) => world.mountSomething(await world.replace(anyTab(world))),
  },
  // Faults.
  { weight: 2, isFault: true, happen: (world) => anyTab(world).sockets.cut() },
  {
    weight: 2,
    isFault: true,
    happen: (world) => {
      const { sockets } = anyTab(world);
      sockets.refuse(isHeads(world));
      sockets.cut();
    },
  },
  { weight: 2, isFault: true, happen: (world) => anyTab(world).sockets.stall(isHeads(world)) },
  { weight: 2, isFault: true, happen: (world) => anyTab(world).sockets.delay(isHeads(world) ? world.below(100) : 0) },
  { weight: 2, isFault: true, happen: (world) => anyTab(world).api.delay(isHeads(world) ? world.below(300) : 0) },
  { weight: 2, isFault: true, happen: (world) => anyTab(world).api.cut() },
  { weight: 1, isFault: true, happen: (world) => anyTab(world).api.hold(isHeads(world)) },
  { weight: 1, isFault: true, happen: (world) => anyTab(world).api.abandon('waiting') },
  {
    weight: 2,
    isFault: true,
    happen: (world) => {
      const { clock, sockets, api } = anyTab(world);
      const sleeps = isHeads(world);
      sockets.stall(sleeps);
      api.stall(sleeps);
      if (sleeps) clock.sleep();
      else clock.wake();
    },
  },
  {
    weight: 1,
    isFault: true,
    happen: (world) => {
      anyTab(world).clock.offsetMs = (world.random() - 0.5) * 7_200_000;
    },
  },
  {
    weight: 1,
    isFault: true,
    happen: (world) => {
      const { name, asksForGrants } = anyTab(world);
      const lives = world.server.livesOf(name);
      if (asksForGrants && isHeads(world)) lives.grantSeconds = 1;
      else lives.connectionSeconds = 1;
    },
  },
  {
    weight: 1,
    isFault: true,
    happen: (world) => {
      world.server.tellsPositions = isHeads(world);
    },
  },
  {
    weight: 1,
    isFault: true,
    happen: (world) => world.server.realtime.revoke(anyTab(world).name).catch(() => {}),
  },
  {
    weight: 1,
    isFault: true,
    happen: async (world) => {
      // Killed, or back again, some of the times that this comes up.
      if (world.random() < 0.5) return;
      if (world.broker.isRunning) await world.broker.kill();
      else await world.broker.revive();
    },
  },
];

const DRAWN = EVENTS.flatMap((event) => Array<StormEvent>(event.weight).fill(event));

/** Random events, one after the other. Returns how many of them were faults. */
export async function storm(world: World, steps: number): Promise<number> {
  let faults = 0;
  for (let step = 0; step < steps; step++) {
    const { isFault, happen } = world.pick(DRAWN);
    if (isFault) faults++;
    await happen(world);
    await pause(world.random() * 30);
  }
  return faults;
}

/** Everything works again. What is cut off for good stays so. */
export async function heal(world: World): Promise<void> {
  await world.broker.revive();
  world.server.tellsPositions = true;
  world.issueLongTokens();
  for (const tab of world.tabs) {
    tab.api.heal();
    tab.sockets.heal();
    tab.clock.wake();
    tab.focus.set(true);
    if (tab.shown.length === 0) world.mountSomething(tab);
  }
}

function keep(world: World, work: Promise<void>): void {
  world.running.push(work);
}
