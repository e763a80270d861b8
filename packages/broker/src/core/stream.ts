import type { StoredPublication } from '../protocol/encoding.ts';

/** A place in a stream. */
export interface Position {
  readonly offset: number;
  readonly epoch: string;
}

/** Which publications to read. */
export interface HistoryFilter {
  /** At most so many; 0 for none, below 0 for all. */
  readonly limit: number;
  /** Only those behind this place (before it, if reversed). An empty epoch matches any. */
  readonly since?: Position | undefined;
  /** Newest first. */
  readonly isReverse?: boolean;
}

export interface RecoveryResult {
  readonly isRecovered: boolean;
  readonly publications: readonly StoredPublication[];
}

/**
 * The history of one channel: a numbered sequence of publications of which the last `size` are kept until they expire.
 * Numbers and epoch outlive the publications. The ring grows with its use, so a channel that was published to once costs one entry.
 */
export class ChannelStream {
  readonly epoch: string;
  #top = 0;
  #ring: StoredPublication[] = [];
  /** Index of the oldest publication, once the ring is full. */
  #start = 0;
  #expiresAtMs = 0;
  /** When epoch and offset may be forgotten too. */
  metaExpiresAtMs = 0;
  #version = 0;
  #versionEpoch = '';

  constructor(epoch: string) {
    this.epoch = epoch;
  }

  get position(): Position {
    return { offset: this.#top, epoch: this.epoch };
  }

  get top(): number {
    return this.#top;
  }

  /** Publications kept. */
  get length(): number {
    return this.#ring.length;
  }

  /** The offset that the next publication gets. */
  get nextOffset(): number {
    return this.#top + 1;
  }

  /** Whether a publication of this version comes too late: one with the same or a greater version is on top. */
  isOutdated(version: number, versionEpoch: string): boolean {
    if (version <= 0 || this.#top === 0) return false;
    return (versionEpoch === '' || versionEpoch === this.#versionEpoch) && version <= this.#version;
  }

  /** Appends a publication that carries `nextOffset`. */
  add(publication: StoredPublication, size: number, expiresAtMs: number, version = 0, versionEpoch = ''): void {
    this.#top = publication.offset;
    this.#expiresAtMs = expiresAtMs;
    this.#version = version;
    this.#versionEpoch = versionEpoch;
    if (this.#ring.length < size) {
      this.#ring.push(publication);
      return;
    }
    this.#ring[this.#start] = publication;
    this.#start = (this.#start + 1) % size;
  }

  /** Forgets the publications, but neither epoch nor offset. */
  clear(): void {
    if (this.#ring.length === 0) return;
    this.#ring = [];
    this.#start = 0;
  }

  /** Forgets what has expired. */
  expire(nowMs: number): void {
    if (this.#ring.length > 0 && nowMs >= this.#expiresAtMs) this.clear();
  }

  /** The last publication, if it is still kept. */
  get latest(): StoredPublication | undefined {
    return this.#at(this.#ring.length - 1);
  }

  #at(index: number): StoredPublication | undefined {
    return this.#ring[(this.#start + index) % this.#ring.length];
  }

  /**
   * Reads a part of the history. An offset before the oldest kept publication reads from the oldest on, as Centrifugo does
   * (reversed: nothing); whether that is a gap is for the reader to see.
   */
  read({ limit, since, isReverse = false }: HistoryFilter): StoredPublication[] {
    const count = this.#ring.length;
    if (limit === 0 || count === 0) return [];
    const oldest = this.#top - count + 1;
    let index = isReverse ? count - 1 : 0;
    if (since) {
      const offset = isReverse ? since.offset - 1 : since.offset + 1;
      if (offset > this.#top) return [];
      if (isReverse && offset < oldest) return [];
      index = Math.max(offset - oldest, 0);
    }
    const available = isReverse ? index + 1 : count - index;
    const taken = limit < 0 ? available : Math.min(limit, available);
    const step = isReverse ? -1 : 1;
    return Array.from({ length: taken }, (_, i) => this.#at(index + i * step)!);
  }

  /** What a client that knows the stream up to `since` has missed, if that can be told without a gap. */
  recover(since: Position, maxPublications: number): RecoveryResult {
    const lost = { isRecovered: false, publications: [] };
    if (since.epoch !== '' && since.epoch !== this.epoch) return lost;
    const publications = this.read({ limit: maxPublications > 0 ? maxPublications : -1, since });
    const first = publications[0];
    if (first === undefined) return since.offset === this.#top ? { isRecovered: true, publications } : lost;
    const isRecovered = first.offset === since.offset + 1 && publications.at(-1)!.offset === this.#top;
    return isRecovered ? { isRecovered, publications } : lost;
  }

  /** The same for cache recovery: only the latest publication counts, and of those that pass only the latest is sent. */
  recoverLatest(since: Position, passes: (publication: StoredPublication) => boolean): RecoveryResult {
    const isSame = since.offset > 0 && since.offset === this.#top && since.epoch === this.epoch;
    const { latest } = this;
    if (latest === undefined) return { isRecovered: isSame, publications: [] };
    const sent = isSame ? undefined : this.read({ limit: -1, isReverse: true }).find(passes);
    return { isRecovered: true, publications: sent ? [sent] : [] };
  }
}
