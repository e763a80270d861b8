/** Whether a character, by its code point, belongs to a set. */
export type CharTest = (code: number) => boolean;

/** Classes that Go names inside brackets, as what stands inside brackets in JavaScript. */
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
const PERL_CLASSES: Readonly<Record<string, string>> = { d: '0-9', s: '\\t\\n\\f\\r ', w: '0-9A-Za-z_' };

/** What stands inside brackets in JavaScript, as a test of one character. The engine of JavaScript knows Unicode and how letters fold. */
function charTest(inBrackets: string, isNegated: boolean, foldsCase: boolean): CharTest {
  const regex = new RegExp(`^[${inBrackets}]$`, foldsCase ? 'iu' : 'u');
  const ascii = new Int8Array(128).fill(-1);
  return (code) => {
    if (code >= 128) return regex.test(String.fromCodePoint(code)) !== isNegated;
    // Most characters that are asked about are few and come again.
    if (ascii[code] === -1) ascii[code] = regex.test(String.fromCharCode(code)) !== isNegated ? 1 : 0;
    return ascii[code] === 1;
  };
}

/** The characters from one code point to another. */
export function rangeTest(from: number, to: number, foldsCase: boolean): CharTest {
  if (!foldsCase) return (code) => code >= from && code <= to;
  return charTest(`\\u{${from.toString(16)}}-\\u{${to.toString(16)}}`, false, true);
}

/** `\d`, `\s`, `\w` and what is not in them, by their letter. @returns `undefined` for another letter */
export function perlClass(letter: string, foldsCase: boolean): CharTest | undefined {
  const name = letter.toLowerCase();
  return Object.hasOwn(PERL_CLASSES, name) ? charTest(PERL_CLASSES[name]!, letter !== name, foldsCase) : undefined;
}

/** A class such as `alpha` or `^alpha`. */
export function posixClass(name: string, foldsCase: boolean): CharTest | undefined {
  const isNegated = name.startsWith('^');
  const plain = isNegated ? name.slice(1) : name;
  return Object.hasOwn(POSIX_CLASSES, plain) ? charTest(POSIX_CLASSES[plain]!, isNegated, foldsCase) : undefined;
}

/** A category or script of Unicode, such as `L`, `Lu` or `Greek`. */
export function unicodeClass(name: string, isNegated: boolean, foldsCase: boolean): CharTest | undefined {
  const parts = name.split(/[ _-]/);
  const title = parts.map((part) => part.charAt(0).toUpperCase() + part.slice(1).toLowerCase()).join('_');
  for (const known of [name, title, name.toUpperCase()])
    for (const property of [`gc=${known}`, `sc=${known}`, ...(/^(?:Any|ASCII|Assigned)$/.test(known) ? [known] : [])]) {
      try {
        return charTest(`\\p{${property}}`, isNegated, foldsCase);
      } catch {
        // Not of this kind; the next one may be it.
      }
    }
  return undefined;
}
