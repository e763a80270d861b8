/** A publication as a client gets it. */
export class ReceivedPublication {
  readonly channel: string;
  readonly offset: number;
  readonly #text: string;
  readonly #start: number;

  constructor(text: string, start: number) {
    // `{"push":{"channel":"` is 20 characters long.
    this.channel = text.slice(start + 20, text.indexOf('"', start + 20));
    this.offset = numberAfter(text, '"offset":', start);
    this.#text = text;
    this.#start = start;
  }

  /** Milliseconds since the publication was handed to the API. */
  get latencyMs(): number {
    const at = this.#text.indexOf('"t":', this.#start) + 4;
    return performance.now() - Number.parseFloat(this.#text.substring(at, at + 20));
  }
}

function numberAfter(text: string, key: string, start: number): number {
  const found = text.indexOf(key, start);
  if (found < 0) return Number.NaN;
  let value = 0;
  for (let at = found + key.length; ; at++) {
    const digit = text.charCodeAt(at) - 48;
    if (!(digit >= 0 && digit <= 9)) return value;
    value = value * 10 + digit;
  }
}

/** What a frame holds. */
export interface ReceivedFrame {
  readonly publications: readonly ReceivedPublication[];
  /** Lines that are no publications: replies and pings. */
  readonly others: readonly string[];
}

const KEPT = 1000;

/**
 * Reads frames. The subscribers of a channel get the same bytes, so what a frame says is remembered by its length, and used again after a comparison
 * of all bytes: without this the load generator would be what is measured.
 */
export class FrameParser {
  readonly #known = new Map<number, { readonly bytes: Buffer; readonly frame: ReceivedFrame }>();

  parse(data: Buffer, start: number, end: number): ReceivedFrame {
    const known = this.#known.get(end - start);
    if (known && data.compare(known.bytes, 0, known.bytes.length, start, end) === 0) return known.frame;
    const frame = parseText(data.toString('latin1', start, end));
    if (this.#known.size >= KEPT) this.#known.clear();
    this.#known.set(end - start, { bytes: Buffer.from(data.subarray(start, end)), frame });
    return frame;
  }
}

function parseText(text: string): ReceivedFrame {
  const publications: ReceivedPublication[] = [];
  const others: string[] = [];
  let start = 0;
  while (start < text.length) {
    let end = text.indexOf('\n', start);
    if (end < 0) end = text.length;
    if (text.startsWith('{"push":{"channel":"', start)) publications.push(new ReceivedPublication(text, start));
    else others.push(text.slice(start, end));
    start = end + 1;
  }
  return { publications, others };
}
