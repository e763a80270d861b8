import { startBroker } from '@op/realtime-broker';
import { API_KEY, settings, TOKEN_SECRET, tell } from './settings.ts';

/** The broker, in a process of its own. A history so short that recovery sometimes fails. */
await startBroker({
  port: settings().port,
  httpApi: { key: API_KEY },
  client: { token: { hmacSecretKey: TOKEN_SECRET } },
  channel: { namespaces: { trpc: { historySize: 3, historyTtlMs: 600_000, forceRecovery: true } } },
});
tell({ ready: true });
