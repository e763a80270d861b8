import type { Violation } from './oracle.ts';
import { freshness, refetcher, verdict, WITHOUT } from './patches.ts';
import type { Patch } from './subject.ts';

/** A rule taken out of the code: the model must notice. `row` is the rule's number in docs/freshness-decisions.md. */
export interface Mutant {
  readonly row: number;
  readonly rule: string;
  /** What breaks without it. */
  readonly breaks: Violation['invariant'];
  /** A scenario in which it shows soon. */
  readonly scenario: string;
  readonly patches: readonly Patch[];
}

const IS_FRESH = `function isFresh({ cursor, base }: ChannelRecord, bond: Bond): boolean {
  return reached(cursor, bond) >= Math.max(base, bond.hit);`;
const FLOOR = 'floor: floors?.floor ?? null, hintFloor: floors?.hint ?? null, stamp, hit';
const LOOK_UP = 'answer.tick ? c.log.findLast((entry) => entry.tick <= answer.tick) : null';
const CONTINUES = 'recovered ? ahead <= 0 : ahead === 0';
const HEARD = 'if (position.epoch === c.cursor?.epoch) c.known = Math.max(c.known, position.offset);';
const UNCONCERNED = 'if (!concerns(message, q)) continue;';
const MARK = 'if (due || (isLost(entry) && !active)) port.mark();';
const FIRE =
  'if (!wanted || !port.isActive() || this.#env.isAway(entry) || (port.isFetching() && !entry.hung))\n      this.#touch(entry);';

