import { expect, it } from 'vitest';
import type { ConnectionState } from '../client/types.ts';
import { overallState } from './overall-state.ts';

const managers = (states: readonly ConnectionState[]) =>
  states.map((state, at) => ({
    label: `connection ${at + 1}`,
    source: null,
    status: { state, reason: null, since: 0 },
  }));

it.each<[string, string, readonly ConnectionState[]]>([
  ['no manager', 'quiet', []],
  ['connected', 'live', ['connected']],
  ['reconnecting', 'stale', ['reconnecting']],
  ['2 connections', 'live', ['connected', 'connected']],
  ['2 connections', 'failed', ['connected', 'failed']],
  ['connected', 'live', ['disposed', 'connected']],
  ['disposed', 'quiet', ['disposed', 'disposed']],
])('the page is "%s", as %s as the worst of %j', (text, tone, states) =>
  expect(overallState(managers(states))).toEqual({ text, tone }),
);
