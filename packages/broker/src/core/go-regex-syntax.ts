import { type CharTest, perlClass, posixClass, rangeTest, unicodeClass } from './go-regex-class.ts';

/** A place between characters. */
export type Place = 'text-start' | 'text-end' | 'line-start' | 'line-end' | 'word-edge' | 'no-word-edge';

/** An expression as a tree. Groups and laziness are left out: they decide what is captured, not whether something matches. */
export type RegexNode =
  | { readonly kind: 'char'; readonly test: CharTest }
  | { readonly kind: 'place'; readonly place: Place }
  | { readonly kind: 'sequence'; readonly items: readonly RegexNode[] }
  | { readonly kind: 'either'; readonly items: readonly RegexNode[] }
  | { readonly kind: 'repeat'; readonly item: RegexNode; readonly min: number; readonly max: number };

/** What is wrong with an expression. */
export class RegexSyntaxError extends Error {
  override readonly name = 'RegexSyntaxError';
}

const MAX_REPEAT = 1000;
const MAX_DEPTH = 1000;
const MAX_CODE_POINT = 0x10ffff;
const CONTROL: Readonly<Record<string, number>> = { a: 7, f: 12, n: 10, r: 13, t: 9, v: 11 };

interface Flags {
  readonly foldsCase: boolean;
  readonly isMultiLine: boolean;
  readonly dotIsAll: boolean;
}

/**
 * Parses an expression in the syntax of Go's `regexp` package: https://pkg.go.dev/regexp/syntax
 * @throws RegexSyntaxError for what Go refuses
 */
export function parseGoRegex(source: string): RegexNode {
  return new Parser([...source]).parse();
}

class Parser {
  readonly #chars: readonly string[];
  #at = 0;
  #depth = 0;
  #flags: Flags = { foldsCase: false, isMultiLine: false, dotIsAll: false };

  constructor(chars: readonly string[]) {
    this.#chars = chars;
  }

  parse(): RegexNode {
    const node = this.#either();
    if (this.#at < this.#chars.length) throw new RegexSyntaxError('a ")" without "("');
    return node;
  }

  #peek(offset = 0): string {
    return this.#chars[this.#at + offset] ?? '';
  }