export const MUTANTS: readonly Mutant[] = [
  {
    row: 1,
    rule: 'floor',
    breaks: 'I5',
    scenario: 'no stamps at all',
    patches: [WITHOUT.floor],
  },
  {
    row: 2,
    rule: 'floor as of the start',
    breaks: 'I2',
    scenario: 'stamps time out',
    patches: [WITHOUT.floorAsOfTheStart],
  },
  {
    row: 3,
    rule: 'keep the stamp beside the floor',
    breaks: 'I3',
    scenario: 'two writes and a drop',
    patches: [freshness(FLOOR, 'floor: floors?.floor ?? null, hintFloor: floors?.hint ?? null, stamp: null, hit')],
  },
  {
    row: 3,
    rule: 'keep the floor beside the stamp',
    breaks: 'I5',
    scenario: 'another broker',
    patches: [freshness(FLOOR, 'floor: stamp ? null : (floors?.floor ?? null), hintFloor: null, stamp, hit')],
  },
  {
    row: 4,
    rule: 'no floor for cached answers',
    breaks: 'I2',
    scenario: 'cached answers',
    patches: [freshness(LOOK_UP, 'c.log.findLast((entry) => entry.tick <= (answer.tick || tick))')],
  },
  {
    row: 5,
    rule: 'proof only with its own data',
    breaks: 'I2',
    scenario: 'the app cancels',
    patches: [refetcher('if (entry.fetch !== fetch) return;', '')],
  },
  {
    row: 6,
    rule: 'hits instead of comparing with the cursor',
    breaks: 'I3',
    scenario: 'stamp and data are read apart',
    patches: [
      verdict('Math.max(base, bond.hit);', 'Math.max(base, cursor?.offset ?? 0);'),
      freshness(UNCONCERNED, 'if (!concerns(message, q)) { this.#touched(q); continue; }'),
    ],
  },
  {
    row: 7,
    rule: 'immutable stamps, no lifting',
    breaks: 'I5',
    scenario: 'stamp and data are read apart',
    patches: [
      verdict('Math.max(base, bond.hit);', 'Math.max(base, cursor?.offset ?? 0);'),
      freshness(
        UNCONCERNED,
        `if (!concerns(message, q)) {
          const lifted = q.bonds.get(c)!;
          if (reached(c.cursor, lifted) >= offset - 1) lifted.stamp = { epoch: c.cursor!.epoch, offset };
          continue;
        }`,
      ),
    ],
  },
  {
    row: 8,
    rule: 'other answers are not news',
    breaks: 'I3',
    scenario: 'two queries, one keyed write, an event',
    patches: [
      verdict(
        IS_FRESH,
        IS_FRESH.replace('cursor, base', 'cursor, base, known').replace('bond.hit)', 'bond.hit, known)'),
      ),
      freshness(HEARD, `for (const q of c.queries) this.#touched(q); ${HEARD}`),
    ],
  },
  {
    row: 9,
    rule: 'other answers do not move the cursor',
    breaks: 'I2',
    scenario: 'two queries, one keyed write, an event',
    patches: [
      freshness(
        HEARD,
        `if (position.epoch === c.cursor?.epoch && position.offset > c.cursor.offset) c.cursor = position; ${HEARD}`,
      ),
    ],
  },
  {
    row: 10,
    rule: 'late binding looks back',
    breaks: 'I2',
    scenario: 'late binding',
    patches: [WITHOUT.lookBack],
  },
  {
    row: 11,
    rule: 'hits survive a settle that began earlier',
    breaks: 'I2',
    scenario: 'two writes and a drop',
    patches: [WITHOUT.hitsAtSettle],
  },
  {
    row: 11,
    rule: '`forced` survives a settle that began earlier',
    breaks: 'I2',
    scenario: 'an own mutation without invalidation',
    patches: [freshness('if (query.forced <= left) query.forced = 0;', 'query.forced = 0;')],
  },
  {
    row: 12,
    rule: 'hits cleared on a new epoch',
    breaks: 'I5',
    scenario: 'broker restart',
    patches: [freshness('        for (const q of c.queries) q.bonds.get(c)!.hit = 0;', '')],
  },
  {
    row: 13,
    rule: 'compare epochs',
    breaks: 'I2',
    scenario: 'two broker restarts',
    patches: [WITHOUT.epochs],
  },
  {
    row: 14,
    rule: 'a first join proves nothing',
    breaks: 'I2',
    scenario: 'two writes and a drop',
    patches: [WITHOUT.firstJoinIsAGap],
  },
  {
    row: 15,
    rule: 'an unrecovered join raises base',
    breaks: 'I2',
    scenario: 'two writes and two drops, short history',
    patches: [WITHOUT.unrecoveredJoinIsAGap],
  },
  {
    row: 16,
    rule: 'an equal top continues',
    breaks: 'I3',
    scenario: 'history forgets',
    patches: [freshness(CONTINUES, 'recovered && ahead <= 0')],
  },
  {
    row: 17,
    rule: 'the recovered position is the start, no gap',
    breaks: 'I3',
    scenario: 'two queries, first join recovers',
    patches: [freshness(CONTINUES, '!recovered && ahead === 0')],
  },
  {
    row: 18,
    rule: 'join and recovered publications are one event',
    breaks: 'I2',
    scenario: 'leave and recover',
    patches: [refetcher('this.#dirty.has(entry) || isStale(entry)', 'isStale(entry)')],
  },
  {
    row: 19,
    rule: 'duplicates are ignored',
    breaks: 'I3',
    scenario: 'a doubled delivery and a drop',
    patches: [freshness('if (ahead <= 0) return;', ''), freshness('if (ahead > 1) {', 'if (ahead !== 1) {')],
  },
  {
    row: 20,
    rule: 'an offset gap raises base',
    breaks: 'I2',
    scenario: 'lost announcements and deliveries',
    patches: [freshness('c.base = offset;', '')],
  },
  {
    row: 21,
    rule: 'all channels, not any',
    breaks: 'I2',
    scenario: 'a query on two channels',
    patches: [
      verdict(
        'for (const [c, bond] of query.bonds) if (c.live && !isFresh(c, bond)) return true;\n  return false;',
        'for (const [c, bond] of query.bonds) if (!c.live || isFresh(c, bond)) return false;\n  return query.bonds.size > 0;',
      ),
    ],
  },
  {
    row: 22,
    rule: 'channels are replaced, not added',
    breaks: 'I7',
    scenario: 'a query that leaves a channel',
    patches: [freshness('if (!answers.has(c.name)) this.#unbind(query, c);', '{}')],
  },
  {
    row: 23,
    rule: 'a mutation answer sets the hit',
    breaks: 'I2',
    scenario: 'an own mutation without invalidation',
    patches: [freshness('this.#hit(c, position.offset, message, 0);', '')],
  },
  {
    row: 24,
    rule: 'a mutation answer leaves the cursor',
    breaks: 'I2',
    scenario: 'own keyed mutation, two queries',
    patches: [
      freshness(
        'this.#hit(c, position.offset, message, 0);',
        'this.#hit(c, position.offset, message, 0); c.cursor = position;',
      ),
    ],
  },
  {
    row: 25,
    rule: 'a mutation position raises known',
    breaks: 'I3',
    scenario: 'an own mutation',
    patches: [freshness('c.known = Math.max(c.known, position.offset);\n        this.#hit', 'this.#hit')],
  },
  {
    row: 26,
    rule: 'nothing to do if the echo was processed',
    breaks: 'I3',
    scenario: 'an own mutation without invalidation',
    patches: [
      freshness(
        'if (position.offset <= c.cursor.offset) continue;',
        'if (position.offset <= c.cursor.offset) { this.#forceMatching(channel, message, 0); continue; }',
      ),
    ],
  },
  {
    row: 27,
    rule: 'force without a position',
    breaks: 'I2',
    scenario: 'an own mutation without invalidation',
    patches: [
      freshness('this.#forceMatching(channel, message, 0);', 'if (position) this.#forceMatching(channel, message, 0);'),
    ],
  },
  {
    row: 27,
    rule: 'force without a joined channel',
    breaks: 'I2',
    scenario: 'an own mutation without invalidation',
    patches: [
      freshness(
        'this.#forceMatching(channel, message, 0);',
        'if (!position) this.#forceMatching(channel, message, 0);',
      ),
    ],
  },
  {
    row: 28,
    rule: 'force after a rollback',
    breaks: 'I2',
    scenario: 'an optimistic mutation',
    patches: [WITHOUT.forceAfterRollback],
  },
  {
    row: 28,
    rule: 'a hand-written entry is not live while a mutation runs',
    breaks: 'I2',
    scenario: 'an optimistic mutation',
    patches: [WITHOUT.handWrittenIsNotLive],
  },
  {
    row: 29,
    rule: 'own mutations defer',
    breaks: 'I9',
    scenario: 'an own mutation without invalidation',
    patches: [refetcher("phase !== 'deferred' && this.#env.isMutating()", 'false')],
  },
  {
    row: 30,
    rule: 'mark at unsubscribe and grace',
    breaks: 'I6',
    scenario: 'leave and come back',
    patches: [refetcher(MARK, 'if (due) port.mark();')],
  },
  {
    row: 30,
    rule: 'fetch at the end of the grace what was mounted in it',
    breaks: 'I6',
    scenario: 'mount, unmount, grace',
    patches: [refetcher('entry.undecided = entry.port.isActive() &&', 'entry.undecided = false &&')],
  },
  {
    row: 31,
    rule: 'watchdog',
    breaks: 'I1',
    scenario: 'hanging fetch',
    patches: [WITHOUT.watchdog],
  },
  {
    row: 31,
    rule: 'retry after a failure',
    breaks: 'I1',
    scenario: 'failing fetches',
    patches: [WITHOUT.retry],
  },
  {
    row: 32,
    rule: 'the timer checks again',
    breaks: 'I3',
    scenario: 'the app fetches too',
    patches: [refetcher(FIRE, 'if (!port.isActive() || this.#env.isAway(entry)) this.#touch(entry);')],
  },
  {
    row: 32,
    rule: 'hidden tabs wait',
    breaks: 'I3',
    scenario: 'hidden for a while',
    patches: [
      refetcher(FIRE, FIRE.replace(' || this.#env.isAway(entry)', '')),
      refetcher('if (!active || this.#env.isAway(entry)) {', 'if (!active) {'),
    ],
  },
  {
    row: 33,
    rule: 'back off when futile',
    breaks: 'I5',
    scenario: 'only cached answers',
    patches: [refetcher('(fetch.ours && entry.news <= fetch.tick)', 'false')],
  },
  {
    row: 33,
    rule: 'back off in a chain',
    breaks: 'I5',
    scenario: 'a channel that changes with every answer',
    patches: [refetcher('Math.max(0, entry.chain - 2)', '0')],
  },
  {
    row: 33,
    rule: 'news found by looking back came during the fetch',
    breaks: 'I5',
    scenario: 'a query that gains a channel',
    patches: [freshness('        query.news = this.tick;\n        bound = true;', '        bound = true;')],
  },
  {
    row: 33,
    rule: 'a fetch that ends fresh ends the back-off',
    breaks: 'I5',
    scenario: 'failing fetches',
    patches: [refetcher('        entry.failures = 0;\n', '')],
  },
  {
    row: 33,
    rule: 'a refusal starts no fetch',
    breaks: 'I3',
    scenario: 'refused',
    patches: [
      freshness(
        '    Object.assign(c, blank(), { lost: true, hint: place(c) ?? c.hint });',
        '    Object.assign(c, blank(), { lost: true, hint: place(c) ?? c.hint });\n    for (const q of c.queries) this.force(q);',
      ),
    ],
  },
  {
    row: 34,
    rule: 'suspect',
    breaks: 'I1',
    scenario: 'another broker',
    patches: [verdict('stamp.epoch !== c.cursor.epoch && floor?.epoch === c.cursor.epoch', 'false')],
  },
  {
    row: 35,
    rule: 'a drop uncovers',
    breaks: 'I2',
    scenario: 'two writes and a drop',
    patches: [freshness('c.live = false;', '')],
  },
  {
    row: 37,
    rule: '`since` is the lowest stamp',
    breaks: 'I3',
    scenario: 'two queries, first join recovers',
    patches: [freshness('stamp.offset < lowest.offset', 'stamp.offset > lowest.offset')],
  },
];

const ARM = 'if (!pending || this.#env.clock.now() + delayMs < entry.dueMs) this.#arm(';

/** Rules that guard I4: without each, steady pushes keep new data off the screen for as long as they last. Found by the timed model. */
export const TIMED_MUTANTS: readonly Pick<Mutant, 'row' | 'rule' | 'patches'>[] = [
  {
    row: 29,
    rule: 'the deferral is bounded',
    patches: [refetcher("phase !== 'deferred' && this.#env.isMutating()", 'this.#env.isMutating()')],
  },
  {
    row: 38,
    rule: 'the window is fixed by the first news',
    patches: [refetcher(ARM, 'this.#arm(')],
  },
  {
    row: 38,
    rule: 'never cancel for a push',
    patches: [
      refetcher('} else if (!port.isFetching() || entry.hung) {', '} else {'),
      refetcher(' || (port.isFetching() && !entry.hung)', ''),
      refetcher('port.fetch(entry.hung);', 'port.fetch(true);'),
    ],
  },
  {
    row: 38,
    rule: 'a slot is drawn once',
    patches: [refetcher(ARM, 'if (!pending || spreadMs) this.#arm(')],
  },
];
