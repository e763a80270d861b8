import { BrokerConfigError } from './errors.ts';

/** Classes that Go names inside brackets, as ranges. */
const POSIX_CLASSES: Readonly<Record<string, string>> = {
  alnum: '0-9A-Za-z',
  alpha: 'A-Za-z',
  ascii: '\\x00-\\x7f',
  blank: '\\t ',
  cntrl: '\\x00-\\x1f\\x7f',
  digit: '0-9',
  graph: '!-~',
  lower: 'a-z',
  print: ' -~',
  punct: '!-\\/:-@\\[-`\\{-~',
  space: '\\t\\n\\v\\f\\r ',
  upper: 'A-Z',
  word: '0-9A-Za-z_',
  xdigit: '0-9A-Fa-f',
};
/** Escapes that mean the same on both sides. */
const SHARED_ESCAPE = /^\\(?:[dDwWbBtnrfv^$\\.*+?()[\]{}|/]|x[\da-fA-F]{2}|[pP]\{[^}]*\})/;
const GO_SPACE = '\\t\\n\\f\\r ';
/** Flags for the whole expression. */
const LEADING_FLAGS = /^\(\?([ims]+)\)/;

/**
 * An expression in the syntax of Go (RE2), in which Centrifugo's options are written, as a JavaScript one.
 * @param where the option, for the error
 * @throws BrokerConfigError (`invalid_config`) for what is none, and for what JavaScript cannot say
 */
export function compileGoRegex(where: string, source: string): RegExp {
  const flags = LEADING_FLAGS.exec(source)?.[1] ?? '';
  const rest = flags === '' ? source : source.replace(LEADING_FLAGS, '');
  try {
    return new RegExp(
      translate(rest, flags.includes('s')),
      `u${flags.includes('i') ? 'i' : ''}${flags.includes('m') ? 'm' : ''}`,
    );
  } catch (cause) {
    throw new BrokerConfigError(`${where} is not a regular expression, or one that only Go has.`, { cause });
  }
}

function translate(source: string, dotIsAll: boolean): string {
  let out = '';
  let isInClass = false;
  for (let i = 0; i < source.length; ) {
    const rest = source.slice(i);
    const [taken, text] = isInClass ? inClass(rest) : outside(rest, dotIsAll);
    if (!isInClass && taken.startsWith('[')) isInClass = true;
    else if (isInClass && taken === ']') isInClass = false;
    out += text;
    i += taken.length;
  }
  return out;
}

type Token = readonly [taken: string, text: string];

function outside(rest: string, dotIsAll: boolean): Token {
  if (rest.startsWith('(?P<')) return ['(?P<', '(?<'];
  if (rest.startsWith('.')) return ['.', dotIsAll ? '[^]' : '[^\\n]'];
  // A bracket right behind the opening one stands for itself.
  const opening = /^\[\^?\]/.exec(rest)?.[0];
  if (opening) return [opening, `${opening.slice(0, -1)}\\]`];
  if (rest.startsWith('\\'))
    return escaped(rest, { s: `[${GO_SPACE}]`, S: `[^${GO_SPACE}]`, A: '(?<![^])', z: '(?![^])' });
  return [rest[0]!, rest[0]!];
}

function inClass(rest: string): Token {
  const [posix, not, name] = /^\[:(\^?)(\w+):\]/.exec(rest) ?? [];
  if (posix && not === '' && name && Object.hasOwn(POSIX_CLASSES, name)) return [posix, POSIX_CLASSES[name]!];
  if (rest.startsWith('[')) return ['[', '\\['];
  if (rest.startsWith('\\-')) return ['\\-', '\\-'];
  if (rest.startsWith('\\')) return escaped(rest, { s: GO_SPACE });
  return [rest[0]!, rest[0]!];
}

function escaped(rest: string, own: Readonly<Record<string, string>>): Token {
  const letter = rest[1] ?? '';
  if (Object.hasOwn(own, letter)) return [rest.slice(0, 2), own[letter]!];
  const shared = SHARED_ESCAPE.exec(rest)?.[0];
  if (shared) return [shared, shared];
  const [property, kind, category] = /^\\([pP])([A-Z])/.exec(rest) ?? [];
  if (property) return [property, `\\${kind}{${category}}`];
  const [wide, digits] = /^\\x\{([\da-fA-F]+)\}/.exec(rest) ?? [];
  if (wide) return [wide, `\\u{${digits}}`];
  if (letter === 'a') return ['\\a', '\\x07'];
  // Punctuation may be escaped in Go wherever it stands; letters may not.
  if (/^[!-/:-@[-`{-~]$/.test(letter)) return [`\\${letter}`, letter];
  return ['\\', '\\'];
}
