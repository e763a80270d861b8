import type { Message } from '../../src/core/message.ts';
import { type OutboxRow, parseRow } from '../../src/outbox/outbox-row.ts';
import type { OpenStore, OutboxStore } from '../../src/outbox/outbox-store.ts';
import type { ConnectionEvents } from '../../src/outbox/relay-connection.ts';

interface Written {
  readonly id: number;
  readonly channel: string;
  readonly message: string | null;
  readonly writtenAt: number;
  failure?: string;
}

/** The table in memory, for any number of relays; connections break when a test says so. */
export class MemoryOutbox {
  readonly #now: () => number;
  #rows: Written[] = [];
  #lastId = 0;
  #owner: object | null = null;
  readonly #connections = new Map<object, ConnectionEvents>();
  /** The largest batch that was ever read. */
  largestBatch = 0;
  reads = 0;
  /** What `open` and statements reject with, while it is set. */
  outage: Error | null = null;

  constructor(now: () => number = () => 0) {
    this.#now = now;
  }

  /** An id that is taken, for a row that commits later than those after it. */
  reserve(): number {
    this.#lastId += 1;
    return this.#lastId;
  }

  write(channel: string, message: Message | string | null, id = this.reserve()): void {
    const text = typeof message === 'string' || message === null ? message : JSON.stringify(message);
    this.#rows.push({ id, channel, message: text, writtenAt: this.#now() });
    if (id !== this.#lastId) this.#rows.sort((a, b) => a.id - b.id);
    for (const { onNotified } of this.#connections.values()) onNotified();
  }

  get waiting(): number {
    return this.#rows.filter(({ failure }) => failure === undefined).length;
  }

  get deadLetters(): { readonly id: number; readonly failure: string }[] {
    return this.#rows.flatMap(({ id, failure }) => (failure === undefined ? [] : [{ id, failure }]));
  }

  get connections(): number {
    return this.#connections.size;
  }

  /** Breaks every connection: the locks are free, and whoever is connected hears of it. */
  breakConnections(): void {
    const broken = [...this.#connections.values()];
    this.#connections.clear();
    this.#owner = null;
    for (const { onLost } of broken) onLost(new Error('connection terminated'));
  }

  readonly open: OpenStore = async (events) => {
    if (this.outage) throw this.outage;
    const connection = {};
    this.#connections.set(connection, events);
    const statement = async <T>(run: () => T): Promise<T> => {
      if (this.outage) throw this.outage;
      if (!this.#connections.has(connection)) throw new Error('the connection is closed');
      return run();
    };
    const store: OutboxStore = {
      lock: () =>
        statement(() => {
          this.#owner ??= connection;
          return this.#owner === connection;
        }),
      read: (limit) => statement(() => this.#read(limit)),
      remove: (ids) =>
        statement(() => {
          const gone = new Set(ids);
          this.#rows = this.#rows.filter(({ id }) => !gone.has(String(id)));
        }),
      setAside: (id, reason) =>
        statement(() => {
          for (const row of this.#rows) if (String(row.id) === id) row.failure = reason;
        }),
      close: async () => {
        this.#connections.delete(connection);
        if (this.#owner === connection) this.#owner = null;
      },
    };
    return store;
  };

  #read(limit: number): readonly OutboxRow[] {
    const rows = this.#rows.filter(({ failure }) => failure === undefined).slice(0, limit);
    this.reads += 1;
    this.largestBatch = Math.max(this.largestBatch, rows.length);
    return rows.map(({ id, channel, message, writtenAt }) =>
      parseRow({ id, key: `key-${id}`, channel, message, tags: null, age_ms: this.#now() - writtenAt }),
    );
  }
}
