import type { BrokerSettings } from '../broker-settings.ts';
import type { Availability } from '../engine.ts';
import type { BrokerOwner } from '../state-file.ts';
import type { Terminal } from '../terminal.ts';

/** One way to run a broker. */
export interface BrokerKind {
  /** Looks, quickly, whether it can be used here. */
  probe(env: Terminal['env']): Promise<Availability>;
  /** What has to be there first and may take long (an image); rejects where it cannot be had. */
  prepare?(terminal: Terminal): Promise<void>;
  /** Starts it; its log goes to this process's output. */
  start(settings: BrokerSettings, env: Terminal['env']): Promise<RunningBroker>;
}

export interface RunningBroker {
  readonly owner: BrokerOwner;
  /** Resolves when it ended, with how: `exit code 1`. */
  readonly ended: Promise<string>;
  /** Ends it, with the time that it needs to say goodbye to its clients. */
  stop(): Promise<void>;
}
