import type { Patch } from './subject.ts';

export const freshness = (find: string, replace: string): Patch => ({ file: 'core/freshness.ts', find, replace });
export const verdict = (find: string, replace: string): Patch => ({ file: 'core/freshness-verdict.ts', find, replace });
export const refetcher = (find: string, replace: string): Patch => ({ file: 'query/refetcher.ts', find, replace });

/** Rules taken out of the code whose absence both the model and the convergence run must notice. */
export const WITHOUT = {
  floor: freshness(
    'floor: floors?.floor ?? null, hintFloor: floors?.hint ?? null, stamp, hit',
    'floor: null, hintFloor: null, stamp, hit',
  ),
  floorAsOfTheStart: freshness(
    'answer.tick ? c.log.findLast((entry) => entry.tick <= answer.tick) : null',
    'answer.tick ? c.log.at(-1) : null',
  ),
  lookBack: freshness('bond.hit = lookBack(c, query, bond);', ''),
  hitsAtSettle: freshness('hit: old?.hit ?? 0 }', 'hit: 0 }'),
  epochs: verdict('p && p.epoch === cursor?.epoch ? p.offset : -1', 'p ? p.offset : -1'),
  firstJoinIsAGap: freshness('c.base = at.offset;', 'c.base = cursor ? at.offset : 0;'),
  unrecoveredJoinIsAGap: freshness('c.base = at.offset;', 'if (!same) c.base = at.offset;'),
  retry: refetcher(
    "      entry.failures++;\n      this.#arm(entry, 'idle');\n    }\n",
    "      entry.failures++;\n      this.#arm(entry, 'idle');\n    }\n    if (!parts) return;\n",
  ),
  watchdog: refetcher('entry.hung = true;', ''),
  forceAfterRollback: refetcher('if (failed) this.freshness.force(entry);', ''),
  handWrittenIsNotLive: verdict(' && !query.written', ''),
} as const satisfies Record<string, Patch>;
