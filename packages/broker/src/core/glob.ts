const compiled = new Map<string, RegExp>();

/** `*` is any text, `?` any character, `[abc]` and `[!a-z]` one of a set, `{a,b}` one of several texts, `\` takes the next as it is. */
function compile(pattern: string): RegExp {
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
    else if (char === '[' && pattern.indexOf(']', i) > i) {
      const end = pattern.indexOf(']', i);
      source += `[${pattern
        .slice(i + 1, end)
        .replace(/^!/, '^')
        .replaceAll(/[\\[]/g, '\\$&')}]`;
      i = end;
    } else source += escaped(char === '\\' ? (pattern[++i] ?? '') : char);
  }
  return new RegExp(`^${source}${')'.repeat(depth)}$`, 's');
}

function escaped(char: string): string {
  return char.replaceAll(/[\\^$.*+?()[\]{}|/]/g, '\\$&');
}

/** Whether a text matches a pattern; the whole of it, case matters. */
export function matchesGlob(pattern: string, text: string): boolean {
  let regex = compiled.get(pattern);
  if (!regex) {
    regex = compile(pattern);
    if (compiled.size >= 100) compiled.clear();
    compiled.set(pattern, regex);
  }
  return regex.test(text);
}
