import { cpuMs } from '../measure/process-usage.ts';

/** CPU time of the server and of the generator itself since a moment. */
export class Meter {
  readonly #pid: number;
  readonly #server: number;
  readonly #own: NodeJS.CpuUsage;
  readonly #startedAt = performance.now();

  constructor(pid: number) {
    this.#pid = pid;
    this.#server = cpuMs(pid);
    this.#own = process.cpuUsage();
  }

  get elapsedMs(): number {
    return performance.now() - this.#startedAt;
  }

  perSecond(count: number): number {
    return (count / this.elapsedMs) * 1000;
  }

  /** CPU time that the server spent on one of `count` things. */
  serverMicrosPer(count: number): number {
    return ((cpuMs(this.#pid) - this.#server) / count) * 1000;
  }

  /** The generator's share of one core. */
  get generatorShare(): number {
    const { user, system } = process.cpuUsage(this.#own);
    return (user + system) / 1000 / this.elapsedMs;
  }
}
