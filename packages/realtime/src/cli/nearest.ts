/** The name that was probably meant: at most two slips away, and less than half of the word. `undefined` where none is near. */
export function nearest(word: string, names: readonly string[]): string | undefined {
  const limit = Math.min(2, Math.floor(word.length / 2));
  let best: { name: string; slips: number } | undefined;
  for (const name of names) {
    const slips = name.startsWith(word) && word.length >= 2 ? 1 : slipsBetween(word, name);
    if (slips <= limit && (!best || slips < best.slips)) best = { name, slips };
  }
  return best?.name;
}

/** Optimal string alignment: a letter too many, missing or wrong, or two swapped, is one slip. */
function slipsBetween(a: string, b: string): number {
  let beforeLast: number[] = [];
  let last = Array.from({ length: b.length + 1 }, (_, at) => at);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const cost = a[i - 1] === b[j - 1] ? 0 : 1;
      let slips = Math.min((last[j] ?? 0) + 1, (row[j - 1] ?? 0) + 1, (last[j - 1] ?? 0) + cost);
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1])
        slips = Math.min(slips, (beforeLast[j - 2] ?? 0) + 1);
      row.push(slips);
    }
    beforeLast = last;
    last = row;
  }
  return last[b.length] ?? 0;
}
