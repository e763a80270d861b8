/** As Centrifugo names them in the label `type`. */
export type ProxyType = 'connect' | 'refresh' | 'subscribe' | 'publish' | 'sub_refresh' | 'rpc';

/** The calls of one proxy so far. */
export interface ProxyCalls {
  /** That have ended, and the seconds that they took together. */
  count: number;
  seconds: number;
  /** Of these, calls without an answer: no connection, no answer in time, or a status that stands for nothing. */
  errors: number;
  inflight: number;
}

/** Counts the calls of the application. */
export class ProxyMetrics {
  readonly #byLabels = new Map<string, ProxyCalls>();

  /** The calls of a proxy, by the labels of its metrics. */
  get byLabels(): ReadonlyMap<string, Readonly<ProxyCalls>> {
    return this.#byLabels;
  }

  /** The calls of one kind by a proxy of this name. */
  of(type: ProxyType, name: string): ProxyCalls {
    const labels = `name="${name}",protocol="http",type="${type}"`;
    let calls = this.#byLabels.get(labels);
    if (!calls) {
      calls = { count: 0, seconds: 0, errors: 0, inflight: 0 };
      this.#byLabels.set(labels, calls);
    }
    return calls;
  }
}
