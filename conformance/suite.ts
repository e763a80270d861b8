import { randomBytes } from 'node:crypto';
import { afterAll, describe, test } from 'vitest';
import type { Driver, Server } from './drivers/driver.ts';
import { ENVIRONMENTS } from './environments.ts';
import { type Scenario, ScenarioContext } from './scenario.ts';

export interface SuiteOptions {
  /** Scenarios that are known to fail here, with the reason. */
  readonly knownDifferences?: Readonly<Record<string, string>>;
  /** Whether a known difference that is none any more fails. */
  readonly isStrict?: boolean;
}

/** Registers every scenario as a test on this driver. Servers start on first use, and end after the last scenario. */
export function defineSuite(driver: Driver, all: readonly Scenario[], options: SuiteOptions = {}): void {
  const servers = new Map<string, Promise<Server>>();
  const run = randomBytes(4).toString('hex');

  const shared = (scenario: Scenario): Promise<Server> => {
    const environment = ENVIRONMENTS[scenario.environment];
    const server = servers.get(environment.name) ?? driver.start(environment);
    servers.set(environment.name, server);
    return server;
  };

  const unknownEntries = Object.keys(options.knownDifferences ?? {}).filter(
    (name) => !all.some((one) => one.name === name),
  );
  if (unknownEntries.length)
    throw new Error(`known differences name scenarios that do not exist: ${unknownEntries.join('; ')}`);

  const isServed = (scenario: Scenario): boolean =>
    driver.only === undefined || (scenario.environment === driver.only && !scenario.ownServer);
  const skipped = all.filter((scenario) => !isServed(scenario));
  if (skipped.length)
    process.stderr.write(
      `\nconformance: ${skipped.length} scenarios SKIPPED, which need another environment than ${driver.only} or a server of their own: ` +
        `${skipped.map(({ name }) => name).join('; ')}\n`,
    );

  describe.concurrent(driver.name, () => {
    afterAll(async () => {
      const ends = await Promise.allSettled([...servers.values()].map(async (server) => (await server).close()));
      for (const end of ends) if (end.status === 'rejected') throw end.reason;
    });

    all.filter(isServed).forEach((scenario, index) => {
      test(scenario.name, async () => {
        const prove = async (): Promise<void> => {
          const server = scenario.ownServer
            ? await driver.start(ENVIRONMENTS[scenario.environment])
            : await shared(scenario);
          const context = new ScenarioContext(server, `${run}-${index}`);
          try {
            await scenario.run(context);
          } catch (error) {
            if (error instanceof Error && context.transcript()) error.message += `\n\n${context.transcript()}`;
            throw error;
          } finally {
            await context.end();
            if (scenario.ownServer) await server.close();
          }
        };
        const reason = options.knownDifferences?.[scenario.name];
        if (reason === undefined) return prove();
        const differs = await prove().then(
          () => false,
          () => true,
        );
        if (!differs && options.isStrict)
          throw new Error(
            `"${scenario.name}" is a known difference (${reason}) that no longer differs: delete its entry.`,
          );
      });
    });
  });
}
