import type { QueryKey } from '../core/message.ts';
import { procedureOf } from '../trpc/query-key.ts';

const MAX_LENGTH = 120;
const labels = new WeakMap<QueryKey, string>();

/** A query key for people: `post.byId({"id":"7"})` where it is tRPC's, else the key as JSON. */
export function queryLabel(key: QueryKey): string {
  const known = labels.get(key);
  if (known !== undefined) return known;
  const procedure = procedureOf(key);
  const label = procedure
    ? `${procedure.path}${procedure.input === undefined ? '' : `(${toText(procedure.input)})`}`
    : toText(key);
  const short = label.length > MAX_LENGTH ? `${label.slice(0, MAX_LENGTH - 1)}…` : label;
  labels.set(key, short);
  return short;
}

/** JSON as far as that is possible: keys may hold what JSON cannot. */
export function toText(value: unknown): string {
  try {
    return (
      JSON.stringify(value, (_, inner: unknown) => (typeof inner === 'bigint' ? `${inner}n` : inner)) ?? String(value)
    );
  } catch {
    return '(cannot be shown)';
  }
}
