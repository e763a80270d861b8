import { startBroker } from '../../packages/broker/src/index.ts';

/** The broker under soak, in a process of its own, so that its memory is its own. Says where it is, and how much it holds when asked. */
const SECRET = process.env.SOAK_SECRET ?? '';

const broker = await startBroker({
  port: 0,
  httpApi: { key: SECRET },
  // Time enough for the pongs of those who stay, on a machine that has a lot else to do.
  client: { token: { hmacSecretKey: SECRET }, pingIntervalMs: 8000, pongTimeoutMs: 7000, staleCloseDelayMs: 1000 },
  channel: {
    namespaces: {
      feed: { historySize: 100, historyTtlMs: 60_000, forceRecovery: true, allowSubscribeForClient: true },
      // Streams of it are forgotten within seconds, so that what stays behind would show.
      brief: {
        historySize: 10,
        historyTtlMs: 1000,
        historyMetaTtlMs: 2000,
        forceRecovery: true,
        presence: true,
        joinLeave: true,
        forcePushJoinLeave: true,
        allowSubscribeForClient: true,
        allowPublishForClient: true,
      },
    },
  },
});

process.on('message', () => {
  globalThis.gc?.();
  const { heapUsed, external } = process.memoryUsage();
  process.send?.({ heldBytes: heapUsed + external });
});
process.on('disconnect', () => process.exit(0));
process.send?.({ url: broker.url, apiUrl: broker.apiUrl });
