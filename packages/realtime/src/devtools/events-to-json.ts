import type { Recorded } from './recorder.ts';

/**
 * Recorded events as JSON. What several events share is written once: a cause or mutation as `{ "id": 4, … }` and later `{ "ref": 4 }`; the fetch that ended by the id of
 * the event that began it, `null` where that one is not among these.
 */
export function eventsToJson(recorded: readonly Recorded[]): string {
  const ids = new Map<object, number>(recorded.map(({ id, event }) => [event, id]));
  const numbers = new Map<object, number>();
  const share = (value: object, write: () => unknown): unknown => {
    const known = numbers.get(value);
    if (known !== undefined) return { ref: known };
    const id = numbers.size + 1;
    numbers.set(value, id);
    return { id, ...(write() as object) };
  };
  const entries = recorded.map(({ id, source, event }) => {
    const shared: Record<string, unknown> = {};
    if ('mutation' in event) shared.mutation = share(event.mutation, () => event.mutation);
    if ('cause' in event) shared.cause = share(event.cause, () => event.cause);
    if ('causes' in event) shared.causes = event.causes.map((cause) => share(cause, () => cause));
    if ('fetch' in event) shared.fetch = ids.get(event.fetch) ?? null;
    return { id, source, ...event, ...shared };
  });
  return JSON.stringify(entries, (_, value: unknown) => (typeof value === 'bigint' ? `${value}n` : value), 2);
}
