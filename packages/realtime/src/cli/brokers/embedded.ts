import { brokerEnvironment } from '../broker-settings.ts';
import { CliError } from '../cli-error.ts';
import { processIdentity } from '../process-identity.ts';
import type { BrokerKind } from './running-broker.ts';

/** The broker of `@op/realtime-broker`, in this very process: nothing but Node. */
export const embedded: BrokerKind = {
  async probe() {
    try {
      import.meta.resolve('@op/realtime-broker');
      return { available: true, because: 'it needs nothing but Node' };
    } catch {
      return { available: false, because: '@op/realtime-broker is not installed' };
    }
  },

  async start(settings, env) {
    const identity = processIdentity(process.pid);
    if (!identity)
      throw new CliError('start_failed', 'This process cannot be told from others: /proc and ps are missing.');
    const module: unknown = await import('@op/realtime-broker');
    if (!isBrokerModule(module))
      throw new CliError('start_failed', 'The installed @op/realtime-broker does not fit: it has no startBroker().');
    const broker = await module.startBroker({ env: brokerEnvironment(settings, env) });
    return {
      owner: { kind: 'process', pid: process.pid, identity },
      ended: new Promise(() => {}), // it ends with this process
      stop: () => broker.close(),
    };
  },
};

/** What is used of the package, which is an optional peer and so may be of another version. */
interface BrokerModule {
  startBroker(options: { env: Record<string, string> }): Promise<{ close(): Promise<void> }>;
}

function isBrokerModule(module: unknown): module is BrokerModule {
  return typeof module === 'object' && module !== null && 'startBroker' in module;
}
