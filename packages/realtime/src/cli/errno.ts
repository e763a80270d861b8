/** ` (ENOENT)`, for the text of an error; nothing where the system gave no code. */
export function errnoText(cause: unknown): string {
  return cause instanceof Error && 'code' in cause ? ` (${String(cause.code)})` : '';
}
