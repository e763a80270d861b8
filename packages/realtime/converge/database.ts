/** The truth: lists of notes by topic. A commit is atomic; a read sees all commits before it. */
export class Database {
  readonly #topics = new Map<string, Topic>();
  readonly #announced = new Map<string, number>();
  #commits = 0;

  get commits(): number {
    return this.#commits;
  }

  read(topic: string): Topic {
    return this.#topics.get(topic) ?? EMPTY;
  }

  append(topic: string, note: string): Topic {
    return this.#commit(topic, [...this.read(topic).notes, note].slice(-20));
  }

  clear(topic: string): Topic {
    return this.#commit(topic, []);
  }

  /** The broker has taken an announcement that was made when the topic stood at this version. */
  announced(topic: string, version: number): void {
    this.#announced.set(topic, Math.max(version, this.announcedVersion(topic)));
  }

  announcedVersion(topic: string): number {
    return this.#announced.get(topic) ?? 0;
  }

  #commit(topic: string, notes: readonly string[]): Topic {
    const next = { version: this.read(topic).version + 1, notes };
    this.#topics.set(topic, next);
    this.#commits++;
    return next;
  }
}

export interface Topic {
  /** Counts the commits. */
  readonly version: number;
  readonly notes: readonly string[];
}

const EMPTY: Topic = { version: 0, notes: [] };
