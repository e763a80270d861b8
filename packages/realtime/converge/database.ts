/** The truth: lists of notes by topic. A commit is atomic; a read sees all commits before it. */
export class Database {
  readonly #topics = new Map<string, readonly string[]>();
  #commits = 0;

  get commits(): number {
    return this.#commits;
  }

  read(topic: string): readonly string[] {
    return this.#topics.get(topic) ?? [];
  }

  append(topic: string, note: string): void {
    this.#topics.set(topic, [...this.read(topic), note].slice(-20));
    this.#commits++;
  }

  clear(topic: string): void {
    this.#topics.set(topic, []);
    this.#commits++;
  }
}
