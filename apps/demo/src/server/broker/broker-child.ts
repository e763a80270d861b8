import { optionsFromEnv, startBroker } from '@op/realtime-broker';

/** How long clients may take to leave before the process ends anyway. */
const CLOSE_PATIENCE_MS = 300;

/** The broker in a process of its own: what it does under load, or when it is killed, is no matter of the app's. */
const broker = await startBroker(optionsFromEnv(process.env));

// It ends with whoever started it, also when that one was killed. Ctrl-C reaches both at once; the parent then ends this one in its order.
process.once('disconnect', () => {
  setTimeout(() => process.exit(0), CLOSE_PATIENCE_MS);
  void broker.close().finally(() => process.exit(0));
});
process.on('SIGINT', () => {});

process.send?.({ url: broker.url, apiUrl: broker.apiUrl });
