import { randomBytes } from 'node:crypto';
import { afterAll, describe, test } from 'vitest';
import { App } from './clients/app.ts';
import { jsonWebKeySet } from './clients/key-pairs.ts';
import type { Driver, Server } from './drivers/driver.ts';
import { APP, ENVIRONMENTS, type Environment, UNIQUE } from './environments.ts';
import { type Scenario, ScenarioContext } from './scenario.ts';

export interface SuiteOptions {
  /** Scenarios that are known to fail here, with the reason; `area: *` is all of an area. */
  readonly knownDifferences?: Readonly<Record<string, string>>;
  /** Whether a known difference that is none any more fails. */
  readonly isStrict?: boolean;
}

/** Registers every scenario as a test on this driver. Servers start on first use, and end after the last scenario. */
export function defineSuite(driver: Driver, all: readonly Scenario[], options: SuiteOptions = {}): void {
  const servers = new Map<string, Promise<Server>>();
  const run = randomBytes(4).toString('hex');
  const known = new KnownDifferences(options.knownDifferences ?? {}, all);
  let app: Promise<App> | undefined;

  const startApp = async (): Promise<App> => {
    const started = await App.start();
    started.serve('/jwks', jsonWebKeySet());
    return started;
  };
  const getApp = (): Promise<App> => {
    app ??= startApp();
    return app;
  };
  const start = async (environment: Environment, unique = 'shared'): Promise<Server> => {
    const { url } = await getApp();
    const variables = Object.entries(environment.variables).map(([name, value]) => [
      name,
      value.replaceAll(APP, url).replaceAll(UNIQUE, unique),
    ]);
    return driver.start({ name: environment.name, variables: Object.fromEntries(variables) });
  };
  const shared = (environment: Environment): Promise<Server> => {
    const server = servers.get(environment.name) ?? start(environment);
    servers.set(environment.name, server);
    return server;
  };

  const isServed = (scenario: Scenario): boolean =>
    driver.only === undefined || (scenario.environment === driver.only && !scenario.ownServer);
  const skipped = all.filter((scenario) => !isServed(scenario));
  if (skipped.length)
    process.stderr.write(
      `\nconformance: ${skipped.length} scenarios SKIPPED, which need another environment than ${driver.only} or a server of their own: ` +
        `${skipped.map(({ name }) => name).join('; ')}\n`,
    );

  const prove = async (scenario: Scenario, unique: string): Promise<void> => {
    const environment = ENVIRONMENTS[scenario.environment];
    const server = await (scenario.ownServer ? start(environment, unique) : shared(environment));
    const context = new ScenarioContext(server, unique, await getApp());
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

  describe.concurrent(driver.name, () => {
    afterAll(async () => {
      // A server that did not start has failed its scenarios already.
      const started = (await Promise.allSettled(servers.values())).filter((server) => server.status === 'fulfilled');
      const ends = await Promise.allSettled(started.map((server) => server.value.close()));
      await (await app)?.close();
      for (const end of ends) if (end.status === 'rejected') throw end.reason;
      if (options.isStrict) known.expectDifferences();
    });

    all.filter(isServed).forEach((scenario, index) => {
      test(scenario.name, async () => {
        const proof = prove(scenario, `${run}-${index}`);
        if (!known.has(scenario.name)) return proof;
        const differs = await proof.then(
          () => false,
          () => true,
        );
        known.record(scenario.name, differs);
      });
    });
  });
}

/** The list of known differences, and which of them showed in this run. */
class KnownDifferences {
  readonly #entries: readonly string[];
  readonly #shown = new Map<string, boolean>();

  constructor(entries: Readonly<Record<string, string>>, all: readonly Scenario[]) {
    this.#entries = Object.keys(entries);
    const idle = this.#entries.filter((entry) => !all.some(({ name }) => covers(entry, name)));
    if (idle.length) throw new Error(`known differences name scenarios that do not exist: ${idle.join('; ')}`);
  }

  has(name: string): boolean {
    return this.#entries.some((entry) => covers(entry, name));
  }

  record(name: string, differs: boolean): void {
    for (const entry of this.#entries)
      if (covers(entry, name)) this.#shown.set(entry, (this.#shown.get(entry) ?? false) || differs);
  }

  /** @throws where an entry is a difference no longer */
  expectDifferences(): void {
    const gone = [...this.#shown].filter(([, shown]) => !shown).map(([entry]) => entry);
    if (gone.length)
      throw new Error(`known differences that no longer differ; delete their entries: ${gone.join('; ')}`);
  }
}

function covers(entry: string, name: string): boolean {
  return entry.endsWith(': *') ? name.startsWith(entry.slice(0, -1)) : entry === name;
}
