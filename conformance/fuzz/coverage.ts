import { Session } from 'node:inspector/promises';

/** Tells whether running something reached code that nothing reached before, by V8's own counters (precise, by blocks). */
export class Coverage {
  readonly #session = new Session();
  readonly #isMeasured: (url: string) => boolean;
  /** Blocks that were reached, with the magnitude of how often: a loop that runs eight times is something else than one that runs once. */
  readonly #reached = new Set<string>();

  constructor(isMeasured: (url: string) => boolean) {
    this.#isMeasured = isMeasured;
  }

  async start(): Promise<void> {
    this.#session.connect();
    await this.#session.post('Profiler.enable');
    await this.#session.post('Profiler.startPreciseCoverage', { callCount: true, detailed: true });
  }

  get size(): number {
    return this.#reached.size;
  }

  /** What was reached since the last call and never before it was kept. */
  async news(): Promise<string[]> {
    const { result } = await this.#session.post('Profiler.takePreciseCoverage');
    const news: string[] = [];
    for (const { url, scriptId, functions } of result) {
      if (!this.#isMeasured(url)) continue;
      for (const { ranges } of functions)
        for (const { startOffset, endOffset, count } of ranges) {
          const place = `${scriptId}:${startOffset}:${endOffset}:${Math.ceil(Math.log2(count + 1))}`;
          if (count > 0 && !this.#reached.has(place)) news.push(place);
        }
    }
    return news;
  }

  keep(places: readonly string[]): void {
    for (const place of places) this.#reached.add(place);
  }
}
