/** Snippets that no test runs, each with the reason. One that fits nothing any more, or whose snippet is run after all, fails the list. */
export const REASONS: readonly { readonly document: string; readonly starts: string; readonly reason: string }[] = [];
