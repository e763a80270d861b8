import type { ObservedMutation } from '../core/events.ts';
import { piecesOf } from './pieces.ts';

/** What came with one answer. It belongs to the data, not to a cache key. */
export interface Answer {
  /** The metadata as it travelled: not parsed yet, so not to be trusted. */
  readonly wire: unknown;
  /** Per listener its tick when the request left, for its floor; `null` where the answer may be older than the request. */
  readonly sentAt: Ticks | null;
}

/** One call of a query procedure. `answer` stays `null` until there is one that came with metadata. */
export interface Call {
  readonly path: string;
  readonly input: unknown;
  answer: Answer | null;
}

/**
 * What happens in a tab.
 * - `called`: a query procedure is being called, from inside the fetch that needs it.
 * - `answered`: data came that says something about itself.
 * - `mutating`: a mutation leaves. `mutated`: its answer's metadata, before the app sees the answer. `settled`: it is over; `failed` also where its answer was lost. All three name it by the same object.
 */
export type CallEvent =
  | { readonly type: 'called'; readonly call: Call }
  | { readonly type: 'answered' }
  | { readonly type: 'mutating'; readonly mutation: ObservedMutation }
  | { readonly type: 'mutated'; readonly mutation: ObservedMutation; readonly wire: unknown }
  | { readonly type: 'settled'; readonly mutation: ObservedMutation; readonly failed: boolean };

/** One that follows the calls of a tab: a bound query client. */
export interface CallListener {
  /** Names this moment, so that what was known now can be looked up later; 0 as long as nothing is. */
  tick(): number;
  on(event: CallEvent): void;
}

type Ticks = ReadonlyMap<CallListener, number>;

/** How many requests that left are remembered. An answer to an older one brings no floor, which is safe. */
const REMEMBERED_REQUESTS = 512;
/** How many calls are remembered for query clients that are bound, or have the rest loaded, only after them. */
const REMEMBERED_CALLS = 256;

/**
 * Where the link leaves what answers say about themselves and bound query clients pick it up. Answers are kept by the identity of their data, weakly, so nobody
 * who does not hold the data learns anything about it.
 */
export class Answers {
  readonly #byData = new WeakMap<object, Answer>();
  readonly #requests = new Map<string, Ticks>();
  readonly #prefix: string;
  readonly #rememberedCalls: number;
  /** Those who follow the calls of the tab: bound query clients. @internal */
  readonly listeners = new Set<CallListener>();
  /** The last calls of query procedures, oldest first. @internal */
  readonly calls: Call[] = [];
  /** Whether there ever was an answer with metadata. @internal */
  isUsed = false;
  #count = 0;

  /**
   * @param prefix makes request ids differ from those of other tabs and page loads: `[A-Za-z0-9_-]`, at most 32 characters
   * @param rememberedCalls how many calls are kept in `calls` while nobody listens; none where one instance serves several users
   */
  constructor(prefix: string = Math.random().toString(36).slice(2), rememberedCalls: number = REMEMBERED_CALLS) {
    this.#prefix = prefix;
    this.#rememberedCalls = rememberedCalls;
  }

  /** Tells everybody who follows the calls. @internal */
  emit(event: CallEvent): void {
    for (const listener of this.listeners) listener.on(event);
  }

  /** A request leaves now. Returns its id, which the answer echoes. @internal */
  requestLeaves(): string {
    const id = `${this.#prefix}-${(++this.#count).toString(36)}`;
    this.#requests.set(id, this.#ticks());
    if (this.#requests.size > REMEMBERED_REQUESTS) this.#requests.delete(this.#requests.keys().next().value ?? '');
    return id;
  }

  /** A query procedure is called. Returns what takes its metadata, and is called before the answer is handed on. @internal */
  called(path: string, input: unknown): (wire: unknown) => Answer {
    const call: Call = { path, input, answer: null };
    const started = this.#ticks();
    this.calls.push(call);
    const remembered = this.listeners.size ? REMEMBERED_CALLS : this.#rememberedCalls;
    if (this.calls.length > remembered) this.calls.shift();
    this.emit({ type: 'called', call });
    return (wire) => {
      // An echoed id is looked up, not compared with this call's: a cached answer to an earlier request has the floor of that one.
      const id = (wire as { id?: unknown } | null)?.id;
      const sentAt = id === true ? started : (typeof id === 'string' && this.#requests.get(id)) || null;
      call.answer = { wire, sentAt };
      return call.answer;
    };
  }

  /** Keeps what is known about `data`. Values that are no objects have no identity; those are found by their call. @internal */
  set(data: unknown, answer: Answer): void {
    this.isUsed = true;
    if (typeof data === 'object' && data) this.#byData.set(data, answer);
    this.emit({ type: 'answered' });
  }

  /** What is known about this very object. @internal */
  get(data: unknown): Answer | undefined {
    return typeof data === 'object' && data ? this.#byData.get(data) : undefined;
  }

  /** All answers that data is made of: its own, or those of its pieces; `null` unless every piece is one. @internal */
  of(data: unknown): readonly Answer[] | null {
    const own = this.get(data);
    if (own) return [own];
    const answers: Answer[] = [];
    for (const piece of piecesOf(data)) {
      const answer = this.get(piece);
      if (!answer) return null;
      answers.push(answer);
    }
    return answers.length ? answers : null;
  }

  #ticks(): Ticks {
    return new Map(Array.from(this.listeners, (listener) => [listener, listener.tick()]));
  }
}

const DEFAULT = Symbol.for('@op/realtime.answers');

/**
 * The one instance that links and query clients of a tab share unless told otherwise. On `globalThis`, because bundlers may load this module several times
 * (one copy per layer in Next.js, again after a hot update). On a server it serves all users, so there it keeps nothing that is not found by its very data.
 */
export function sharedAnswers(): Answers {
  const scope = globalThis as { [DEFAULT]?: Answers };
  scope[DEFAULT] ??= new Answers(undefined, typeof window === 'undefined' ? 0 : undefined);
  return scope[DEFAULT];
}
