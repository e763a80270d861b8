/**
 * What data may be made of where it is no answer itself: the pages of an infinite query, or the values of an object or a list, as in
 * `queryFn: () => Promise.all([client.a.query(), client.b.query()])`.
 */
export function piecesOf(data: unknown): readonly unknown[] {
  if (typeof data !== 'object' || !data) return [];
  const { pages, pageParams } = data as { pages?: unknown; pageParams?: unknown };
  return Array.isArray(pages) && Array.isArray(pageParams) ? pages : Object.values(data);
}
