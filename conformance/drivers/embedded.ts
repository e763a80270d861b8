import { optionsFromEnv, startBroker } from '@op/realtime-broker';
import type { Driver } from './driver.ts';

/** A driver for the embedded broker, in this process, configured by Centrifugo's variables alone. */
export function embeddedDriver(): Driver {
  return {
    name: 'embedded',
    async start(environment) {
      const variables = {
        ...environment.variables,
        CENTRIFUGO_HTTP_SERVER_ADDRESS: '127.0.0.1',
        CENTRIFUGO_HTTP_SERVER_PORT: '0',
      };
      const broker = await startBroker(optionsFromEnv(variables));
      return {
        environment,
        nodes: [`http://127.0.0.1:${broker.port}`],
        logs: () => '(it runs in this process and writes no log)',
        close: () => broker.close(),
      };
    },
  };
}
