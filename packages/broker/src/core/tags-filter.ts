import type { FilterNodeValue } from '../protocol/schema.ts';

/** Conditions over the tags of publications. Source: https://centrifugal.dev/docs/server/publication_filtering */

type Tags = ReadonlyMap<string, string> | undefined;

const isNumber = (compare: (a: Decimal, b: Decimal) => boolean) => (value: string, wanted: string) => {
  const [a, b] = [parseDecimal(value), parseDecimal(wanted)];
  return a !== undefined && b !== undefined && compare(a, b);
};

/** A number as whole parts of 10^-19, so that no digit is lost. */
type Decimal = bigint;
const PRECISION = 19;

function parseDecimal(text: string): Decimal | undefined {
  const [, sign, whole = '', fraction = ''] = /^([+-]?)(\d+)(?:\.(\d+))?$/.exec(text) ?? [];
  if (sign === undefined || fraction.length > PRECISION) return undefined;
  const value = BigInt(whole + fraction.padEnd(PRECISION, '0'));
  return sign === '-' ? -value : value;
}

/** Comparisons of a tag that is there with one wanted value. */
const WITH_VALUE: ReadonlyMap<string, (value: string, wanted: string) => boolean> = new Map([
  ['eq', (value: string, wanted: string) => value === wanted],
  ['neq', (value: string, wanted: string) => value !== wanted],
  ['sw', (value: string, wanted: string) => value.startsWith(wanted)],
  ['ew', (value: string, wanted: string) => value.endsWith(wanted)],
  ['ct', (value: string, wanted: string) => value.includes(wanted)],
  ['gt', isNumber((a, b) => a > b)],
  ['gte', isNumber((a, b) => a >= b)],
  ['lt', isNumber((a, b) => a < b)],
  ['lte', isNumber((a, b) => a <= b)],
]);

/** Whether the tags of a publication meet a condition that `isValidFilter` accepts. */
export function matchesTags(filter: FilterNodeValue, tags: Tags): boolean {
  const { op, key, cmp, val, vals, nodes } = filter;
  if (op === 'and') return nodes.every((node) => matchesTags(node, tags));
  if (op === 'or') return nodes.some((node) => matchesTags(node, tags));
  if (op === 'not') return !matchesTags(nodes[0]!, tags);
  const value = tags?.get(key);
  if (cmp === 'ex') return value !== undefined;
  if (cmp === 'nex') return value === undefined;
  // A tag that is not there counts as the empty text here, and as different from everything in `neq`.
  if (cmp === 'in') return vals.includes(value ?? '');
  if (cmp === 'nin') return !vals.includes(value ?? '');
  if (value === undefined) return cmp === 'neq';
  return WITH_VALUE.get(cmp)?.(value, val) ?? false;
}

/** Whether a condition is well-formed. How deep it may be is bounded where it is decoded. */
export function isValidFilter({ op, key, cmp, val, vals, nodes }: FilterNodeValue): boolean {
  if (op === 'and' || op === 'or') return nodes.length > 0 && nodes.every(isValidFilter);
  if (op === 'not') return nodes.length === 1 && nodes.every(isValidFilter);
  if (op !== '') return false;
  if (cmp === 'ex' || cmp === 'nex') return val === '' && vals.length === 0;
  if (key === '') return false;
  if (cmp === 'in' || cmp === 'nin') return vals.length > 0 && val === '';
  return WITH_VALUE.has(cmp) && val !== '' && vals.length === 0;
}
