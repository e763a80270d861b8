import { startBroker } from '@op/realtime-broker';
import { findCentrifugo } from '../../../conformance/drivers/centrifugo.ts';
import { launch } from '../../../conformance/drivers/launcher.ts';
import { freePort } from '../../../test/free-port.ts';
import { hasLane } from '../../../test/lanes.ts';

/** Both sides of the tests know it. */
export const SECRET = 'a-secret-of-the-tests';
export const API_KEY = 'a-key-of-the-tests';

/** A running broker of either kind, with the namespace `trpc` as `.env.test` sets it up. */
export interface RunningBroker {
  readonly wsUrl: string;
  readonly apiUrl: string;
  readonly port: number;
  close(): Promise<void>;
}

export interface BrokerKind {
  readonly name: 'embedded' | 'centrifugo';
  /** @param port the one to take again, for a restart */
  start(port?: number, tokens?: TokenRules): Promise<RunningBroker>;
}

/** What else the broker asks of tokens and pages. */
export interface TokenRules {
  readonly previousSecret?: string;
  readonly audience?: string;
  /** @default every origin */
  readonly origin?: string;
  /** @default `SECRET` */
  readonly secret?: string;
}

const embedded: BrokerKind = {
  name: 'embedded',
  async start(port = 0, { previousSecret, audience, origin = '*', secret = SECRET } = {}) {
    const broker = await startBroker({
      port,
      httpApi: { key: API_KEY },
      client: {
        token: {
          hmacSecretKey: secret,
          ...(previousSecret && { hmacPreviousSecretKey: previousSecret }),
          ...(audience && { audience }),
        },
        allowedOrigins: [origin],
      },
      channel: {
        namespaces: {
          trpc: { historySize: 300, historyTtlMs: 600_000, forceRecovery: true, presence: true },
          open: {
            allowPublishForClient: true,
            allowHistoryForClient: true,
            allowPresenceForClient: true,
            presence: true,
            historySize: 10,
            historyTtlMs: 60_000,
          },
        },
      },
    });
    return { wsUrl: broker.url, apiUrl: broker.apiUrl, port: broker.port, close: () => broker.close() };
  },
};

function centrifugo(path: string): BrokerKind {
  return {
    name: 'centrifugo',
    async start(port, { previousSecret, audience, origin = '*', secret = SECRET } = {}) {
      const own = port ?? (await freePort());
      const url = `127.0.0.1:${own}`;
      const { stop } = await launch({
        command: path,
        args: [],
        healthUrl: `http://${url}/health`,
        variables: {
          CENTRIFUGO_HTTP_SERVER_ADDRESS: '127.0.0.1',
          CENTRIFUGO_HTTP_SERVER_PORT: String(own),
          CENTRIFUGO_HTTP_API_KEY: API_KEY,
          CENTRIFUGO_CLIENT_TOKEN_HMAC_SECRET_KEY: secret,
          ...(previousSecret && { CENTRIFUGO_CLIENT_TOKEN_HMAC_PREVIOUS_SECRET_KEY: previousSecret }),
          ...(audience && { CENTRIFUGO_CLIENT_TOKEN_AUDIENCE: audience }),
          CENTRIFUGO_CLIENT_ALLOWED_ORIGINS: origin,
          CENTRIFUGO_CHANNEL_NAMESPACES: 'trpc open',
          CENTRIFUGO_CHANNEL_NAMESPACES_TRPC_HISTORY_SIZE: '300',
          CENTRIFUGO_CHANNEL_NAMESPACES_TRPC_HISTORY_TTL: '10m',
          CENTRIFUGO_CHANNEL_NAMESPACES_TRPC_FORCE_RECOVERY: 'true',
          CENTRIFUGO_CHANNEL_NAMESPACES_TRPC_PRESENCE: 'true',
          CENTRIFUGO_CHANNEL_NAMESPACES_OPEN_ALLOW_PUBLISH_FOR_CLIENT: 'true',
          CENTRIFUGO_CHANNEL_NAMESPACES_OPEN_ALLOW_HISTORY_FOR_CLIENT: 'true',
          CENTRIFUGO_CHANNEL_NAMESPACES_OPEN_ALLOW_PRESENCE_FOR_CLIENT: 'true',
          CENTRIFUGO_CHANNEL_NAMESPACES_OPEN_PRESENCE: 'true',
          CENTRIFUGO_CHANNEL_NAMESPACES_OPEN_HISTORY_SIZE: '10',
          CENTRIFUGO_CHANNEL_NAMESPACES_OPEN_HISTORY_TTL: '60s',
          CENTRIFUGO_HEALTH_ENABLED: 'true',
          CENTRIFUGO_USAGE_STATS_DISABLED: 'true',
        },
      });
      return { wsUrl: `ws://${url}/connection/websocket`, apiUrl: `http://${url}/api`, port: own, close: stop };
    },
  };
}

/** The embedded broker, and Centrifugo where a binary is at hand (else one loud line). */
export function brokerKinds(): BrokerKind[] {
  const source = findCentrifugo();
  const path = source?.kind === 'binary' ? source.path : undefined;
  return hasLane('centrifugo', source) && path ? [embedded, centrifugo(path)] : [embedded];
}
