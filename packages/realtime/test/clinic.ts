import type { LookupFunction } from 'node:net';
import { centrifugoDriver, findCentrifugo } from '../../../conformance/drivers/centrifugo.ts';
import type { Driver } from '../../../conformance/drivers/driver.ts';
import { embeddedDriver } from '../../../conformance/drivers/embedded.ts';
import { hasLane } from '../../../test/lanes.ts';

/** Both sides know them, and no output may. */
export const KEY = 'clinic-api-key-0123456789abcdef';
export const SECRET = 'clinic-token-secret-0123456789abcdef';
export const ORIGIN = 'https://app.example.com';

/** Variables of a broker that is set up as it should be, with every transport. */
export const GOOD: Readonly<Record<string, string>> = {
  CENTRIFUGO_HTTP_API_KEY: KEY,
  CENTRIFUGO_CLIENT_TOKEN_HMAC_SECRET_KEY: SECRET,
  CENTRIFUGO_CLIENT_ALLOWED_ORIGINS: `${ORIGIN} http://localhost:3000`,
  CENTRIFUGO_CHANNEL_NAMESPACES: 'trpc',
  CENTRIFUGO_CHANNEL_NAMESPACES_TRPC_HISTORY_SIZE: '300',
  CENTRIFUGO_CHANNEL_NAMESPACES_TRPC_HISTORY_TTL: '10m',
  CENTRIFUGO_CHANNEL_NAMESPACES_TRPC_FORCE_RECOVERY: 'true',
  CENTRIFUGO_HTTP_STREAM_ENABLED: 'true',
  CENTRIFUGO_SSE_ENABLED: 'true',
  CENTRIFUGO_HEALTH_ENABLED: 'true',
  CENTRIFUGO_USAGE_STATS_DISABLED: 'true',
};

export interface ClinicBroker {
  readonly port: number;
  close(): Promise<void>;
}

/** A kind of broker that a set-up can be tried on. */
export interface Ward {
  readonly name: Driver['name'];
  /** @param changes variables beside, instead of or (`undefined`) without the good ones */
  start(changes?: Readonly<Record<string, string | undefined>>): Promise<ClinicBroker>;
}

function ward(driver: Driver): Ward {
  return {
    name: driver.name,
    async start(changes = {}) {
      const entries = Object.entries({ ...GOOD, ...changes }).filter(
        (entry): entry is [string, string] => entry[1] !== undefined,
      );
      const server = await driver.start({ name: 'clinic', variables: Object.fromEntries(entries) });
      return { port: Number(new URL(server.nodes[0]).port), close: () => server.close() };
    },
  };
}

export const embeddedWard = (): Ward => ward(embeddedDriver());

/** The embedded broker, and a real Centrifugo where one can be started (else one loud line). */
export function wards(): Ward[] {
  const source = findCentrifugo();
  const canStart = source !== undefined && source.kind !== 'url';
  return hasLane('centrifugo', source) && canStart
    ? [embeddedWard(), ward(centrifugoDriver(source))]
    : [embeddedWard()];
}

/** The application's four variables for a broker on this port. */
export function appVariables(port: number): Record<string, string> {
  return {
    CENTRIFUGO_API_URL: `http://127.0.0.1:${port}/api`,
    CENTRIFUGO_API_KEY: KEY,
    CENTRIFUGO_TOKEN_SECRET: SECRET,
    NEXT_PUBLIC_CENTRIFUGO_WS_URL: `ws://127.0.0.1:${port}/connection/websocket`,
  };
}

/** Makes every name this machine, so that a test has a public address. */
export const everyNameIsHere: LookupFunction = (_name, options, answer) => {
  if (options.all) answer(null, [{ address: '127.0.0.1', family: 4 }]);
  else answer(null, '127.0.0.1', 4);
};
