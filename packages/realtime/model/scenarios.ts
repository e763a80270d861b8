import type { QuerySpec, Scenario, WriteSpec } from './scenario.ts';

const on = (...channels: number[]): QuerySpec => ({ kind: 0, channels: () => channels });
const other: QuerySpec = { kind: 1, channels: () => [0] };
const inactive: QuerySpec = { ...on(0), active: false };
const one: readonly QuerySpec[] = [on(0)];
const two: readonly QuerySpec[] = [on(0), other];

const all: WriteSpec = { channel: 0, message: 'channel' };
const keyed: WriteSpec = { channel: 0, message: 'key', kind: 0 };
const keyed1: WriteSpec = { channel: 0, message: 'key', kind: 1 };
const event: WriteSpec = { channel: 0, message: 'event' };
const own: WriteSpec = { ...all, tab: 0 };

const base = { channels: 1, history: 2, tabs: [one], writes: [all] } as const;

/**
 * The small worlds that are searched. Together they contain every event of the rules; each stays small enough to be searched to its end, or far.
 */
export const SCENARIOS: readonly Scenario[] = [
  { ...base, name: 'two writes and a drop', writes: [all, all], faults: { drop: 1 } },
  { ...base, name: 'two writes and two drops, short history', history: 1, writes: [all, all], faults: { drop: 2 } },
  { ...base, name: 'stamps time out', writes: [all, all], faults: { stampTimeout: 2, drop: 1 } },
  { ...base, name: 'no stamps at all', noStamps: true, writes: [all, all], faults: { drop: 1 } },
  {
    ...base,
    name: 'stamp and data are read apart',
    slowRead: true,
    writes: [all, event],
    faults: { stampTimeout: 1, drop: 1 },
  },
  { ...base, name: 'broker restart', writes: [all, all], faults: { restart: 1, stampTimeout: 1 } },
  { ...base, name: 'two broker restarts', writes: [all], faults: { restart: 2, stampTimeout: 1 } },
  { ...base, name: 'restart and drop with events', writes: [all, event], faults: { restart: 1, drop: 1 } },
  {
    ...base,
    name: 'two queries, one keyed write, an event',
    tabs: [two],
    writes: [keyed, event],
    faults: { stampTimeout: 1 },
  },
  {
    ...base,
    name: 'two queries, two keyed writes, a drop',
    tabs: [two],
    writes: [keyed, keyed1],
    faults: { drop: 1 },
  },
  {
    ...base,
    name: 'two queries, first join recovers',
    since: true,
    tabs: [two],
    writes: [keyed, event],
    faults: { drop: 1 },
  },
  {
    ...base,
    name: 'first join recovers, short history',
    since: true,
    history: 1,
    writes: [all, all],
    faults: { stampTimeout: 1 },
  },
  { ...base, name: 'history forgets', writes: [all, event], faults: { forget: 1, drop: 1 } },
  {
    ...base,
    name: 'lost announcements and deliveries',
    writes: [all, all, event],
    faults: { publishLost: 1, deliveryLost: 1 },
  },
  {
    ...base,
    name: 'a lost delivery, two queries',
    tabs: [two],
    writes: [keyed, event],
    faults: { deliveryLost: 1, stampTimeout: 1 },
  },
  { ...base, name: 'a doubled delivery', writes: [all, all], faults: { deliveryDoubled: 1, stampTimeout: 1 } },
  { ...base, name: 'a doubled delivery and a drop', writes: [all, event], faults: { deliveryDoubled: 1, drop: 1 } },
  { ...base, name: 'failing fetches', writes: [all, all], faults: { fetchFails: 2 } },
  { ...base, name: 'hanging fetch', writes: [all], faults: { fetchHangs: 1, drop: 1 } },
  { ...base, name: 'the app cancels', slowRead: true, writes: [all, all], faults: { fetchCancelled: 1, appFetch: 1 } },
  { ...base, name: 'the app fetches too', writes: [all, all], faults: { appFetch: 2 } },
  { ...base, name: 'cached answers', writes: [all, all], faults: { cached: 2, appFetch: 1 } },
  { ...base, name: 'only cached answers', alwaysCached: true, backsOff: true, writes: [all], maxStates: 2_000 },
  { ...base, name: 'mount, unmount, grace', writes: [all], faults: { drop: 1, unmount: 1, mount: 1, grace: 2 } },
  {
    ...base,
    name: 'mounted later',
    tabs: [[inactive]],
    writes: [all, all],
    faults: { mount: 1, unmount: 1, drop: 1, grace: 1 },
  },
  { ...base, name: 'leave and recover', since: true, writes: [all], faults: { unmount: 1, mount: 1, leave: 1 } },
  {
    ...base,
    name: 'leave and come back',
    tabs: [one],
    writes: [all, event],
    faults: { unmount: 1, mount: 1, leave: 1, grace: 1 },
  },
  {
    ...base,
    name: 'leave and come back, two queries',
    tabs: [[on(0), { ...other, active: false }]],
    writes: [all],
    faults: { unmount: 2, mount: 2, leave: 1 },
  },
  { ...base, name: 'hidden for a while', writes: [all, all], faults: { hide: 1, drop: 1 } },
  { ...base, name: 'removed and created anew', writes: [all, all], faults: { remove: 1, stampTimeout: 1 } },
  { ...base, name: 'refused', writes: [all], faults: { refuse: 1, appFetch: 1 } },
  {
    ...base,
    name: 'an own mutation',
    writes: [{ ...own, invalidates: true }, all],
    faults: { positionLost: 1, stampTimeout: 1 },
  },
  {
    ...base,
    name: 'an own mutation without invalidation',
    writes: [own, event],
    faults: { publishLost: 1, positionLost: 1, drop: 1 },
  },
  {
    ...base,
    name: 'an own mutation and a restart',
    writes: [own],
    faults: { restart: 1, stampTimeout: 1, positionLost: 1 },
  },
  {
    ...base,
    name: 'an optimistic mutation',
    writes: [{ ...own, optimistic: true }, all],
    faults: { mutationFails: 1, mutationAnswerLost: 1, appFetch: 1 },
  },
  {
    ...base,
    name: 'two own mutations',
    writes: [
      { ...own, optimistic: true },
      { ...own, invalidates: true },
    ],
    faults: { mutationFails: 1, mutationAnswerLost: 1 },
  },
  { ...base, name: 'own keyed mutation, two queries', tabs: [two], writes: [{ ...keyed, tab: 0 }, keyed1] },
  {
    ...base,
    name: 'a query on two channels',
    channels: 2,
    tabs: [[on(0, 1)]],
    writes: [all, { ...all, channel: 1 }],
    faults: { drop: 1 },
  },
  {
    ...base,
    name: 'a query that moves to another channel',
    backsOff: true,
    channels: 2,
    tabs: [[{ kind: 0, channels: (n) => [n % 2] }]],
    writes: [all, { ...all, channel: 1 }],
    faults: { appFetch: 1, stampTimeout: 1 },
  },
  {
    ...base,
    name: 'a query that gains a channel',
    channels: 2,
    tabs: [
      [
        { kind: 0, channels: (n) => (n ? [0, 1] : [0]) },
        { kind: 1, channels: () => [1] },
      ],
    ],
    writes: [all, { channel: 1, message: 'key', kind: 0 }],
  },
  {
    ...base,
    name: 'a query that leaves a channel',
    channels: 2,
    tabs: [[{ kind: 0, channels: (n) => (n ? [0] : [0, 1]) }]],
    writes: [
      { ...event, channel: 0 },
      { ...event, channel: 1 },
    ],
    faults: { appFetch: 1, deliveryLost: 1 },
  },
  {
    ...base,
    name: 'a channel that changes with every answer',
    channels: 8,
    tabs: [[{ kind: 0, channels: (n) => [n % 8] }]],
    noStamps: true,
    backsOff: true,
    writes: [],
    maxStates: 2_000,
  },
  { ...base, name: 'late binding', channels: 1, tabs: [two], writes: [keyed, event], faults: { stampTimeout: 2 } },
  { ...base, name: 'another broker', split: 'fixed', writes: [all, all], faults: { drop: 1 } },
  { ...base, name: 'alternating brokers', split: 'alternating', writes: [all], faults: { drop: 1, stampTimeout: 1 } },
  {
    ...base,
    name: 'two tabs',
    tabs: [one, one],
    writes: [{ ...own, optimistic: true }, all],
    faults: { mutationFails: 1 },
  },
];

