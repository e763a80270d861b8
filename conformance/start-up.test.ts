import { randomInt } from 'node:crypto';
import { BrokerConfigError, optionsFromEnv, startBroker } from '@op/realtime-broker';
import { describe, expect, test } from 'vitest';
import { hasLane } from '../test/lanes.ts';
import { centrifugoDriver, findCentrifugo } from './drivers/centrifugo.ts';
import { CHANNELS } from './start-up/channels.ts';
import { CLIENTS } from './start-up/clients.ts';
import type { Configuration, Variables } from './start-up/configuration.ts';
import { PROXIES } from './start-up/proxies.ts';
import { SERVER } from './start-up/server.ts';

const ALL: readonly Configuration[] = [...CHANNELS, ...CLIENTS, ...PROXIES, ...SERVER];
/** A start of Centrifugo costs a tenth of a second of a core, so the test command plays some, other ones every time. */
const SAMPLE = 30;

/** The variables of a configuration, with those that every server here has. */
function environmentOf(variables: Variables): Record<string, string> {
  const prefixed = Object.entries(variables).map(([name, value]) => [`CENTRIFUGO_${name}`, value]);
  return {
    CENTRIFUGO_HEALTH_ENABLED: 'true',
    CENTRIFUGO_USAGE_STATS_DISABLED: 'true',
    ...Object.fromEntries(prefixed),
  };
}

function titleOf({ variables, starts }: Configuration): string {
  const text = Object.entries(variables).map(([name, value]) => `${name}=${JSON.stringify(value.slice(0, 80))}`);
  return `${text.join(' ')} ${starts ? 'starts' : 'does not start'}`;
}

/** Values that an error must not repeat. */
function secretsOf(variables: Variables): string[] {
  const isSecret = /_KEY$|_ENDPOINT$|_HEADERS$/;
  return Object.entries(variables).flatMap(([name, value]) => (isSecret.test(name) && value.length > 8 ? [value] : []));
}

describe('the embedded broker', () => {
  test.each(ALL.map((configuration) => [titleOf(configuration), configuration] as const))(
    '%s',
    async (_, configuration) => {
      const { variables, starts, stopsHere } = configuration;
      const address = { CENTRIFUGO_HTTP_SERVER_ADDRESS: '127.0.0.1', CENTRIFUGO_HTTP_SERVER_PORT: '0' };
      const start = async () => startBroker(optionsFromEnv({ ...address, ...environmentOf(variables) }));
      const outcome = await start().catch((error: unknown) => error);
      if (!(outcome instanceof Error)) {
        await (outcome as Awaited<ReturnType<typeof start>>).close();
        expect({ starts: true, stopsHere }).toEqual({ starts, stopsHere: undefined });
        return;
      }
      expect(outcome).toBeInstanceOf(BrokerConfigError);
      for (const secret of secretsOf(variables)) expect(outcome.message).not.toContain(secret);
      expect(starts && stopsHere === undefined, outcome.message).toBe(false);
    },
  );
});

const source = findCentrifugo();
const hasBinary = source?.kind === 'binary';

describe.skipIf(!hasLane('centrifugo', source) || !hasBinary)('a real Centrifugo', () => {
  test('starts with what is said of it here, and with nothing else', async () => {
    const seed = Number(process.env.SEED ?? randomInt(2 ** 31));
    const isWhole = process.env.START_UP === 'all';
    process.stdout.write(
      `start-up: ${isWhole ? 'all' : `${SAMPLE} of ${ALL.length}, seed ${seed}`} (START_UP=all plays all)\n`,
    );
    const driver = centrifugoDriver(source!);
    const waiting = isWhole ? [...ALL] : sample(seed);
    const wrong: string[] = [];
    const play = async (): Promise<void> => {
      for (let next = waiting.pop(); next; next = waiting.pop()) {
        const server = await driver.start({ name: 'start-up', variables: environmentOf(next.variables) }).catch(ended);
        await server?.close();
        if ((server !== undefined) !== next.starts) wrong.push(titleOf(next));
      }
    };
    await Promise.all([play(), play(), play()]);
    expect(wrong).toEqual([]);
  });
});

/** A process that ends before it is healthy has refused to start; whatever else happened is a failure. */
function ended(error: unknown): undefined {
  if (error instanceof Error && /^the server ended with/.test(error.message)) return undefined;
  throw error;
}

function sample(seed: number): Configuration[] {
  const left = [...ALL];
  let state = seed;
  return Array.from({ length: SAMPLE }, () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return left.splice(state % left.length, 1)[0]!;
  });
}
