import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { signToken } from '../clients/tokens.ts';
import { centrifugoDriver, findCentrifugo } from '../drivers/centrifugo.ts';
import type { Driver, Server } from '../drivers/driver.ts';
import { embeddedDriver } from '../drivers/embedded.ts';
import { ENVIRONMENTS, SECRETS } from '../environments.ts';
import { KNOWN_DIFFERENCES } from '../known-differences.ts';

/** What every official client is asked to do. */
const CLIENT_SCENARIOS = [
  'receives what is published',
  'publishes and hears itself',
  'reads history and presence',
  'recovers what it missed',
  'hears of the channels of its token',
  'subscribes by a token',
  'is refused with 103',
  'renews an expired token',
  'is told that a token is invalid',
  'is unsubscribed and disconnected by the server API',
];

/** One language's programs. */
interface ForeignClient {
  /** As the tests say it. */
  readonly title: string;
  /** Whether this machine has what it needs. */
  readonly isReady: boolean;
  /** The client library. */
  readonly name: string;
  readonly user: string;
  /** What else this client can do. */
  readonly clientScenarios?: readonly string[];
  /** What its library for the server API, if it has one, is asked to do. */
  readonly api?: { readonly name: string; readonly scenarios: readonly string[] };
  /** Runs all scenarios against a server, and gives what they printed. */
  run(settings: Record<string, string>): Promise<string>;
}

/** Tells the scenarios of one language, on every server of this machine. */
export function describeForeignClient({
  title,
  isReady,
  name,
  user,
  clientScenarios = [],
  api,
  run,
}: ForeignClient): void {
  const source = findCentrifugo();
  const drivers: Driver[] = [embeddedDriver(), ...(source && source.kind !== 'url' ? [centrifugoDriver(source)] : [])];
  describe.runIf(isReady).each(drivers)(`${title} on $name`, (driver) => {
    let server: Server;
    let outcomes: Outcomes;
    const protocols = protocolsOf(driver);
    beforeAll(async () => {
      server = await driver.start(ENVIRONMENTS.standard);
      outcomes = new Outcomes(await run(await settings(server.nodes[0], user, protocols)));
    }, 150_000);
    afterAll(() => server?.close());

    if (api) test.each(api.scenarios)(`${api.name} %s`, (scenario) => outcomes.expectOk(`${api.name} ${scenario}`));
    for (const protocol of protocols)
      test.each([...CLIENT_SCENARIOS, ...clientScenarios])(`${name} with ${protocol} %s`, (scenario) =>
        outcomes.expectOk(`client with ${protocol} ${scenario}`),
      );
  });
}

/** The protocols that the server speaks: the embedded broker Protobuf once it is no known difference any more. */
function protocolsOf(driver: Driver): string[] {
  const lacksProtobuf = driver.name === 'embedded' && 'protobuf frames: *' in KNOWN_DIFFERENCES;
  return lacksProtobuf ? ['json'] : ['json', 'protobuf'];
}

/** What a program of another language needs to know to run its scenarios against a server; it signs no tokens itself. */
async function settings(node: string, user: string, protocols: readonly string[]): Promise<Record<string, string>> {
  return {
    CONFORMANCE_PROTOCOLS: protocols.join(','),
    CONFORMANCE_WS_URL: `${node.replace(/^http/, 'ws')}/connection/websocket`,
    CONFORMANCE_API_URL: `${node}/api`,
    CONFORMANCE_API_KEY: SECRETS.api,
    CONFORMANCE_TOKEN: await signToken({ sub: user }),
    CONFORMANCE_SUBS_TOKEN: await signToken({ sub: user, channels: [`trpc:${user}-token`] }),
    CONFORMANCE_SUBSCRIPTION_TOKEN: await signToken({ sub: user, channel: `closed:${user}-sub` }),
    CONFORMANCE_EXPIRED_TOKEN: await signToken({ sub: user, exp: 1_500_000_000 }),
  };
}

/** The outcome of each scenario that a program printed, as `ok NAME` or `not ok NAME: WHY`. */
class Outcomes {
  readonly #outcomes = new Map<string, string | undefined>();

  constructor(output: string) {
    for (const line of output.split('\n')) {
      const match = /^(not )?ok ([^:]+)(?:: (.*))?$/.exec(line.trim());
      if (match) this.#outcomes.set(match[2]!, match[1] ? (match[3] ?? 'failed') : undefined);
    }
  }

  /** @throws where the scenario failed or was not run */
  expectOk(name: string): void {
    expect([...this.#outcomes.keys()], 'scenarios that were run').toContain(name);
    expect(this.#outcomes.get(name), name).toBeUndefined();
  }
}
