/** The headers of a connect command that proxies pass on, by name in lower case. */
export function emulatedHeaders(
  headers: ReadonlyMap<string, string>,
  wanted: ReadonlySet<string>,
): ReadonlyMap<string, string> | undefined {
  if (wanted.size === 0 || headers.size === 0) return undefined;
  const kept = new Map<string, string>();
  for (const [name, value] of headers) if (wanted.has(name.toLowerCase())) kept.set(name.toLowerCase(), value);
  return kept;
}
