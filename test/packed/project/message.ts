import { Channels, defineChannels, type Message } from '@op/realtime';
import { RealtimeManager } from '@op/realtime/client';
import { createRealtime } from '@op/realtime/server';
import { startBroker } from '@op/realtime-broker';

const SECRETS = { apiKey: 'key-of-this-try', tokenSecret: 'secret-of-this-try' };

const broker = await startBroker({
  port: 0,
  httpApi: { key: SECRETS.apiKey },
  client: { token: { hmacSecretKey: SECRETS.tokenSecret } },
  channel: { namespaces: { trpc: { historySize: 10, historyTtlMs: 60_000, forceRecovery: true } } },
});
const realtime = createRealtime({ apiUrl: broker.apiUrl, ...SECRETS });
const manager = new RealtimeManager({
  wsUrl: broker.url,
  getToken: () => realtime.createConnectionToken({ userId: '7' }),
});

const Own = defineChannels({ polls: { ids: ['pollId'] } });
const received = new Promise<Message>((resolve) => {
  manager.subscribe(Channels.user('7'), (message) => resolve(message), {
    onJoin: () => {
      void realtime.publish(Channels.user('7'), { type: 'query-invalidation', queryKey: [Own.polls(1)] });
    },
  });
});
const message = await received;
manager.dispose();
await broker.close();
console.log(`received ${JSON.stringify(message)}`);
