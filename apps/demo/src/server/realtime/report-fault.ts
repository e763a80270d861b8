/**
 * What could not be announced costs freshness, never the change itself: windows catch up at their next join that cannot recover. One line, since killing the
 * broker is part of the demo.
 */
export function reportFault({ kind, path, error }: { kind: string; path: string | null; error: unknown }): void {
  const message = error instanceof Error ? error.message : 'unknown error';
  process.stderr.write(`  ${kind}${path ? ` of ${path}` : ''} failed: ${message}\n`);
}
