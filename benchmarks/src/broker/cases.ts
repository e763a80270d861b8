import type { BrokerCase } from './case.ts';
import { randomChannels } from './cases/channels.ts';
import { connectAtOnce, connectRate, reconnectStorm } from './cases/connect.ts';
import { fanOutAtRate, fanOutMax } from './cases/fan-out.ts';
import { idleMemory } from './cases/idle-memory.ts';
import { neighbour } from './cases/neighbour.ts';
import { publishOnly } from './cases/publish.ts';
import { warmUpGenerator } from './warm-up.ts';

/** The rows of the work order's table, in its order. */
export const BROKER_CASES: readonly BrokerCase[] = [
  ...[1000, 5000].map(
    (subscribers): BrokerCase => ({
      name: `fan-out-max-${subscribers}`,
      title: `fan-out as fast as it goes, ${subscribers.toLocaleString('en')} subscribers`,
      onForwarder: true,
      run: (target) => fanOutMax(target, subscribers),
      goals: [
        { figure: 'deliveriesPerSecond', better: 'higher', mustRatio: 3, aimRatio: 4.5 },
        { figure: 'cpuMicrosPerDelivery', mustAtMost: 2, aimAtMost: 1.2 },
      ],
    }),
  ),
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
    run: (target) => randomChannels(target, 1000, 1000),
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
    name: 'connect-at-once',
    title: 'connect and subscribe with a token, 5,000 connections, the moment the server is started',
    onForwarder: false,
    prepare: warmUpGenerator,
    run: connectAtOnce,
    goals: [],
  },
  {
    name: 'reconnect-storm',
    title: 'reconnect storm with recovery, 5,000 connections at once',
    onForwarder: false,
    run: reconnectStorm,
    goals: [{ figure: 'reconnectsPerSecond', better: 'higher', mustRatio: 0.9, aimRatio: 1.4 }],
  },
];