const everything = {
  drop: 2,
  restart: 1,
  stampTimeout: 3,
  publishLost: 1,
  deliveryLost: 1,
  deliveryDoubled: 2,
  fetchFails: 2,
  fetchHangs: 1,
  fetchCancelled: 1,
  cached: 1,
  unmount: 2,
  mount: 2,
  hide: 2,
  leave: 1,
  grace: 3,
  remove: 1,
  positionLost: 1,
  mutationFails: 1,
  mutationAnswerLost: 1,
  appFetch: 2,
} as const;

/** Worlds that are too large to search; random walks go through them. */
export const LARGE: readonly Scenario[] = [
  {
    name: 'everything at once',
    channels: 2,
    history: 2,
    tabs: [
      [on(0), other, { kind: 2, channels: () => [0, 1] }],
      [on(1), { ...other, active: false }, { kind: 2, channels: (n) => [n % 2] }],
    ],
    writes: [
      { ...own, optimistic: true },
      { ...keyed, tab: 1, invalidates: true },
      { channel: 1, message: 'key', kind: 2 },
      all,
      { channel: 1, message: 'channel' },
      event,
    ],
    faults: everything,
    backsOff: true,
  },
  {
    name: 'everything but what excuses a back-off',
    channels: 2,
    history: 1,
    since: true,
    tabs: [
      [on(0), other, { kind: 2, channels: () => [0, 1] }],
      [on(1), { ...other, active: false }],
    ],
    writes: [
      { ...own, optimistic: true },
      { ...own, channel: 1 },
      keyed,
      { channel: 1, message: 'key', kind: 2 },
      event,
    ],
    faults: { ...everything, fetchFails: 0, fetchHangs: 0, fetchCancelled: 0, cached: 0 },
  },
];

