import { execFileSync } from 'node:child_process';
import { optionsFromEnv } from '@op/realtime-broker';
import { describe, expect, it } from 'vitest';
import { hasLane } from '../test/lanes.ts';
import { findCentrifugo } from './drivers/centrifugo.ts';

/** What the broker does with a variable of this value. */
function fate(name: string, value: string): 'accepted' | 'refused' | string {
  try {
    optionsFromEnv({ [name]: value });
    return 'accepted';
  } catch (error) {
    const message = error instanceof Error ? error.message : '';
    return message.includes(name) ? 'refused' : `unclear: ${message}`;
  }
}

const source = findCentrifugo();
const binary = source?.kind === 'binary' ? source.path : undefined;

describe.skipIf(!hasLane('centrifugo', source) || binary === undefined)('the options of a real Centrifugo', () => {
  const defaults = (): [name: string, value: string][] =>
    execFileSync(binary!, ['defaultenv'], { encoding: 'utf8' })
      .split('\n')
      .filter((line) => line.startsWith('CENTRIFUGO_'))
      .map((line) => /^([^=]+)="?(.*?)"?$/.exec(line)!.slice(1, 3) as [string, string]);

  it('are accepted or refused by name, never taken in silence for something else', () => {
    const names = defaults();
    expect(names.length).toBeGreaterThan(500);
    for (const [name] of names) expect(['accepted', 'refused'], name).toContain(fate(name, 'a value that none has'));
  });

  it('that the broker has are taken in the value that Centrifugo has by default', () => {
    const refused = defaults().filter(([name, value]) => value !== '' && fate(name, value) === 'refused');
    const areas = new Set(refused.map(([name]) => name.split('_').slice(1, 3).join('_')));
    // What is not here at all: engines, brokers of other makers, maps, GRPC, transports beside HTTP, consumers.
    expect([...areas].sort()).toMatchInlineSnapshot(`
      [
        "BROKER_NATS",
        "BROKER_POSTGRES",
        "BROKER_REDIS",
        "BROKER_REDISNATS",
        "CHANNEL_PROXY",
        "CHANNEL_WITHOUT",
        "CLIENT_CONNECT",
        "CLIENT_PROXY",
        "CONTROLLER_POSTGRES",
        "ENGINE_REDIS",
        "GRPC_API",
        "HTTP_SERVER",
        "INIT_HANDLER",
        "MAP_BROKER",
        "PRESENCE_MANAGER",
        "RPC_PROXY",
        "SHARED_POLL",
        "UNI_GRPC",
        "UNI_HTTP",
        "UNI_SSE",
        "UNI_WEBSOCKET",
        "WEBTRANSPORT_HANDLER",
        "WEBTRANSPORT_MESSAGE",
      ]
    `);
  });

  it('are all known to it: none of the names on its lists is made up', async () => {
    const { HONOURED, DEFAULT_ONLY } = await import('../packages/broker/src/edges/env-options.ts');
    const names = new Set(defaults().map(([name]) => name.slice('CENTRIFUGO_'.length)));
    const unknown = [...HONOURED.keys(), ...DEFAULT_ONLY.keys()].filter((name) => !names.has(name));
    expect(unknown).toEqual([]);
  });
});
