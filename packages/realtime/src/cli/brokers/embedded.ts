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
    const { EmbeddedBrokerError, optionsFromEnv, startBroker } = await import('@op/realtime-broker');
    const broker = await Promise.resolve()
      .then(() => startBroker(optionsFromEnv(brokerEnvironment(settings, env))))
      .catch((cause: unknown) => {
        throw cause instanceof EmbeddedBrokerError ? new CliError('start_failed', cause.message, { cause }) : cause;
      });
    return {
      owner: { kind: 'process', pid: process.pid, identity },
      ended: new Promise(() => {}), // it ends with this process
      stop: () => broker.close(),
    };
  },
};