  #next(): string {
    const char = this.#chars[this.#at];
    if (char === undefined) throw new RegexSyntaxError('an unexpected end');
    this.#at++;
    return char;
  }

  #take(text: string): boolean {
    if (![...text].every((char, i) => this.#peek(i) === char)) return false;
    this.#at += text.length;
    return true;
  }

  #match(regex: RegExp): RegExpExecArray | undefined {
    const found = regex.exec(this.#chars.slice(this.#at, this.#at + 200).join(''));
    if (found) this.#at += [...found[0]].length;
    return found ?? undefined;
  }

  #either(): RegexNode {
    const items = [this.#sequence()];
    while (this.#take('|')) items.push(this.#sequence());
    return items.length === 1 ? items[0]! : { kind: 'either', items };
  }

  #sequence(): RegexNode {
    const items: RegexNode[] = [];
    let isRepeated = false;
    let canRepeat = false;
    while (this.#at < this.#chars.length && this.#peek() !== '|' && this.#peek() !== ')') {
      const counts = this.#repetition();
      if (counts) {
        if (!canRepeat || isRepeated) throw new RegexSyntaxError('a repetition of nothing, or of a repetition');
        this.#take('?');
        const item = items.pop()!;
        const [min, max] = counts;
        const node: RegexNode = { kind: 'repeat', item, min, max };
        if ((min >= 2 || (max >= 2 && max !== Number.POSITIVE_INFINITY)) && !isBounded(node, MAX_REPEAT))
          throw new RegexSyntaxError(`more than ${MAX_REPEAT} repetitions`);
        items.push(node);
        isRepeated = true;
        continue;
      }
      const taken = this.#items();
      items.push(...taken);
      isRepeated = false;
      // Flags alone are nothing that could be repeated, but what stands before them still is.
      canRepeat ||= taken.length > 0;
    }
    return items.length === 1 ? items[0]! : { kind: 'sequence', items };
  }

  /** `*`, `+`, `?` or a count in braces. Braces that hold none stand for themselves. */
  #repetition(): readonly [min: number, max: number] | undefined {
    if (this.#take('*')) return [0, Number.POSITIVE_INFINITY];
    if (this.#take('+')) return [1, Number.POSITIVE_INFINITY];
    if (this.#take('?')) return [0, 1];
    if (this.#peek() !== '{') return undefined;
    const found = this.#match(/^\{(0|[1-9]\d*)(?:(,)(0|[1-9]\d*)?)?\}/);
    if (!found) return undefined;
    const min = Number(found[1]);
    const max = found[3] !== undefined ? Number(found[3]) : found[2] ? Number.POSITIVE_INFINITY : min;
    if (min > MAX_REPEAT || (max !== Number.POSITIVE_INFINITY && max > MAX_REPEAT) || min > max)
      throw new RegexSyntaxError(`a repetition that is none, or of more than ${MAX_REPEAT}`);
    return [min, max];
  }

  /** What stands before a repetition: one item, several of a quotation, or none where only flags change. */
  #items(): readonly RegexNode[] {
    const { isMultiLine, dotIsAll } = this.#flags;
    switch (this.#peek()) {
      case '(':
        return this.#group();
      case '[':
        return [{ kind: 'char', test: this.#class() }];
      case '.':
        this.#at++;
        return [{ kind: 'char', test: dotIsAll ? () => true : (code) => code !== 10 }];
      case '^':
        this.#at++;
        return [{ kind: 'place', place: isMultiLine ? 'line-start' : 'text-start' }];
      case '$':
        this.#at++;
        return [{ kind: 'place', place: isMultiLine ? 'line-end' : 'text-end' }];
      case '\\':
        return this.#escape();
      default:
        return [this.#literal(this.#next())];
    }
  }

  #literal(char: string): RegexNode {
    const code = char.codePointAt(0)!;
    return { kind: 'char', test: rangeTest(code, code, this.#flags.foldsCase) };
  }

  #group(): readonly RegexNode[] {
    const outer = this.#flags;
    this.#at++;
    if (this.#peek() === '?' && !this.#match(/^\?P?<\w+>/)) {
      const end = this.#groupFlags();
      if (end === ')') return [];
    }
    if (++this.#depth > MAX_DEPTH) throw new RegexSyntaxError('groups nested too deep');
    const node = this.#either();
    this.#depth--;
    if (!this.#take(')')) throw new RegexSyntaxError('a "(" without ")"');
    this.#flags = outer;
    return [node];
  }

  /** `?i-s:` or `?i)`; @returns how it ends */
  #groupFlags(): string {
    const found = this.#match(/^\?([imsU]*)(?:-([imsU]+))?([:)])/);
    if (!found) throw new RegexSyntaxError('a group that is none');
    const [, on = '', off = '', end = ''] = found;
    const flag = (letter: string, before: boolean) => (on.includes(letter) || before) && !off.includes(letter);
    this.#flags = {
      foldsCase: flag('i', this.#flags.foldsCase),
      isMultiLine: flag('m', this.#flags.isMultiLine),
      dotIsAll: flag('s', this.#flags.dotIsAll),
    };
    return end;
  }

  #escape(): readonly RegexNode[] {
    const places: Readonly<Record<string, Place>> = {
      A: 'text-start',
      z: 'text-end',
      b: 'word-edge',
      B: 'no-word-edge',
    };
    const letter = this.#peek(1);
    if (Object.hasOwn(places, letter)) {
      this.#at += 2;
      return [{ kind: 'place', place: places[letter]! }];
    }
    if (this.#take('\\Q')) {
      const items: RegexNode[] = [];
      while (this.#at < this.#chars.length && !this.#take('\\E')) items.push(this.#literal(this.#next()));
      return items;
    }
    const set = this.#namedSet();
    return [set ? { kind: 'char', test: set } : this.#literal(String.fromCodePoint(this.#escapedCode()))];
  }

  /** `\d`, `\pL`, `\p{^Greek}` and the like. */
  #namedSet(): CharTest | undefined {
    const { foldsCase } = this.#flags;
    const perl = this.#peek() === '\\' ? perlClass(this.#peek(1), foldsCase) : undefined;
    if (perl) {
      this.#at += 2;
      return perl;
    }
    const property = this.#match(/^\\([pP])(?:\{(\^?)([^}]*)\}|([^{]))/u);
    if (!property) return undefined;
    const [, kind, not, long, short] = property;
    const set = unicodeClass(long ?? short ?? '', (kind === 'P') !== (not === '^'), foldsCase);
    if (!set) throw new RegexSyntaxError('a class of characters that is unknown');
    return set;
  }

  #escapedCode(): number {
    this.#next();
    const wide = this.#match(/^x\{([\da-fA-F]+)\}/);
    const hex = wide ?? this.#match(/^x([\da-fA-F]{2})/);
    if (hex) {
      const code = Number.parseInt(hex[1]!, 16);
      if (code > MAX_CODE_POINT) throw new RegexSyntaxError('a character that is none');
      return code;
    }
    // A single digit other than 0 would be a reference to a group, which Go does not have.
    const octal = this.#match(/^(?:[1-7][0-7]{1,2}|0[0-7]{0,2})/);
    if (octal) return Number.parseInt(octal[0], 8);
    const char = this.#next();
    if (Object.hasOwn(CONTROL, char)) return CONTROL[char]!;
    if (/^[\0-\x7f]$/.test(char) && !/^[0-9A-Za-z]$/.test(char)) return char.charCodeAt(0);
    throw new RegexSyntaxError('an escape that is none');
  }

  #class(): CharTest {
    const { foldsCase } = this.#flags;
    this.#at++;
    const isNegated = this.#take('^');
    const sets: CharTest[] = [];
    for (let isFirst = true; isFirst || this.#peek() !== ']'; isFirst = false) {
      const posix = this.#match(/^\[:(.*?):\]/s);
      if (posix) {
        const set = posixClass(posix[1]!, foldsCase);
        if (!set) throw new RegexSyntaxError('a class of characters that is unknown');
        sets.push(set);
        continue;
      }
      const set = this.#namedSet();
      if (set) {
        sets.push(set);
        continue;
      }
      const from = this.#classChar();
      let to = from;
      if (this.#peek() === '-' && this.#peek(1) !== ']' && this.#peek(1) !== '') {
        this.#at++;
        to = this.#classChar();
      }
      if (to < from) throw new RegexSyntaxError('a range of characters that is none');
      sets.push(rangeTest(from, to, foldsCase));
    }
    this.#at++;
    return (code) => sets.some((set) => set(code)) !== isNegated;
  }

  #classChar(): number {
    return this.#peek() === '\\' ? this.#escapedCode() : this.#next().codePointAt(0)!;
  }
}

/** Whether repetitions inside repetitions come to no more than this many. */
function isBounded(node: RegexNode, limit: number): boolean {
  switch (node.kind) {
    case 'repeat': {
      const times = node.max === Number.POSITIVE_INFINITY ? node.min : node.max;
      if (node.max === 0) return true;
      if (times > limit) return false;
      return isBounded(node.item, times > 0 ? Math.trunc(limit / times) : limit);
    }
    case 'sequence':
    case 'either':
      return node.items.every((item) => isBounded(item, limit));
    default:
      return true;
  }
}
