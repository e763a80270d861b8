import { type BrokerOptions, startBroker } from '@op/realtime-broker';
import type { Environment } from '../environments.ts';
import type { Driver } from './driver.ts';

/** A driver for the embedded broker, in this process. */
export function embeddedDriver(): Driver {
  return {
    name: 'embedded',
    async start(environment) {
      const broker = await startBroker({ ...options(environment), host: '127.0.0.1', port: 0 });
      return {
        environment,
        nodes: [`http://127.0.0.1:${broker.port}`],
        logs: () => '',
        close: () => broker.close(),
      };
    },
  };
}

/** The broker's options from Centrifugo's variables, until it reads them itself. */
function options({ variables }: Environment): BrokerOptions {
  const tree: Record<string, unknown> = {};
  const put = (path: readonly string[], name: string, text: string): void => {
    let node = tree;
    for (const key of path) {
      node[key] ??= {};
      node = node[key] as Record<string, unknown>;
    }
    const duration = /^(\d+)(ms|s|m)$/.exec(text);
    const key = name.toLowerCase().replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase());
    if (duration)
      node[`${key}Ms`] = Number(duration[1]) * { ms: 1, s: 1000, m: 60_000 }[duration[2] as 'ms' | 's' | 'm'];
    else if (key === 'allowedOrigins') node[key] = text.split(' ');
    else if (text === 'true' || text === 'false') node[key] = text === 'true';
    else node[key] = /^\d+$/.test(text) ? Number(text) : text;
  };
  const namespaces = (variables.CENTRIFUGO_CHANNEL_NAMESPACES ?? '').split(' ').filter(Boolean);
  for (const name of namespaces) put(['channel', 'namespaces', name], 'x', 'true');
  const sections: [string, string[]][] = [
    ...namespaces.map((name): [string, string[]] => [
      `CHANNEL_NAMESPACES_${name.toUpperCase()}_`,
      ['channel', 'namespaces', name],
    ]),
    ['CLIENT_SUBSCRIPTION_TOKEN_', ['client', 'subscriptionToken']],
    ['CLIENT_SUBSCRIBE_TO_USER_PERSONAL_CHANNEL_', ['client', 'subscribeToUserPersonalChannel']],
    ['CLIENT_TOKEN_', ['client', 'token']],
    ['CLIENT_', ['client']],
    ['CHANNEL_', ['channel']],
    ['HTTP_API_', ['httpApi']],
    ['WEBSOCKET_', ['websocket']],
  ];
  for (const [variable, text] of Object.entries(variables)) {
    const name = variable.slice('CENTRIFUGO_'.length);
    const section = sections.find(([prefix]) => name.startsWith(prefix));
    if (section && name !== 'CHANNEL_NAMESPACES') put(section[1], name.slice(section[0].length), text);
  }
  return tree as BrokerOptions;
}
