import { freshness, verdict, WITHOUT } from '../model/patches.ts';
import type { Patch } from '../model/subject.ts';

/** A rule taken out of the code. */
export interface Mutant {
  readonly name: string;
  /** What a user would have. */
  readonly effect: string;
  readonly patches: readonly Patch[];
  /** A seed in which it shows, where that takes a coincidence. @default the first of the run */
  readonly seed?: number;
}

const patch = (file: string, find: string, replace: string): Patch => ({ file, find, replace });

/** Faults in every part of the way from a commit to a screen. Each must be noticed within a few seeds. */
export const MUTANTS: readonly Mutant[] = [
  {
    name: 'unrecovered-join-is-no-gap',
    effect: 'what was missed while disconnected stays missing',
    patches: [WITHOUT.unrecoveredJoinIsAGap],
  },
  {
    name: 'first-join-is-no-gap',
    effect: 'what was written between the fetch and the subscription stays missing',
    patches: [WITHOUT.firstJoinIsAGap],
  },
  {
    name: 'every-join-counts-as-recovered',
    effect: 'what was missed while disconnected stays missing',
    patches: [
      patch(
        'client/centrifuge-transport.ts',
        'return { position, recovered, wasRecovering };',
        'return { position, recovered: true, wasRecovering };',
      ),
      freshness('recovered ? ahead <= 0 : ahead === 0', 'recovered || ahead === 0'),
    ],
  },
  {
    name: 'epochs-not-compared',
    effect: 'after a restart of the broker, high offsets of the old stream prove anything',
    patches: [WITHOUT.epochs],
  },
  {
    name: 'hit-forgotten-at-settle',
    effect: 'news during a fetch is lost',
    patches: [WITHOUT.hitsAtSettle],
  },
  {
    name: 'late-binding-does-not-look-back',
    effect: 'news before the first answer is lost',
    patches: [WITHOUT.lookBack],
  },
  {
    name: 'floor-as-of-the-answer',
    effect: 'data is called newer than it is',
    patches: [WITHOUT.floorAsOfTheStart],
  },
  {
    name: 'floors-ignored',
    effect: 'data without a known stamp is never proved',
    patches: [WITHOUT.floor],
  },
  {
    name: 'every-seventh-publication-lost',
    effect: 'the client loses publications',
    patches: [
      patch(
        'client/channel-record.ts',
        'if (!this.isCovered) return;\n    const { offset } = from;',
        'if (!this.isCovered) return;\n    const { offset } = from;\n    if (((this as { seen?: number }).seen = ((this as { seen?: number }).seen ?? 0) + 1) % 7 === 0) return;',
      ),
    ],
  },
  {
    name: 'drop-does-not-uncover',
    effect: 'live without a connection',
    patches: [freshness('    c.live = false;\n    this.#touchAll(c);', '    this.#touchAll(c);')],
  },
  {
    name: 'no-retry-after-a-failure',
    effect: 'one failed refetch ends freshness',
    patches: [WITHOUT.retry],
  },
  {
    name: 'no-watchdog',
    effect: 'a request that hangs is waited for, for ever',
    patches: [WITHOUT.watchdog],
  },
  {
    name: 'no-force-after-a-rollback',
    effect: 'the snapshot that `onError` restores is called live',
    patches: [WITHOUT.forceAfterRollback],
  },
  {
    name: 'optimistic-is-live',
    effect: 'what was never committed is called live',
    patches: [WITHOUT.handWrittenIsNotLive],
  },
  {
    name: 'own-answer-ignored',
    effect: 'between the answer and the echo the own write is missing',
    patches: [freshness('of announcements) {', 'of announcements.slice(0, 0)) {')],
  },
  {
    name: 'stamps-move-the-cursor',
    effect: 'a publication that a stamp of another query knew of is taken for a duplicate',
    patches: [
      freshness(
        'if (position.epoch === c.cursor?.epoch) c.known = Math.max(c.known, position.offset);',
        'if (position.epoch === c.cursor?.epoch) { c.known = Math.max(c.known, position.offset); if (position.offset > c.cursor.offset) c.cursor = position; }',
      ),
    ],
  },
  {
    name: 'any-channel-is-enough',
    effect: 'one fresh channel hides another',
    patches: [
      verdict(
        'for (const [c, bond] of query.bonds) if (c.live && !isFresh(c, bond)) return true;\n  return false;',
        'let stale = query.bonds.size > 0;\n  for (const [c, bond] of query.bonds) if (!c.live || isFresh(c, bond)) stale = false;\n  return stale;',
      ),
    ],
  },
  {
    name: 'grants-ignored',
    effect: 'permission that came with an answer is not used',
    patches: [patch('query/binding.ts', 'if (grant !== null) this.#manager.addGrant({ channel, token: grant });', ';')],
  },
  {
    name: 'a-clock-that-was-set-decides-about-grants',
    effect: 'a tab whose only grants come with answers never joins again',
    patches: [patch('client/grant-book.ts', 'fault === EXPIRED && !this.canRequest', 'false')],
    seed: 24,
  },
  {
    name: 'stamps-read-after-the-data',
    effect: 'data is called newer than it is, by the server',
    patches: [
      patch(
        'trpc/server/call-runner.ts',
        'const stamps = isNested || !call.allowsStamps ? NO_STAMPS : await reader.stamps(call, channels);\n    reader.starts(call);\n    const result = await next();',
        'const result = await next();\n    const stamps = await reader.stamps(call, channels);',
      ),
    ],
  },
  {
    name: 'published-before-the-commit',
    effect: 'others refetch what is not there yet',
    patches: [
      patch(
        'trpc/server/init-realtime.ts',
        '        const result = await next();\n        if (!result.ok) return result;\n        const parsed',
        '        await runner.early(call, parseTouches(await touched({ ctx, input })), path);\n        const result = await next();\n        if (result.ok) return result;\n        const parsed',
      ),
      patch(
        'trpc/server/call-runner.ts',
        'const published = touched.length',
        'const published = call.early ? call.early : touched.length',
      ),
      patch(
        'trpc/server/call-runner.ts',
        '  #toWatchedChannels(call: ProcedureCall,',
        '  async early(call, touched, path) {\n    call.early = await this.#options.publisher.publish(touched, path);\n  }\n  #toWatchedChannels(call: ProcedureCall,',
      ),
    ],
  },
  {
    name: 'left-channel-stays-live',
    effect: 'a query that is mounted again relies on a channel that was left',
    patches: [
      patch(
        'query/channel-joins.ts',
        '    this.subscriptions.delete(name);\n    this.#streams.unsubscribed(name);',
        '    this.subscriptions.delete(name);',
      ),
    ],
  },
  {
    name: 'channels-left-while-used',
    effect: 'the leave grace of an earlier use ends the channel of a later one',
    patches: [patch('query/channel-joins.ts', '      join.stay();\n      join.uses++;', '      join.uses++;')],
  },
  {
    name: 'hidden-tabs-forget',
    effect: 'a tab that is shown again is not looked after',
    patches: [
      patch(
        'query/page.ts',
        'ends.push(focus.subscribe(returned), network.subscribe(returned), () => {',
        'ends.push(network.subscribe(returned), () => {',
      ),
    ],
  },
];

/** Rules whose absence this run cannot notice: why, and what guards them instead. */
export const UNSEEN: readonly { readonly rule: string; readonly why: string; readonly guard: string }[] = [
  {
    rule: 'an expired grant is renewed by asking for it',
    why: 'the channel is polled then, and the next answer brings a grant',
    guard: 'client/real-broker.test.ts',
  },
  {
    rule: 'the answer to an own mutation leaves the cursor',
    why: 'announcements name whole channels here, so the own write refetches what the swallowed publication would have',
    guard: 'model, row 24',
  },
  {
    rule: 'a proof only with its own data',
    why: 'TanStack Query drops the late answer of a fetch that it cancelled',
    guard: 'model, row 5',
  },
  {
    rule: 'suspect; no floor for cached answers',
    why: 'there is one broker, and no HTTP cache',
    guard: 'model, rows 34 and 4',
  },
  {
    rule: 'hits, immutable stamps, stamp beside floor, equal tops, duplicates, `since`, deferral, windows, slots, back-off',
    why: 'they save requests; without them the data is as true',
    guard: 'model, rows 3, 6–8, 16, 17, 19, 22, 25, 26, 29, 32, 33, 37, 38',
  },
];
