import { expect, it } from 'vitest';
import type { BrokerSettings } from '../broker-settings.ts';
import { dockerRunArguments } from './docker.ts';

it('runs the official image with the very env file, published to this machine only', () => {
  const settings: BrokerSettings = {
    envFile: '/app/.env.test',
    envFileName: '.env.test',
    env: new Map(),
    port: 8100,
    filePort: 8000,
    fingerprint: '',
  };
  expect(dockerRunArguments(settings).join(' ')).toBe(
    'run --rm --name op-realtime-8100 --env-file /app/.env.test --publish 127.0.0.1:8100:8000 centrifugo/centrifugo:v6',
  );
});
