import type { Kind } from './killed-process.ts';

export interface KillResult {
  rounds: number;
  commits: number;
  rollbacks: number;
  /** Mutations that a kill left without an answer; the database says what became of them. */
  unanswered: number;
  readonly kills: Record<Kind, number>;
  /** Committed announcements that the broker confirmed. */
  accepted: number;
  /** Confirmed once more, under the same key: after a kill between publishing and deleting. */
  acceptedAgain: number;
  /** Publications that arrived in tabs. */
  deliveries: number;
  /** Of these, such as the tab had already. */
  duplicates: number;
  /** Publications that a tab did not get because the broker had died; it knew, and fetched anew. */
  rejoined: number;
  losses: number;
  /** What must not be; empty if all is well. */
  readonly violations: string[];
}

export function newKillResult(): KillResult {
  return {
    rounds: 0,
    commits: 0,
    rollbacks: 0,
    unanswered: 0,
    kills: { app: 0, relay: 0, broker: 0 },
    accepted: 0,
    acceptedAgain: 0,
    deliveries: 0,
    duplicates: 0,
    rejoined: 0,
    losses: 0,
    violations: [],
  };
}

/** The counts in a line. */
export function describeKills(result: KillResult): string {
  const {
    rounds,
    commits,
    rollbacks,
    unanswered,
    kills,
    accepted,
    acceptedAgain,
    deliveries,
    duplicates,
    rejoined,
    losses,
  } = result;
  return `${rounds} rounds, ${kills.app + kills.relay + kills.broker} kills (app ${kills.app}, relay ${kills.relay}, broker ${kills.broker}): ${commits} commits, ${rollbacks} rollbacks (${unanswered} unanswered), ${accepted} accepted (${acceptedAgain} again), ${deliveries} deliveries, ${duplicates} duplicates, ${rejoined} rejoined unrecovered, losses ${losses}`;
}
