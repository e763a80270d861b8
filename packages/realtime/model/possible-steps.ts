import type { Fault } from './scenario.ts';
import type { Step, StepKind } from './step.ts';
import { DELAY, type Tab } from './tab.ts';
import type { World } from './world.ts';

/** What can happen next in the world. */
export function possibleSteps(world: World): Step[] {
  const { scenario, budget } = world;
  const steps: Step[] = [];
  const add = (kind: StepKind, tab = 0, item = 0) => steps.push({ do: kind, tab, item });
  const may = (fault: Fault, tab = 0, item = 0) => budget[fault] > 0 && add(fault, tab, item);
  for (const [w, write] of world.writes.entries()) {
    const spec = scenario.writes[w]!;
    const own = spec.tab ?? -1;
    if (write.stage === 'new') {
      if (own < 0) add('commit', 0, w);
      else if (write.mutation === 'none') add('mutate', own, w);
      else if (write.mutation === 'running') {
        add('commit', own, w);
        may('mutationFails', own, w);
      }
    } else if (write.stage === 'committed') {
      for (let b = 0; b < (scenario.split === 'alternating' ? 2 : 1); b++) add('publish', b, w);
      may('publishLost', 0, w);
    } else if (write.mutation === 'running') {
      add('mutationAnswer', own, w);
      may('positionLost', own, w);
    }
    if (write.mutation === 'running' && write.stage !== 'new') may('mutationAnswerLost', own, w);
  }
  for (let b = 0; b < world.brokers.length; b++) may('restart', b);
  for (const [t, tab] of world.tabs.entries()) tabSteps(world, tab, t, add, may);
  return steps;
}

function tabSteps(
  world: World,
  tab: Tab,
  t: number,
  add: (kind: StepKind, tab: number, item?: number) => void,
  may: (fault: Fault, tab: number, item?: number) => void,
): void {
  const { scenario } = world;
  if (tab.connected) {
    may('drop', t);
    for (const [c, sub] of tab.subs.entries()) {
      if (sub.asked) {
        if (sub.live && !tab.queries.some((q) => q.active && q.channels.includes(c))) may('leave', t, c);
        if (isBehind(world, tab, c)) add('positionCheck', t, c);
      } else if (!sub.refused && tab.refetcher.freshness.channels.get(`c${c}`)?.queries.size) {
        if (tab.queries.some((q) => q.active && q.channels.includes(c)) || !scenario.faults?.leave) {
          add('subscribe', t, c);
          may('refuse', t, c);
        }
      }
    }
    const head = tab.socket[0];
    if (head) {
      add('deliver', t);
      if (head.kind === 'publication') {
        may('deliveryLost', t);
        may('deliveryDoubled', t);
      }
    }
  } else {
    add('connect', t);
    may('forget', t);
  }
  for (const [i, request] of tab.requests.entries()) {
    if (request.hung) continue;
    if (request.stage === 'read') {
      add('answer', t, i);
      if (!request.abandoned) {
        may('fetchFails', t, i);
        if (request.query.body) may('cached', t, i);
      }
    } else {
      const last = scenario.split === 'alternating' ? 2 : 1;
      for (let b = 0; b < last; b++)
        add(scenario.slowRead && request.stage === 'sent' ? 'readStamp' : 'read', t, i + b * 64);
      if (request.stage === 'sent') may('stampTimeout', t, i);
      if (!request.abandoned) may('fetchHangs', t, i);
    }
  }
  for (const [i, timer] of tab.timers.entries()) {
    if (timer.delayMs === DELAY.grace) may('grace', t, i);
    else if (
      timer.delayMs === DELAY.watchdog ? timer.owner?.hung : timer.delayMs < DELAY.grace || timer.delayMs >= 1000
    )
      add('fire', t, i);
  }
  for (const [q, query] of tab.queries.entries()) {
    if (query.removed) continue;
    if (query.active) may('unmount', t, q);
    else may('mount', t, q);
    if (query.current && !query.current.hung && query.data !== null) may('fetchCancelled', t, q);
    if (query.active && !query.current) may('appFetch', t, q);
    may('remove', t, q);
  }
  if (tab.hidden) add('show', t);
  else may('hide', t);
}

/** The broker compares what it sent with the top of the stream, now and then. */
function isBehind(world: World, tab: Tab, channel: number): boolean {
  const { live, position } = tab.subs[channel]!;
  const top = world.socketBroker.top(channel);
  return live && position!.offset < top.offset && !tab.socket.some((delivery) => delivery.channel === channel);
}
