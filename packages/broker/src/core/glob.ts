const compiled = new Map<string, RegExp | undefined>();

/** One range, or a list of characters, among which a dash stands for itself. */
const SET = /^\[(!|(?!!))(?:(.)-([^\]])\]|(?!.-)([^\]]+)\])/s;

function inSet(chars: string): string {
  return chars.replaceAll(/[\\[\]^-]/g, '\\$&');
}

/** `*` is any text, `?` any character, `[abc]` one of a list, `[a-z]` one of a range, both also as `[!…`,, `{a,b}` one of several texts, `\\` takes the next as it is. */
function compile(pattern: string): RegExp | undefined {
  let source = '';
  let depth = 0;
  for (let i = 0; i < pattern.length; i++) {
    const char = pattern[i]!;
    if (char === '*') source += '.*';
    else if (char === '?') source += '.';
    else if (char === '{') {
      source += '(?:';
      depth++;
    } else if (char === '}' && depth > 0) {
      source += ')';
      depth--;
    } else if (char === ',' && depth > 0) source += '|';
    else if (char === '[') {
      const set = SET.exec(pattern.slice(i));
      if (!set) return undefined;
      const [whole, not = '', from, to, list] = set;
      if (from && to && from > to) return undefined;
      const chars = list === undefined ? `${inSet(from!)}-${inSet(to!)}` : inSet(list);
      source += `[${not && '^'}${chars}]`;
      i += whole.length - 1;
    } else source += escaped(char === '\\' ? (pattern[++i] ?? '') : char);
  }
  if (depth > 0) return undefined;
  return new RegExp(`^${source}$`, 's');
}

function escaped(char: string): string {
  return char.replaceAll(/[\\^$.*+?()[\]{}|/]/g, '\\$&');
}

function regexOf(pattern: string): RegExp | undefined {
  if (compiled.has(pattern)) return compiled.get(pattern);
  if (compiled.size >= 100) compiled.clear();
  const regex = compile(pattern);
  compiled.set(pattern, regex);
  return regex;
}

/** Whether this is a pattern at all: brackets and braces are closed. */
export function isGlob(pattern: string): boolean {
  return regexOf(pattern) !== undefined;
}

/** Whether a text matches a pattern; the whole of it, case matters. */
export function matchesGlob(pattern: string, text: string): boolean {
  return regexOf(pattern)?.test(text) ?? false;
}
