/** `pnpm fuzz` compares two servers, `pnpm fuzz decoders` feeds the decoders. */
await (process.argv[2] === 'decoders' ? import('./decoders.ts') : import('./fuzz.ts'));

export {};
