#!/usr/bin/env node
import { main } from './main.ts';
import { processTerminal } from './terminal.ts';

// Whoever reads may have read enough: `op-realtime tail trpc:global | head -n 1`.
process.stdout.on('error', (error: NodeJS.ErrnoException) => process.exit(error.code === 'EPIPE' ? 0 : 1));

process.exit(await main(process.argv.slice(2), processTerminal()));
