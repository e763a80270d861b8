import pg from 'pg';
import { relayTable, startOutboxRelay } from '../src/outbox/index.ts';
import { OutboxRelay } from '../src/outbox/outbox-relay.ts';
import { type OpenStore, storeOpener } from '../src/outbox/outbox-store.ts';
import { connectionOpener } from '../src/outbox/relay-connection.ts';
import { hasLock, type RelayState } from '../src/outbox/relay-state.ts';
import { callClock } from '../src/server/deadline.ts';
import { createRealtime } from '../src/server/index.ts';
import { API_KEY, type Fault, settings, tell } from './settings.ts';

/** A relay in a process of its own; on request one that was built wrongly. */

const { databaseUrl, recordedApiUrl, fault } = settings();
const realtime = createRealtime({ apiUrl: recordedApiUrl, apiKey: API_KEY, timeoutMs: 1000, spread: false });
const database = () => new pg.Client({ connectionString: databaseUrl, application_name: 'relay' });
const timing = { pollMs: 50, batchSize: 20, retry: { minMs: 10, maxMs: 100 } };

let wasLocked = false;
function onState(state: RelayState): void {
  const isLocked = hasLock(state);
  if (isLocked !== wasLocked) tell({ hasLock: isLocked });
  wasLocked = isLocked;
}

if (fault === null) startOutboxRelay({ database, realtime, onState, onFault: () => {}, ...timing });
else
  new OutboxRelay({
    open: wrong(storeOpener(connectionOpener(database), relayTable()), fault),
    realtime,
    report: () => {},
    onState,
    clock: callClock,
    random: Math.random,
    maxAttempts: 8,
    ...timing,
  });
tell({ ready: true });

function wrong(open: OpenStore, mistake: Fault): OpenStore {
  return async (events) => {
    const store = await open(events);
    let lastId = 0n;
    if (mistake === 'no-lock') return { ...bound(store), lock: async () => true };
    if (mistake === 'deletes-first')
      return {
        ...bound(store),
        async read(limit) {
          const rows = await store.read(limit);
          await store.remove(rows.map(({ id }) => id));
          return rows;
        },
      };
    if (mistake === 'remembers-last-id')
      return {
        ...bound(store),
        async read(limit) {
          const rows = (await store.read(limit)).filter(({ id }) => BigInt(id) > lastId);
          for (const { id } of rows) if (BigInt(id) > lastId) lastId = BigInt(id);
          return rows;
        },
      };
    return store;
  };
}

type Store = Awaited<ReturnType<OpenStore>>;

/** The methods of a store as functions, so that one can be put in another's place. */
function bound(store: Store): Store {
  return {
    lock: () => store.lock(),
    read: (limit) => store.read(limit),
    remove: (ids) => store.remove(ids),
    setAside: (id, reason) => store.setAside(id, reason),
    close: () => store.close(),
  };
}
