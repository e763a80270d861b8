const compiled = new Map<string, RegExp | undefined>();

/** `*` is any text, `?` any character, `[abc]` and `[!a-z]` one of a set, `{a,b}` one of several texts, `\\` takes the next as it is. */
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
      const end = pattern.indexOf(']', i);
      if (end <= i + 1) return undefined;
      source += `[${pattern
        .slice(i + 1, end)
        .replace(/^!/, '^')
        .replaceAll(/[\\[]/g, '\\$&')}]`;
      i = end;
    } else source += escaped(char === '\\' ? (pattern[++i] ?? '') : char);
  }
  if (depth > 0) return undefined;
  try {
    return new RegExp(`^${source}$`, 's');
  } catch {
    // A set that is none, such as [z-a].
    return undefined;
  }
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
