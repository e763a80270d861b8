import type { StepKind } from './step.ts';
import type { QueryModel, Tab } from './tab.ts';
import type { World } from './world.ts';

/** Steps of a mutation that the app in the tab runs: it begins, is answered, fails, or its answer is lost. */
export function takeMutationStep(world: World, kind: StepKind, tab: Tab, w: number): void {
  const write = world.writes[w]!;
  const spec = world.scenario.writes[w]!;
  const { refetcher } = tab;
  const mine = tab.queries.filter((query) => world.reads(query, w));
  if (kind === 'mutate') {
    write.mutation = 'running';
    tab.mutations++;
    if (!spec.optimistic) return;
    for (const query of mine) {
      if (query.data === null) continue;
      write.snapshots.push([query, query.data]);
      writeByHand(tab, query, query.data | (1 << w));
    }
    return;
  }
  write.mutation = 'ended';
  if (kind === 'mutationFails' || kind === 'mutationAnswerLost') {
    if (kind === 'mutationFails') write.stage = 'unannounced';
    for (const [query, data] of write.snapshots) if (!query.removed) writeByHand(tab, query, data);
    tab.mutations--;
    for (const query of tab.queries) if (query.layered) force(query);
    refetcher.mutationEnded(true);
  } else {
    const position = kind === 'positionLost' ? null : write.position;
    const oracle = tab.oracles[spec.channel]!;
    const usable = position && position.epoch === oracle.epoch;
    tab.acknowledged |= 1 << w;
    tab.told |= 1 << w;
    if (position && refetcher.freshness.channels.has(`c${spec.channel}`)) oracle.hear(position);
    if (usable && position.offset > oracle.cursor) oracle.tell(position, w);
    if (!usable || (position.offset > oracle.cursor && !tab.subs[spec.channel]!.live))
      // A running fetch may bind the query to any channel; until it answers, all news without a position may concern it.
      for (const query of tab.queries)
        if (mine.includes(query) || (query.current && (spec.message === 'channel' || spec.kind === query.spec.kind)))
          force(query);
    refetcher.freshness.acknowledged([{ channel: `c${spec.channel}`, position, message: write.message }]);
    if (spec.invalidates) for (const query of mine) if (query.active) query.begin(false);
    tab.mutations--;
    refetcher.mutationEnded(false);
  }
  if (!tab.mutations) for (const query of tab.queries) query.layered = false;
}

function writeByHand(tab: Tab, query: QueryModel, data: number): void {
  query.data = data;
  query.marked = false;
  query.layered = true;
  tab.refetcher.written(query.entry);
}

function force(query: QueryModel): void {
  if (!query.channels.length && !query.current) return;
  query.forced = true;
  if (query.current) query.current.forced = true;
}
