import { cpuMs, residentBytes } from '../measure/process-usage.ts';
import { percentile } from '../measure/statistics.ts';
import type { ApiConnection } from './api-connection.ts';
import type { BrokerCase, Figures, TargetAddress } from './case.ts';
import { connectAll, latencyMs, openApi, publishBody, until } from './load.ts';
import type { LoadSocket } from './load-socket.ts';

const WARM_UP_MS = 700;
const MEASURE_MS = 2500;
/** Publications that may be under way to one subscriber: far below what any server counts as a slow consumer. */
const WINDOW = 64;

/** CPU time of the server and of the generator itself between two moments. */
class Meter {
  readonly #pid: number;
  readonly #server: number;
  readonly #own: NodeJS.CpuUsage;
  readonly startedAt = performance.now();
  constructor(pid: number) {
    this.#pid = pid;
    this.#server = cpuMs(pid);
    this.#own = process.cpuUsage();
  }
  get elapsedMs(): number {
    return performance.now() - this.startedAt;
  }
  get serverCpuMs(): number {
    return cpuMs(this.#pid) - this.#server;
  }
  /** The generator's share of one core. */
  get generatorShare(): number {
    const { user, system } = process.cpuUsage(this.#own);
    return (user + system) / 1000 / this.elapsedMs;
  }
}

function faults(sockets: readonly LoadSocket[], expected: readonly number[] | null): number {
  let count = 0;
  for (const [at, socket] of sockets.entries()) {
    count += socket.faults + (socket.closed ? 1 : 0);
    if (expected) count += Math.abs(socket.received - expected[at]!);
  }
  return count;
}

/** Keeps every API connection busy while `mayPublish` allows; returns a stop that waits for the answers under way. */
function publishAsFastAsItGoes(
  apis: readonly ApiConnection[],
  body: () => string,
  mayPublish: (published: number) => boolean,
) {
  let running = true;
  let published = 0;
  let underWay = 0;
  const idle: ApiConnection[] = [];
  const pump = (api: ApiConnection): void => {
    if (!running) return;
    if (!mayPublish(published)) {
      idle.push(api);
      return;
    }
    published++;
    underWay++;
    api.post(body(), () => {
      underWay--;
      pump(api);
    });
  };
  for (const api of apis) pump(api);
  return {
    get published() {
      return published;
    },
    wake() {
      while (idle.length && running && mayPublish(published)) pump(idle.pop()!);
    },
    async stop() {
      running = false;
      await until(() => underWay === 0);
    },
  };
}

async function fanOutMax(target: TargetAddress, subscribers: number): Promise<Figures> {
  const sockets = await connectAll(target, subscribers, { concurrency: 50, channelOf: () => 'trpc:bench' });
  const apis = openApi(target, 32);
  let delivered = 0;
  const load = publishAsFastAsItGoes(
    apis,
    () => publishBody('trpc:bench'),
    (published) => published * subscribers - delivered < WINDOW * subscribers,
  );
  for (const socket of sockets)
    socket.onPublication = () => {
      if (++delivered % 512 === 0) load.wake();
    };
  await new Promise((resolve) => setTimeout(resolve, WARM_UP_MS));
  const meter = new Meter(target.pid);
  const before = delivered;
  await new Promise((resolve) => setTimeout(resolve, MEASURE_MS));
  const count = delivered - before;
  const figures = {
    deliveriesPerSecond: (count / meter.elapsedMs) * 1000,
    cpuMicrosPerDelivery: (meter.serverCpuMs / count) * 1000,
    generatorShare: meter.generatorShare,
  };
  const waker = setInterval(() => load.wake(), 5);
  await load.stop();
  await until(() => delivered >= load.published * subscribers);
  clearInterval(waker);
  const result = {
    ...figures,
    faults: faults(
      sockets,
      sockets.map(() => load.published),
    ),
  };
  for (const socket of sockets) socket.destroy();
  for (const api of apis) api.close();
  return result;
}

async function fanOutAtRate(target: TargetAddress, subscribers: number, deliveriesPerSecond: number): Promise<Figures> {
  const sockets = await connectAll(target, subscribers, { concurrency: 50, channelOf: () => 'trpc:bench' });
  const apis = openApi(target, 4);
  const everyMs = 1000 / (deliveriesPerSecond / subscribers);
  let delivered = 0;
  let measuring = false;
  const latencies: number[] = [];
  for (const [at, socket] of sockets.entries())
    socket.onPublication = (text, start) => {
      delivered++;
      // One in ten is enough for a median, and cheap.
      if (measuring && at % 10 === 0) latencies.push(latencyMs(text, start));
    };
  let published = 0;
  const publish = () => apis[published++ % apis.length]!.post(publishBody('trpc:bench'), () => {});
  const startedAt = performance.now();
  const ticker = setInterval(() => {
    while (published < (performance.now() - startedAt) / everyMs) publish();
  }, 1);
  await new Promise((resolve) => setTimeout(resolve, WARM_UP_MS));
  const meter = new Meter(target.pid);
  const before = delivered;
  measuring = true;
  await new Promise((resolve) => setTimeout(resolve, MEASURE_MS * 2));
  const figures = {
    cpuMicrosPerDelivery: (meter.serverCpuMs / (delivered - before)) * 1000,
    p50Ms: percentile(latencies, 50),
    p99Ms: percentile(latencies, 99),
    generatorShare: meter.generatorShare,
  };
  clearInterval(ticker);
  await until(() => delivered >= published * subscribers);
  const result = {
    ...figures,
    faults: faults(
      sockets,
      sockets.map(() => published),
    ),
  };
  for (const socket of sockets) socket.destroy();
  for (const api of apis) api.close();
  return result;
}

async function publishOnly(target: TargetAddress): Promise<Figures> {
  const apis = openApi(target, 32);
  const latencies: number[] = [];
  let measuring = false;
  let running = true;
  let answered = 0;
  let underWay = 0;
  const pump = (api: ApiConnection): void => {
    if (!running) return;
    const start = performance.now();
    underWay++;
    api.post(publishBody('trpc:bench'), () => {
      underWay--;
      answered++;
      if (measuring) latencies.push(performance.now() - start);
      pump(api);
    });
  };
  for (const api of apis) pump(api);
  await new Promise((resolve) => setTimeout(resolve, WARM_UP_MS));
  measuring = true;
  const meter = new Meter(target.pid);
  const before = answered;
  await new Promise((resolve) => setTimeout(resolve, MEASURE_MS));
  const count = answered - before;
  const figures = {
    publishesPerSecond: (count / meter.elapsedMs) * 1000,
    p50Ms: percentile(latencies, 50),
    p99Ms: percentile(latencies, 99),
    cpuMicrosPerPublish: (meter.serverCpuMs / count) * 1000,
    generatorShare: meter.generatorShare,
  };
  running = false;
  await until(() => underWay === 0);
  const failures = apis.reduce((sum, api) => sum + api.failures, 0);
  for (const api of apis) api.close();
  return { ...figures, faults: failures };
}

async function ownChannels(target: TargetAddress, connections: number): Promise<Figures> {
  const channelOf = (at: number) => `trpc:own:${at}`;
  const sockets = await connectAll(target, connections, { concurrency: 50, channelOf });
  const apis = openApi(target, 32);
  const expected = sockets.map(() => 0);
  let delivered = 0;
  // A fixed sequence, so that every target gets the same one.
  let seed = 1;
  const next = () => {
    seed = (seed * 1103515245 + 12345) % 2147483648;
    return seed % connections;
  };
  const load = publishAsFastAsItGoes(
    apis,
    () => {
      const at = next();
      expected[at]!++;
      return publishBody(channelOf(at));
    },
    (published) => published - delivered < 1024,
  );
  for (const socket of sockets)
    socket.onPublication = () => {
      delivered++;
      load.wake();
    };
  await new Promise((resolve) => setTimeout(resolve, WARM_UP_MS));
  const meter = new Meter(target.pid);
  const before = delivered;
  await new Promise((resolve) => setTimeout(resolve, MEASURE_MS));
  const count = delivered - before;
  const figures = {
    deliveriesPerSecond: (count / meter.elapsedMs) * 1000,
    cpuMicrosPerDelivery: (meter.serverCpuMs / count) * 1000,
    generatorShare: meter.generatorShare,
  };
  await load.stop();
  await until(() => delivered >= load.published);
  const result = { ...figures, faults: faults(sockets, expected) };
  for (const socket of sockets) socket.destroy();
  for (const api of apis) api.close();
  return result;
}

async function neighbour(target: TargetAddress): Promise<Figures> {
  const subscribers = 2000;
  const busy = await connectAll(target, subscribers, { concurrency: 50, channelOf: () => 'trpc:busy' });
  const [quiet] = await connectAll(target, 1, { concurrency: 1, channelOf: () => 'trpc:quiet' });
  const [api, ...apis] = openApi(target, 17);
  let busyPublished = 0;
  let busyDelivered = 0;
  for (const socket of busy) socket.onPublication = () => busyDelivered++;
  const latencies: number[] = [];
  quiet!.onPublication = (text, start) => latencies.push(latencyMs(text, start));
  let quietPublished = 0;
  let quietBusy = false;
  const startedAt = performance.now();
  const ticker = setInterval(() => {
    // 100 publications a second to 2,000 subscribers; what a server cannot keep up with waits here, not in its queues.
    while (
      busyPublished < (performance.now() - startedAt) / 10 &&
      busyPublished * subscribers - busyDelivered < WINDOW * subscribers
    )
      apis[busyPublished++ % apis.length]!.post(publishBody('trpc:busy'), () => {});
    if (!quietBusy) {
      quietBusy = true;
      quietPublished++;
      api!.post(publishBody('trpc:quiet'), () => {
        setTimeout(() => {
          quietBusy = false;
        }, 5);
      });
    }
  }, 1);
  await new Promise((resolve) => setTimeout(resolve, WARM_UP_MS));
  latencies.length = 0;
  const meter = new Meter(target.pid);
  const before = busyDelivered;
  await new Promise((resolve) => setTimeout(resolve, MEASURE_MS * 2));
  const figures = {
    p50Ms: percentile(latencies, 50),
    p99Ms: percentile(latencies, 99),
    busyDeliveriesPerSecond: ((busyDelivered - before) / meter.elapsedMs) * 1000,
    generatorShare: meter.generatorShare,
  };
  clearInterval(ticker);
  await until(() => busyDelivered >= busyPublished * subscribers && quiet!.received >= quietPublished);
  const result = {
    ...figures,
    faults:
      faults(
        busy,
        busy.map(() => busyPublished),
      ) + faults([quiet!], [quietPublished]),
  };
  for (const socket of [...busy, quiet!]) socket.destroy();
  for (const one of [api!, ...apis]) one.close();
  return result;
}

async function idleMemory(target: TargetAddress): Promise<Figures> {
  const count = 5000;
  // A hundred connections first: code and tables that a server loads once are not the price of a connection.
  const first = await connectAll(target, 100, { concurrency: 20, channelOf: (at) => `trpc:warm:${at}` });
  await new Promise((resolve) => setTimeout(resolve, 500));
  const before = residentBytes(target.pid);
  const sockets = await connectAll(target, count, { concurrency: 50, channelOf: (at) => `trpc:idle:${at}` });
  await new Promise((resolve) => setTimeout(resolve, 2000));
  const figures = {
    kilobytesPerConnection: (residentBytes(target.pid) - before) / count / 1000,
    faults: faults(sockets, null),
  };
  for (const socket of [...first, ...sockets]) socket.destroy();
  return figures;
}

async function connectRate(target: TargetAddress): Promise<Figures> {
  const count = 5000;
  const meter = new Meter(target.pid);
  const sockets = await connectAll(target, count, { concurrency: 100, channelOf: (at) => `trpc:own:${at}` });
  const figures = {
    connectsPerSecond: (count / meter.elapsedMs) * 1000,
    cpuMicrosPerConnect: (meter.serverCpuMs / count) * 1000,
    generatorShare: meter.generatorShare,
    faults: faults(sockets, null),
  };
  for (const socket of sockets) socket.destroy();
  return figures;
}

async function reconnectStorm(target: TargetAddress): Promise<Figures> {
  const count = 5000;
  const channelOf = () => 'trpc:storm';
  const sockets = await connectAll(target, count, { concurrency: 100, channelOf });
  const positions = sockets.map(({ epoch, offset }) => ({ epoch, offset }));
  for (const socket of sockets) socket.destroy();
  const [api] = openApi(target, 1);
  for (let missed = 0; missed < 5; missed++)
    await new Promise<void>((resolve) => api!.post(publishBody('trpc:storm'), resolve));
  api!.close();
  await new Promise((resolve) => setTimeout(resolve, 300));
  const meter = new Meter(target.pid);
  const back = await connectAll(target, count, { concurrency: count, channelOf, positionOf: (at) => positions[at]! });
  const figures = {
    reconnectsPerSecond: (count / meter.elapsedMs) * 1000,
    cpuMicrosPerReconnect: (meter.serverCpuMs / count) * 1000,
    generatorShare: meter.generatorShare,
    faults: faults(back, null) + back.filter((socket) => !socket.recovered).length,
  };
  for (const socket of back) socket.destroy();
  return figures;
}

const fanOutMaxGoals = [
  { figure: 'deliveriesPerSecond', better: 'higher', mustRatio: 3, aimRatio: 4.5 },
  { figure: 'cpuMicrosPerDelivery', mustAtMost: 2, aimAtMost: 1.2 },
] as const;

/** The rows of the work order's table, in its order. */
export const BROKER_CASES: readonly BrokerCase[] = [
  {
    name: 'fan-out-max-1000',
    title: 'fan-out as fast as it goes, 1,000 subscribers',
    onForwarder: true,
    run: (target) => fanOutMax(target, 1000),
    goals: fanOutMaxGoals,
  },
  {
    name: 'fan-out-max-5000',
    title: 'fan-out as fast as it goes, 5,000 subscribers',
    onForwarder: true,
    run: (target) => fanOutMax(target, 5000),
    goals: fanOutMaxGoals,
  },
  {
    name: 'fan-out-at-rate',
    title: 'fan-out at 20,000 deliveries/s, 1,000 subscribers',
    onForwarder: true,
    run: (target) => fanOutAtRate(target, 1000, 20_000),
    goals: [
      { figure: 'cpuMicrosPerDelivery', better: 'lower', mustRatio: 1.3, aimRatio: 1.6 },
      { figure: 'p50Ms', better: 'lower', mustRatio: 0.95, aimRatio: 1.3 },
    ],
  },
  {
    name: 'publish',
    title: 'server API publish, no subscribers',
    onForwarder: true,
    run: publishOnly,
    goals: [
      { figure: 'publishesPerSecond', better: 'higher', mustRatio: 1.5, aimRatio: 2.2 },
      { figure: 'p99Ms', better: 'lower', mustRatio: 1, aimRatio: 3 },
    ],
  },
  {
    name: 'own-channels',
    title: 'own channel per connection, random publishes, 1,000 connections',
    onForwarder: true,
    run: (target) => ownChannels(target, 1000),
    goals: [
      { figure: 'deliveriesPerSecond', better: 'higher', mustRatio: 1.5, aimRatio: 2 },
      { figure: 'cpuMicrosPerDelivery', better: 'lower', mustRatio: 2, aimRatio: 2.6 },
    ],
  },
  {
    name: 'neighbour',
    title: 'a 1-subscriber channel beside a 2,000-subscriber channel with 200,000 deliveries/s',
    onForwarder: true,
    run: neighbour,
    goals: [{ figure: 'p99Ms', mustAtMost: 15, aimAtMost: 8 }],
  },
  {
    name: 'idle-memory',
    title: 'memory per idle connection, 5,000 connections',
    onForwarder: true,
    run: idleMemory,
    goals: [{ figure: 'kilobytesPerConnection', mustAtMost: 14, aimAtMost: 10 }],
  },
  {
    name: 'connect',
    title: 'connect and subscribe with a token, 5,000 connections',
    onForwarder: false,
    run: connectRate,
    goals: [{ figure: 'connectsPerSecond', better: 'higher', mustRatio: 1, aimRatio: 1.3 }],
  },
  {
    name: 'reconnect-storm',
    title: 'reconnect storm with recovery, 5,000 connections at once',
    onForwarder: false,
    run: reconnectStorm,
    goals: [{ figure: 'reconnectsPerSecond', better: 'higher', mustRatio: 0.9, aimRatio: 1.4 }],
  },
];
