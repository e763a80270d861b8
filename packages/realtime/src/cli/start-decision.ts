/** What answers on the port: nothing, a broker that accepts our API key, or somebody else. */
export type PortFinding = 'free' | 'ours' | 'foreign';
/** What the state file says: nothing, a broker that still runs, or one that is gone. */
export type Remembered = 'nothing' | 'running' | 'gone';

export type StartDecision =
  /** Nothing is there: start. */
  | 'start'
  /** It answers: say so. */
  | 'running'
  /** Somebody started it and it does not answer yet: wait for it. */
  | 'wait'
  /** Ours, but it does not accept this file's API key: it was started with other settings. */
  | 'other-settings'
  /** Somebody else has the port. */
  | 'taken';

/** What `dev` does, for everything it can find. What answers on the port weighs more than what a file says. */
export const START_DECISIONS: Record<Remembered, Record<PortFinding, StartDecision>> = {
  nothing: { free: 'start', ours: 'running', foreign: 'taken' },
  running: { free: 'wait', ours: 'running', foreign: 'other-settings' },
  gone: { free: 'start', ours: 'running', foreign: 'taken' },
};
