import { optionsFromEnv, startBroker } from '@op/realtime-broker';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { launch } from '../../../conformance/drivers/launcher.ts';
import { freePort } from '../../../test/free-port.ts';
import { findChromium, findCommand, hasLane } from '../../../test/lanes.ts';
import { brokerEnvironment } from '../src/server/broker/broker-environment.ts';
import { type DemoProcess, START_PATIENCE, startDemoProcess } from './demo-process.ts';
import { launchWindows, untilLive, untilShown, type Windows, write } from './windows.ts';

const centrifugo = process.env.CENTRIFUGO_BIN || findCommand('centrifugo');

/** Starts a broker from environment variables alone; the very same ones for both. */
const BROKERS: Record<string, (env: Record<string, string>, port: number) => Promise<{ stop(): Promise<void> }>> = {
  embedded: async (env) => {
    const broker = await startBroker(optionsFromEnv(env));
    return { stop: () => broker.close() };
  },
  ...(hasLane('centrifugo', centrifugo) && {
    centrifugo: (env, port) =>
      launch({ command: centrifugo!, args: [], variables: env, healthUrl: `http://127.0.0.1:${port}/health` }),
  }),
};

describe.skipIf(!hasLane('chromium', findChromium()))('the demo on a broker that the environment names', () => {
  let windows: Windows;
  let demo: DemoProcess | undefined;
  let broker: { stop(): Promise<void> } | undefined;
  beforeAll(async () => {
    windows = await launchWindows();
  });
  afterEach(async () => {
    await windows.closeAll();
    await demo?.stop();
    await broker?.stop();
    demo = broker = undefined;
  });
  afterAll(() => windows?.close());

  it.each(Object.keys(BROKERS))(
    '%s: shows changes, grants by membership, and revokes',
    START_PATIENCE,
    async (name) => {
      const [port, brokerPort] = [await freePort(), await freePort()];
      const secrets = { apiKey: 'the-key-of-this-test', tokenSecret: 'the-secret-of-this-test-and-no-other' };
      const env = brokerEnvironment({}, brokerPort, [`http://localhost:${port}`], secrets);
      const variables = { ...(env as Record<string, string>), CENTRIFUGO_HEALTH_ENABLED: 'true' };
      broker = await BROKERS[name]!(variables, brokerPort);
      demo = await startDemoProcess({
        PORT: String(port),
        CENTRIFUGO_API_URL: `http://127.0.0.1:${brokerPort}/api`,
        CENTRIFUGO_API_KEY: secrets.apiKey,
        CENTRIFUGO_TOKEN_SECRET: secrets.tokenSecret,
        NEXT_PUBLIC_CENTRIFUGO_WS_URL: `ws://127.0.0.1:${brokerPort}/connection/websocket`,
      });
      await expect.poll(demo.output).toContain(`127.0.0.1:${brokerPort} (CENTRIFUGO_API_URL)`);

      const mei = await windows.open(demo.url, '/o/repair-cafe?as=mei');
      const leila = await windows.open(demo.url, '/o/repair-cafe?as=leila');
      const other = await windows.openBeside(leila, demo.url, '/o/repair-cafe?as=leila');
      await Promise.all([mei, leila, other].map(untilLive));
      await Promise.all([mei, leila, other].map((page) => untilShown(page, '3-amp fuses')));
      await write(mei, 'Fuses are on their way, @leila.');
      await Promise.all([leila, other].map((page) => untilShown(page, 'Fuses are on their way')));
      await leila.getByText('mentions you').waitFor();

      /** How many connections are subscribed, as the broker counts them. */
      const subscribers = async (channel: string) => {
        const response = await fetch(`http://127.0.0.1:${brokerPort}/api/channels`, {
          method: 'POST',
          headers: { 'X-API-Key': secrets.apiKey },
          body: JSON.stringify({ pattern: channel }),
        });
        const { result } = (await response.json()) as { result: { channels: Record<string, { num_clients: number }> } };
        return result.channels[channel]?.num_clients ?? 0;
      };
      const soon = { timeout: 60_000 };
      await expect.poll(() => subscribers('trpc:org:repair-cafe'), soon).toBe(3);

      await leila.getByRole('button', { name: 'Leave' }).click();
      await other.getByRole('button', { name: 'Join' }).waitFor();
      await other.locator('.feed').waitFor({ state: 'detached' });
      // Well before an unused subscription would be given up by itself.
      await expect.poll(() => subscribers('trpc:org:repair-cafe'), soon).toBe(1);
      await Promise.all([leila, other].map(untilLive));
      expect(windows.takeProblems()).toEqual([]);
    },
  );
});
