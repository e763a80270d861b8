import { afterAll, beforeAll, describe, test } from 'vitest';
import { hasLane } from '../test/lanes.ts';
import { centrifugoDriver, findCentrifugo } from './drivers/centrifugo.ts';
import type { Driver, Server } from './drivers/driver.ts';
import { embeddedDriver } from './drivers/embedded.ts';
import { ENVIRONMENTS } from './environments.ts';
import { Outcomes, protocolsOf, settings } from './lanes/foreign-client.ts';
import { buildGo, findGo, runGo } from './lanes/go.ts';

const CLIENT = [
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
  'gets error 108 for an rpc that nobody answers',
];

const go = findGo();
const program = go && (await buildGo(go));
const hasGo = hasLane('go', program);
const source = findCentrifugo();
const drivers: Driver[] = [embeddedDriver(), ...(source && source.kind !== 'url' ? [centrifugoDriver(source)] : [])];

describe.runIf(hasGo).each(drivers)('the official Go client on $name', (driver) => {
  let server: Server;
  let outcomes: Outcomes;
  const protocols = protocolsOf(driver);
  beforeAll(async () => {
    server = await driver.start(ENVIRONMENTS.standard);
    outcomes = new Outcomes(await runGo(program!, await settings(server.nodes[0], 'go', protocols)));
  }, 150_000);
  afterAll(() => server?.close());

  for (const protocol of protocols)
    test.each(CLIENT)(`centrifuge-go with ${protocol} %s`, (name) =>
      outcomes.expectOk(`client with ${protocol} ${name}`),
    );
});
