#!/usr/bin/env node
import { main } from './main.ts';
import { processTerminal } from './terminal.ts';

process.exit(await main(process.argv.slice(2), processTerminal()));
