import type { Shown, Tab } from './tab.ts';
import { TOPICS, until, type World } from './world.ts';

/**
 * What a tab is going through while the last writes happen. Nothing comes after them that could put right by chance what the tab missed.
 */
export interface Predicament {
  readonly name: string;
  /** @default 1 */
  readonly weight?: number;
  /** Resolves when it has taken hold. May put another tab in the place of this one, and returns it. */
  begin(tab: Tab, world: World): Promise<Tab> | Tab;
  /** It is over: everything works again. */
  end(tab: Tab, world: World): Promise<void> | void;
}

export const PREDICAMENTS: readonly Predicament[] = [
  {
    name: 'nothing',
    weight: 3,
    begin: (tab) => tab,
    end: () => {},
  },
  {
    name: 'disconnected',
    begin: (tab) => {
      tab.sockets.refuse(true);
      tab.sockets.cut();
      return tab;
    },
    end: (tab) => tab.sockets.refuse(false),
  },
  {
    name: 'half-open, then reset',
    begin: (tab) => {
      tab.sockets.stall(true);
      return tab;
    },
    end: (tab) => {
      tab.sockets.cut();
      tab.sockets.stall(false);
    },
  },
  {
    name: 'asleep',
    begin: (tab) => {
      tab.clock.sleep();
      tab.api.stall(true);
      tab.sockets.stall(true);
      return tab;
    },
    end: (tab) => {
      tab.api.stall(false);
      tab.sockets.stall(false);
      tab.clock.wake();
    },
  },
  {
    name: 'clock set',
    begin: (tab, world) => {
      tab.clock.offsetMs = (world.random() - 0.5) * 7_200_000;
      return tab;
    },
    end: () => {},
  },
  {
    name: 'opened: data was read, its answer is on the way',
    weight: 2,
    async begin(tab, world) {
      const next = await world.replace(tab);
      next.api.hold(true);
      next.mountList(world.pick(TOPICS));
      next.mountVersion(world.pick(TOPICS));
      await until(() => world.server.served(next.name).reads > 1);
      return next;
    },
    end: (tab) => tab.api.hold(false),
  },
  {
    name: 'opened: answered, not joined yet',
    weight: 2,
    async begin(tab, world) {
      const next = await world.replace(tab);
      next.sockets.refuse(true);
      next.mountList(world.pick(TOPICS));
      next.mountVersion(world.pick(TOPICS));
      await until(() => next.shown.every(({ queryKey }) => next.queryClient.getQueryData(queryKey) !== undefined));
      return next;
    },
    end: (tab) => tab.sockets.refuse(false),
  },
  {
    name: 'the app fetches: data was read, its answer is on the way',
    begin: (tab, world) => {
      tab.api.hold(true);
      return refetched(tab, world);
    },
    end: (tab) => tab.api.hold(false),
  },
  {
    name: 'the app fetches: data was read, the server takes its time',
    begin(tab, world) {
      const served = world.server.served(tab.name);
      served.gate = new Promise((resolve) => gates.set(tab, resolve));
      return refetched(tab, world);
    },
    end(tab, world) {
      world.server.served(tab.name).gate = null;
      gates.get(tab)?.();
    },
  },
  {
    name: 'shows another query of a joined channel: data was read, its answer is on the way',
    async begin(tab, world) {
      tab.api.hold(true);
      const before = world.server.served(tab.name).reads;
      for (const topic of TOPICS) {
        tab.mountVersion(topic);
        tab.mountBoth(topic, world.pick(TOPICS.filter((other) => other !== topic)));
      }
      const isNew = ({ queryKey }: Shown) => tab.queryClient.getQueryData(queryKey) === undefined;
      const added = new Set(tab.shown.filter(isNew).map(({ name }) => name)).size;
      await until(() => world.server.served(tab.name).reads >= before + added);
      return tab;
    },
    end: (tab) => tab.api.hold(false),
  },
  {
    name: 'its socket lags behind what it fetches',
    begin(tab, world) {
      tab.mountBoth(world.pick(TOPICS.slice(0, 2)), TOPICS[2]!);
      for (const topic of TOPICS) tab.mountList(topic);
      tab.sockets.stall(true);
      return tab;
    },
    async end(tab, world) {
      const before = world.server.served(tab.name).reads;
      tab.refetch(1);
      await until(() => world.server.served(tab.name).reads > before && tab.queryClient.isFetching() === 0);
      tab.sockets.stall(false);
    },
  },
  {
    name: 'refetches fail',
    begin: (tab) => {
      tab.api.refuse(true);
      tab.api.cut();
      return tab;
    },
    end: (tab) => tab.api.refuse(false),
  },
  {
    name: 'refetches hang',
    begin: (tab) => {
      tab.api.stall(true);
      return tab;
    },
    end: (tab) => {
      tab.api.abandon('waiting');
      tab.api.stall(false);
    },
  },
  {
    name: 'hidden',
    begin: (tab) => {
      tab.focus.set(false);
      return tab;
    },
    end: (tab) => tab.focus.set(true),
  },
  {
    name: 'away from the page',
    begin: leave,
    end: comeBack,
  },
  {
    name: 'back on the page while disconnected',
    begin: leave,
    end(tab) {
      tab.sockets.refuse(true);
      tab.sockets.cut();
      comeBack(tab);
      setTimeout(() => tab.sockets.refuse(false), 300);
    },
  },
  {
    name: 'an optimistic write is refused after newer data came',
    begin: (tab, world) => {
      for (const topic of TOPICS) {
        tab.mountList(topic);
        world.running.push(tab.appendOptimistically(topic, 2_000));
      }
      return tab;
    },
    end: (tab) => tab.refetch(),
  },
  {
    name: 'writes while its socket is half-open',
    begin: (tab, world) => {
      tab.sockets.stall(true);
      world.running.push(tab.append(world.pick(TOPICS), world.note()));
      return tab;
    },
    end: (tab) => {
      tab.sockets.cut();
      tab.sockets.stall(false);
    },
  },
  {
    name: 'the answer to its own write is lost',
    async begin(tab, world) {
      tab.api.hold(true);
      const before = world.server.served(tab.name).commits;
      world.running.push(tab.append(world.pick(TOPICS), world.note()));
      await until(() => world.server.served(tab.name).commits > before);
      return tab;
    },
    end: (tab) => {
      tab.api.cut();
      tab.api.hold(false);
    },
  },
  {
    name: 'tokens expire, and the server cannot be reached',
    async begin(tab, world) {
      // Given new tokens, of the connection or of its channels, that expire soon.
      const lives = world.server.livesOf(tab.name);
      if (tab.asksForGrants && world.random() < 0.5) lives.grantSeconds = 1;
      else lives.connectionSeconds = 1;
      const before = world.server.served(tab.name).tokens;
      await world.server.realtime.revoke(tab.name).catch(() => {});
      await until(() => world.server.served(tab.name).tokens > before && isLive(tab));
      tab.api.refuse(true);
      tab.api.cut();
      await until(() => !isLive(tab));
      return tab;
    },
    end: (tab) => tab.api.refuse(false),
  },
];

/** What lets the server answer. */
const gates = new WeakMap<Tab, () => void>();

async function refetched(tab: Tab, world: World): Promise<Tab> {
  const served = world.server.served(tab.name);
  const before = served.reads;
  tab.refetch();
  await until(() => served.reads >= before + new Set(tab.shown.map(({ name }) => name)).size);
  return tab;
}

/** What was on screen before the page was left. */
const left = new WeakMap<Tab, readonly Shown[]>();

function leave(tab: Tab): Tab {
  const shown = tab.shown.splice(0);
  for (const { unmount } of shown) unmount();
  left.set(tab, shown);
  return tab;
}

function comeBack(tab: Tab): void {
  for (const { mountAgain } of left.get(tab) ?? []) mountAgain();
  left.delete(tab);
}

function isLive(tab: Tab): boolean {
  return tab.shown.every(({ queryKey }) => tab.binding.status(queryKey).state === 'live');
}
