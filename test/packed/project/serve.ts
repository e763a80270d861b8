import { once } from 'node:events';
import { Channels } from '@op/realtime';
import { createRealtime } from '@op/realtime/server';
import { startBroker } from '@op/realtime-broker';

/** A broker for a page. Says where it is, publishes at each line of stdin, and ends with it. */
const SECRETS = { apiKey: 'key-of-this-try', tokenSecret: 'secret-of-this-try' };
const broker = await startBroker({
  port: 0,
  httpApi: { key: SECRETS.apiKey },
  client: { token: { hmacSecretKey: SECRETS.tokenSecret }, allowedOrigins: [process.argv[2] ?? ''] },
  channel: { namespaces: { trpc: { historySize: 10, historyTtlMs: 60_000, forceRecovery: true } } },
});
const realtime = createRealtime({ apiUrl: broker.apiUrl, ...SECRETS });
console.log(JSON.stringify({ wsUrl: broker.url, token: await realtime.createConnectionToken({ userId: '7' }) }));
process.stdin.on('data', () => realtime.publish(Channels.user('7'), { type: 'channel-invalidation' }));
await once(process.stdin, 'end');
await broker.close();
