import type { Phase } from '../src/query/entry.ts';
import { epochNumber } from './broker.ts';
import type { QueryModel, Tab } from './tab.ts';
import type { World } from './world.ts';

/** I2, I5 and I7 hold at every moment. */
export function checkTab(world: World, tab: Tab): void {
  for (const query of tab.queries) {
    const { entry } = query;
    if (!tab.unhealthy && (entry.failures > 0 || entry.chain > 2)) tab.fail('I5', 'a healthy query is in back-off');
    if (query.data !== null && query.current === null && entry.bonds.size !== query.channels.length)
      tab.fail('I7', 'bound to channels that its answer did not name');
    checkGrace(tab, query);
    if (tab.refetcher.status(entry) !== 'live') continue;
    if (query.data! & ~world.database) tab.fail('I2', 'live with a write that is not committed');
    if (!tab.connected) tab.fail('I2', 'live without a connection');
    for (let w = 0; w < world.writes.length; w++) {
      if (query.data! & (1 << w) || !world.concerns(query, w)) continue;
      if (tab.told & (1 << w)) tab.fail('I2', `live without write ${w}, which the tab was told of`);
      else if (precedes(world, query, w)) tab.fail('I2', `live without write ${w}, which precedes the cursor`);
    }
  }
}

/** Nobody knows whether what was mounted in the grace is still true. Once the channel is lost a fetch must be on its way. */
function checkGrace(tab: Tab, query: QueryModel): void {
  if (!query.undecided) return;
  if (query.channels.every((c) => tab.subs[c]!.live)) query.undecided = false;
  else if (query.isLost() && query.active && !tab.hidden && !query.current && IDLE.has(query.entry.phase))
    tab.fail('I6', 'mounted in the grace of a channel that was lost, and left as it is');
}

function precedes(world: World, { entry }: QueryModel, w: number): boolean {
  const { position, stage } = world.writes[w]!;
  if (!position || stage !== 'announced') return false;
  for (const { name, cursor } of entry.bonds.keys()) {
    if (name !== `c${world.scenario.writes[w]!.channel}` || !cursor) continue;
    if (cursor.epoch === position.epoch) return position.offset <= cursor.offset;
    return !world.scenario.split && epochNumber(position.epoch) < epochNumber(cursor.epoch);
  }
  return false;
}

/** I1, I5 and I8, which hold when nothing is left to happen. */
export function checkQuiet(world: World): void {
  for (const tab of world.tabs) {
    if (tab.hidden || !tab.connected) continue;
    for (const query of tab.queries) {
      if (!query.active || query.data === null) continue;
      const status = tab.refetcher.status(query.entry);
      const refused = query.channels.some((c) => tab.subs[c]!.refused);
      if (status !== 'live' && status !== 'suspect' && !refused) tab.fail('I1', `quiet, and ${status}`);
      for (let w = 0; w < world.writes.length; w++) {
        if (query.data & (1 << w) || !world.concerns(query, w)) continue;
        // Where the API alternates between brokers, what only the other one announced cannot be known.
        const { stage, broker } = world.writes[w]!;
        const audible = world.scenario.split !== 'alternating' || world.brokers[broker] === world.socketBroker;
        if (stage === 'announced' && status === 'live' && audible)
          tab.fail('I1', `quiet, without the announced write ${w}`);
        if (tab.acknowledged & (1 << w) && !world.scenario.alwaysCached)
          tab.fail('I8', `quiet, without its own write ${w}`);
      }
    }
  }
}

const IDLE: ReadonlySet<Phase> = new Set<Phase>(['idle', 'polling']);
