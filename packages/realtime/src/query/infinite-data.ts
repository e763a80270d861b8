/** The pages of an infinite query's data, `null` for other data. */
export function pagesOf(data: unknown): readonly unknown[] | null {
  const { pages, pageParams } = (data ?? {}) as { pages?: unknown; pageParams?: unknown };
  return Array.isArray(pages) && Array.isArray(pageParams) ? pages : null;
}