const far = { ...base, maxStates: 900_000 } as const;

/** Worlds that only `pnpm model` searches, each as far as its bound. */
export const WIDE: readonly Scenario[] = [
  {
    ...far,
    name: 'wide: three writes, a drop, a restart',
    writes: [all, all, event],
    faults: { drop: 1, restart: 1, stampTimeout: 2 },
  },
  {
    ...far,
    name: 'wide: two queries, three writes',
    tabs: [two],
    writes: [keyed, keyed1, event],
    faults: { drop: 1, stampTimeout: 1 },
  },
  {
    ...far,
    name: 'wide: two tabs',
    tabs: [one, one],
    writes: [{ ...own, optimistic: true }, all],
    faults: { mutationFails: 1, drop: 1 },
  },
  {
    ...far,
    name: 'wide: two tabs, restart',
    tabs: [one, one],
    writes: [own, keyed],
    faults: { restart: 1, stampTimeout: 1, positionLost: 1 },
  },
  {
    ...far,
    name: 'wide: two channels',
    channels: 2,
    tabs: [[on(0, 1), on(0)]],
    writes: [all, { ...all, channel: 1 }],
    faults: { drop: 1, stampTimeout: 1 },
  },
  {
    ...far,
    name: 'wide: own mutation and everything about it',
    writes: [{ ...own, optimistic: true, invalidates: true }, keyed],
    faults: { drop: 1, restart: 1, positionLost: 1, mutationFails: 1, mutationAnswerLost: 1, stampTimeout: 1 },
  },
  {
    ...far,
    name: 'wide: two own mutations and a drop',
    writes: [{ ...own, optimistic: true }, { ...own, invalidates: true }, event],
    faults: { mutationFails: 1, drop: 1, stampTimeout: 1 },
  },
  {
    ...far,
    name: 'wide: used and unused',
    tabs: [two],
    writes: [keyed, all],
    faults: { unmount: 2, mount: 2, grace: 2, drop: 1, leave: 1 },
  },
  {
    ...far,
    name: 'wide: hidden, removed, failing',
    writes: [all, all],
    faults: { hide: 1, remove: 1, fetchFails: 1, drop: 1, stampTimeout: 1 },
  },
  {
    ...far,
    name: 'wide: hung and cancelled',
    writes: [all, all],
    slowRead: true,
    faults: { fetchHangs: 1, fetchCancelled: 1, fetchFails: 1, drop: 1, appFetch: 1 },
  },
  {
    ...far,
    name: 'wide: caches and losses',
    writes: [all, all, event],
    faults: { cached: 2, deliveryLost: 1, deliveryDoubled: 1, publishLost: 1, stampTimeout: 1 },
  },
  {
    ...far,
    name: 'wide: first joins recover',
    since: true,
    tabs: [two],
    writes: [keyed, all, event],
    faults: { drop: 1, remove: 1, stampTimeout: 1 },
  },
  {
    ...far,
    name: 'wide: brokers take turns',
    split: 'alternating',
    tabs: [two],
    writes: [all, keyed],
    faults: { drop: 1, restart: 1, stampTimeout: 1 },
  },
];
