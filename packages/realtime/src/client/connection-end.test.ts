import { expect, it } from 'vitest';
import { RealtimeError } from '../core/errors.ts';
import { attemptFailure, connectionEnd, dropReason } from './connection-end.ts';

const fault = new RealtimeError('token_unavailable', 'getToken failed.');

it.each([
  ['nobody is logged in', 1, null, { event: 'refuse', code: 'unauthorized', isOrdinary: true }],
  ['there is no token, and a reason', 1, fault, { event: 'refuse', code: 'token_unavailable', isOrdinary: true }],
  ['the broker refused the token', 3500, null, { event: 'refuse', code: 'unauthorized', isOrdinary: false }],
  [
    'the token was refused, though one failed before',
    3500,
    fault,
    { event: 'refuse', code: 'unauthorized', isOrdinary: false },
  ],
  ['the broker sent the user away', 3503, null, { event: 'fail', code: 'disconnected', isOrdinary: false }],
  ['an application sent the user away', 4500, fault, { event: 'fail', code: 'disconnected', isOrdinary: false }],
] as const)('the end of a connection: %s', (_, code, fromToken, expected) => {
  const { event, reason, isOrdinary } = connectionEnd(code, 'gone', fromToken);
  expect({ event, code: reason.code, isOrdinary }).toEqual(expected);
});

it.each([
  [1, null],
  [99, null],
  [100, 100],
  [3001, 3001],
])('a drop with %i names the broker code %s', (code, brokerCode) => {
  expect(dropReason(code, 'shutdown')).toMatchObject({ code: 'disconnected', brokerCode });
});

it.each([
  [2, 'disconnected'],
  [99, 'disconnected'],
  [100, 'broker_error'],
  [109, 'broker_error'],
])('an attempt that fails with %i says %s', (code, expected) => {
  expect(attemptFailure(code, 'transport closed').code).toBe(expected);
});
