import type { BrokerProcess } from './broker/broker-process.ts';

/** What the demo may do to itself, so that one can watch it recover. */
export interface Chaos {
  /** `external`: the broker is not ours to stop. */
  readonly broker: 'up' | 'down' | 'external';
  /** How long every answer of the API is held back. */
  apiDelayMs: number;
  killBroker(): Promise<void>;
  resumeBroker(): Promise<void>;
}

export function createChaos(broker: BrokerProcess | null): Chaos {
  return {
    apiDelayMs: 0,
    get broker() {
      if (!broker) return 'external';
      return broker.pid === null ? 'down' : 'up';
    },
    killBroker: async () => broker?.kill(),
    resumeBroker: async () => broker?.resume(),
  };
}
