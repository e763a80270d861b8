import type { ApiConnection } from './api-connection.ts';
import { until } from './load.ts';

/** Keeps every API connection busy while `mayPublish` allows. */
export class Publisher {
  published = 0;
  #isRunning = true;
  #underWay = 0;
  readonly #idle: ApiConnection[] = [];
  readonly #body: () => string;
  readonly #mayPublish: (published: number) => boolean;

  constructor(apis: readonly ApiConnection[], body: () => string, mayPublish: (published: number) => boolean) {
    this.#body = body;
    this.#mayPublish = mayPublish;
    for (const api of apis) this.#pump(api);
  }

  /** Goes on where `mayPublish` has become true. */
  wake(): void {
    while (this.#idle.length && this.#isRunning && this.#mayPublish(this.published)) this.#pump(this.#idle.pop()!);
  }

  /** Stops, and waits for the answers under way. */
  async stop(): Promise<void> {
    this.#isRunning = false;
    await until(() => this.#underWay === 0);
  }

  #pump(api: ApiConnection): void {
    if (!this.#isRunning) return;
    if (!this.#mayPublish(this.published)) {
      this.#idle.push(api);
      return;
    }
    this.published++;
    this.#underWay++;
    api.post(this.#body(), () => {
      this.#underWay--;
      this.#pump(api);
    });
  }
}
