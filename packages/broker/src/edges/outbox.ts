import type { ByteString } from '../protocol/byte-string.ts';

/**
 * One message behind others. Connections with the same sequence of messages waiting share one link, so a publication to a thousand of them is one
 * link and, when they are flushed, one joined frame.
 */
class Link {
  readonly parent: Link | undefined;
  readonly message: ByteString;
  /** Of all messages up to here. */
  readonly bytes: number;
  #last: Link | undefined = undefined;
  #frame: Buffer | undefined = undefined;

  constructor(parent: Link | undefined, message: ByteString) {
    this.parent = parent;
    this.message = message;
    this.bytes = (parent?.bytes ?? 0) + message.length;
  }

  /** The link for this message behind this one. */
  append(message: ByteString): Link {
    if (this.#last?.message === message) return this.#last;
    this.#last = new Link(this, message);
    return this.#last;
  }

  /** All messages up to here as bytes for the wire, made once. */
  frame(framing: Framing): Buffer {
    if (this.#frame) return this.#frame;
    const messages: ByteString[] = [];
    for (let link: Link = this; link.parent; link = link.parent) messages.push(link.message);
    this.#frame = framing(messages.reverse());
    return this.#frame;
  }

  forget(): void {
    this.#last = undefined;
  }
}

/** Makes one piece for the wire of several messages. */
export type Framing = (messages: readonly ByteString[]) => Buffer;

/** What waits to be sent on one kind of connection; the root of all their links. */
export class Lineage {
  readonly framing: Framing;
  readonly root = new Link(undefined, '');
  constructor(framing: Framing) {
    this.framing = framing;
  }
}

/** Who is told that a client does not read. */
export interface OutboxOwner {
  /** More waits than may wait. */
  overflowed(): void;
}

/** Where bytes go: a socket, or the response of a request. */
export interface Sink {
  readonly destroyed: boolean;
  readonly writableLength: number;
  write(bytes: Buffer): boolean;
  once(event: 'drain', listener: () => void): unknown;
}

/** What waits to be sent to one client. */
export class Outbox {
  readonly #sink: Sink;
  readonly #flusher: Flusher;
  readonly #lineage: Lineage;
  readonly #maxBytes: number;
  readonly #owner: OutboxOwner;
  #tail: Link;
  #isBlocked = false;
  #isClosed = false;
  /** Places in the flusher's queues; for the flusher alone. */
  isUrgent = false;
  isQueued = false;

  constructor(sink: Sink, flusher: Flusher, lineage: Lineage, maxBytes: number, owner: OutboxOwner) {
    this.#sink = sink;
    this.#flusher = flusher;
    this.#lineage = lineage;
    this.#maxBytes = maxBytes;
    this.#owner = owner;
    this.#tail = lineage.root;
  }

  /** Whether the client has not taken what was written to it. */
  get isBlocked(): boolean {
    return this.#isBlocked;
  }

  /** Queues a message; it leaves with the next flush. */
  push(message: ByteString, isUrgent: boolean): void {
    if (this.#isClosed) return;
    this.#tail = this.#tail.append(message);
    const waiting = this.#tail.bytes + (this.#isBlocked ? this.#sink.writableLength : 0);
    if (waiting > this.#maxBytes) this.#owner.overflowed();
    else if (!this.#isBlocked) this.#flusher.add(this, isUrgent);
  }

  /** Writes all that waits, in one piece. A socket that does not take it is left alone until it drains. */
  flush(): void {
    if (this.#isBlocked || this.#isClosed) return;
    this.#write();
  }

  #write(): void {
    const { root, framing } = this.#lineage;
    if (this.#tail === root || this.#sink.destroyed) return;
    const frame = this.#tail.frame(framing);
    this.#tail = root;
    // write() also says false to a large piece that went out at once: only what is still there counts.
    if (this.#sink.write(frame) || this.#sink.writableLength === 0) return;
    this.#isBlocked = true;
    this.#sink.once('drain', () => {
      this.#isBlocked = false;
      this.flush();
    });
  }

  /** No more messages. @param isFlushed whether those that wait are still written */
  close(isFlushed: boolean): void {
    if (this.#isClosed) return;
    if (isFlushed) this.#write();
    this.#isClosed = true;
    this.#tail = this.#lineage.root;
  }
}

/** First in, first out; taking is cheap. */
class Queue {
  #items: (Outbox | undefined)[] = [];
  #head = 0;
  get size(): number {
    return this.#items.length - this.#head;
  }
  push(item: Outbox): void {
    this.#items.push(item);
  }
  shift(): Outbox | undefined {
    const item = this.#items[this.#head];
    this.#items[this.#head++] = undefined;
    if (this.#head === this.#items.length) {
      this.#items.length = 0;
      this.#head = 0;
    } else if (this.#head === 8192) {
      this.#items = this.#items.slice(8192);
      this.#head = 0;
    }
    return item;
  }
}

const SLICE = 32;
const URGENT_SLICE = 256;
const FIRST_BURST = 1000;
const FIRST_BURST_MS = 10;
const IDLE_MS = 3;

/**
 * Writes to sockets. A write costs 7–10 µs of kernel time whatever it carries, so what is published during one turn of the event loop is
 * joined into one write per socket, and large fan-outs go out in slices: what is published meanwhile joins what later sockets still wait for, and the
 * loop stays free. Urgent connections (replies, small channels) go first. After a pause there is nothing to join, so the first burst goes out whole.
 */
export class Flusher {
  readonly #urgent = new Queue();
  readonly #rest = new Queue();
  readonly #lineages: Lineage[] = [];
  #isScheduled = false;
  #flushedAtMs = 0;

  /** Registers a kind of connection. */
  lineage(framing: Framing): Lineage {
    const lineage = new Lineage(framing);
    this.#lineages.push(lineage);
    return lineage;
  }

  add(outbox: Outbox, isUrgent: boolean): void {
    if (outbox.isUrgent) return;
    if (isUrgent) {
      outbox.isUrgent = true;
      this.#urgent.push(outbox);
    } else if (!outbox.isQueued) {
      outbox.isQueued = true;
      this.#rest.push(outbox);
    }
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    if (performance.now() - this.#flushedAtMs > IDLE_MS) process.nextTick(this.#first);
    else setImmediate(this.#next);
  }

  readonly #first = (): void => {
    const end = performance.now() + FIRST_BURST_MS;
    this.#flush(FIRST_BURST, FIRST_BURST, end);
  };

  readonly #next = (): void => this.#flush(URGENT_SLICE, SLICE, Number.POSITIVE_INFINITY);

  #flush(urgent: number, rest: number, end: number): void {
    for (let i = 0; i < urgent && this.#urgent.size > 0; i++) {
      const outbox = this.#urgent.shift()!;
      outbox.isUrgent = false;
      outbox.flush();
    }
    for (let i = 0; i < rest && this.#rest.size > 0; i++) {
      const outbox = this.#rest.shift()!;
      outbox.isQueued = false;
      outbox.flush();
      if (i % SLICE === SLICE - 1 && performance.now() > end) break;
    }
    this.#flushedAtMs = performance.now();
    if (this.#urgent.size > 0 || this.#rest.size > 0) {
      setImmediate(this.#next);
      return;
    }
    this.#isScheduled = false;
    for (const { root } of this.#lineages) root.forget();
  }
}
