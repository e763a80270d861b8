import { BrokerConfigError } from './errors.ts';
import type { CharTest } from './go-regex-class.ts';
import { type Place, parseGoRegex, type RegexNode, RegexSyntaxError } from './go-regex-syntax.ts';

/** A compiled expression. */
export interface GoRegex {
  /** Whether it matches anywhere in the text. Takes time in proportion to the text, whatever the expression. */
  test(text: string): boolean;
}

/** A step of a program. Only `char` takes a character; the others lead on. */
type Step =
  | { readonly kind: 'char'; readonly test: CharTest }
  | { readonly kind: 'place'; readonly place: Place }
  | { readonly kind: 'fork'; to: number }
  | { readonly kind: 'jump'; to: number }
  | { readonly kind: 'end' };

/** Counted repetitions are written out, so this bounds what an expression costs. */
const MAX_STEPS = 500_000;

/**
 * Compiles an expression in the syntax of Go, in which Centrifugo's options are written. It is in all of its states at once (Thompson's
 * construction), as Go's is, because the texts come from clients: JavaScript's own engine tries one way after the other, which a text can draw out for ever.
 * @param where the option, for the error
 * @throws BrokerConfigError (`invalid_config`) for what Go refuses
 */
export function compileGoRegex(where: string, source: string): GoRegex {
  try {
    const steps: Step[] = [];
    emit(steps, parseGoRegex(source));
    add(steps, { kind: 'end' });
    return new Matcher(steps);
  } catch (cause) {
    if (!(cause instanceof RegexSyntaxError)) throw cause;
    throw new BrokerConfigError(`${where} is no regular expression in Go's syntax (RE2): it has ${cause.message}.`);
  }
}

function add<S extends Step>(steps: Step[], step: S): S {
  if (steps.length >= MAX_STEPS) throw new RegexSyntaxError('too many repetitions');
  steps.push(step);
  return step;
}

function emit(steps: Step[], node: RegexNode): void {
  switch (node.kind) {
    case 'sequence':
      for (const item of node.items) emit(steps, item);
      return;
    case 'either': {
      const last = node.items.length - 1;
      const jumps = node.items.slice(0, last).map((item) => {
        const fork = add(steps, { kind: 'fork', to: 0 });
        emit(steps, item);
        const jump = add(steps, { kind: 'jump', to: 0 });
        fork.to = steps.length;
        return jump;
      });
      emit(steps, node.items[last]!);
      for (const jump of jumps) jump.to = steps.length;
      return;
    }
    case 'repeat':
      emitRepeat(steps, node.item, node.min, node.max);
      return;
    default:
      add(steps, node);
  }
}

function emitRepeat(steps: Step[], item: RegexNode, min: number, max: number): void {
  for (let i = 0; i < min; i++) emit(steps, item);
  if (max === Number.POSITIVE_INFINITY) {
    const start = steps.length;
    const fork = add(steps, { kind: 'fork', to: 0 });
    emit(steps, item);
    add(steps, { kind: 'jump', to: start });
    fork.to = steps.length;
    return;
  }
  const forks: { to: number }[] = [];
  for (let i = min; i < max; i++) {
    forks.push(add(steps, { kind: 'fork', to: 0 }));
    emit(steps, item);
  }
  for (const fork of forks) fork.to = steps.length;
}

const START = -1;

class Matcher implements GoRegex {
  readonly #steps: readonly Step[];
  /** When a step was last reached, as a count of visits to places: each is followed once per place. */
  readonly #reachedAt: Float64Array;
  #visit = 0;

  constructor(steps: readonly Step[]) {
    this.#steps = steps;
    this.#reachedAt = new Float64Array(steps.length);
  }

  test(text: string): boolean {
    const codes = Array.from(text, (char) => char.codePointAt(0)!);
    let waiting: number[] = [];
    let before = START;
    for (let i = 0; ; i++) {
      const code = codes[i] ?? START;
      this.#visit++;
      const reached: number[] = [];
      // A match may begin anywhere, so the first step is tried at every place.
      for (const step of waiting) if (this.#follow(step, before, code, reached)) return true;
      if (this.#follow(0, before, code, reached)) return true;
      if (i === codes.length) return false;
      waiting = [];
      for (const at of reached) {
        const step = this.#steps[at]!;
        if (step.kind === 'char' && step.test(code)) waiting.push(at + 1);
      }
      before = code;
    }
  }

  /** Collects the steps that can be reached from one without taking a character. @returns whether the end is among them */
  #follow(from: number, before: number, after: number, reached: number[]): boolean {
    const open = [from];
    for (let at = open.pop(); at !== undefined; at = open.pop()) {
      if (this.#reachedAt[at] === this.#visit) continue;
      this.#reachedAt[at] = this.#visit;
      const step = this.#steps[at]!;
      if (step.kind === 'end') return true;
      if (step.kind === 'char') reached.push(at);
      else if (step.kind === 'place') {
        if (isAt(step.place, before, after)) open.push(at + 1);
      } else {
        open.push(step.to);
        if (step.kind === 'fork') open.push(at + 1);
      }
    }
    return false;
  }
}

const NEW_LINE = 10;

function isAt(place: Place, before: number, after: number): boolean {
  switch (place) {
    case 'text-start':
      return before === START;
    case 'text-end':
      return after === START;
    case 'line-start':
      return before === START || before === NEW_LINE;
    case 'line-end':
      return after === START || after === NEW_LINE;
    case 'word-edge':
      return isWord(before) !== isWord(after);
    case 'no-word-edge':
      return isWord(before) === isWord(after);
  }
}

/** Letters, digits and the underscore of ASCII. */
function isWord(code: number): boolean {
  return (code >= 48 && code <= 57) || (code >= 65 && code <= 90) || code === 95 || (code >= 97 && code <= 122);
}
