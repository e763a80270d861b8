import { afterAll, beforeAll, describe, test } from 'vitest';
import { hasLane } from '../test/lanes.ts';
import { centrifugoDriver, findCentrifugo } from './drivers/centrifugo.ts';
import type { Driver, Server } from './drivers/driver.ts';
import { embeddedDriver } from './drivers/embedded.ts';
import { ENVIRONMENTS } from './environments.ts';
import { Outcomes, protocolsOf, settings } from './lanes/foreign-client.ts';
import { findPython, preparePython, runPython } from './lanes/python.ts';

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
];
const API = [
  'publishes, and the same key only once',
  'reads history and presence',
  'broadcasts',
  'sends a batch',
  'reads info and channels',
  'raises errors by their codes',
];

const found = findPython();
const python = found && (await preparePython(found));
const hasPython = hasLane('python', python);
const source = findCentrifugo();
const drivers: Driver[] = [embeddedDriver(), ...(source && source.kind !== 'url' ? [centrifugoDriver(source)] : [])];

describe.runIf(hasPython).each(drivers)('the official Python libraries on $name', (driver) => {
  let server: Server;
  let outcomes: Outcomes;
  const protocols = protocolsOf(driver);
  beforeAll(async () => {
    server = await driver.start(ENVIRONMENTS.standard);
    outcomes = new Outcomes(await runPython(python!, await settings(server.nodes[0], 'python', protocols)));
  }, 150_000);
  afterAll(() => server?.close());

  test.each(API)('cent %s', (name) => outcomes.expectOk(`cent ${name}`));
  for (const protocol of protocols)
    test.each(CLIENT)(`centrifuge-python with ${protocol} %s`, (name) =>
      outcomes.expectOk(`client with ${protocol} ${name}`),
    );
});
