/**
 * Breaks text between words so that no line is wider than `columns`, the first one after what `firstIndent` takes. A word that is too long for a line
 * stays whole, so that it can be copied.
 *
 * @param columns of the terminal; `undefined` for a pipe, where a line stays one line
 * @returns the lines, without indentation
 */
export function wrap(text: string, columns: number | undefined, indent: number): string[] {
  if (columns === undefined) return [text];
  const width = Math.max(columns - indent, MIN_WIDTH);
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(/\s+/)) {
    if (line !== '' && widthOf(line) + 1 + widthOf(word) > width) {
      lines.push(line);
      line = word;
    } else line = line === '' ? word : `${line} ${word}`;
  }
  return [...lines, line];
}

/** Colours take no room. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: the escape that begins a colour
const widthOf = (text: string): number => text.replace(/\u001b\[\d+m/g, '').length;

/** However narrow the terminal: below this, breaking makes it worse. */
const MIN_WIDTH = 24;

/** A label and its text, which hangs beside it: `Broker     http://…`. `paint` colours the label, after it was measured. */
export function labelled(
  label: string,
  text: string,
  { labelWidth, columns, paint }: { labelWidth: number; columns: number | undefined; paint: (label: string) => string },
): string {
  const indent = labelWidth + 1;
  const [first = '', ...rest] = wrap(text, columns, indent);
  return [`${paint(label.padEnd(labelWidth))} ${first}`, ...rest.map((line) => `${' '.repeat(indent)}${line}`)].join(
    '\n',
  );
}
