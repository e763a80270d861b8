import { describe, expect, it } from 'vitest';
import { Channels } from '../../core/channel.ts';
import type { Position } from '../../core/position.ts';
import { ProcedureCall, type Touched } from './procedure-call.ts';
import { DIRECT_REQUEST } from './request.ts';

const ORG = Channels.org('1');
const at = (offset: number, epoch = 'e'): Position => ({ epoch, offset });

function start() {
  const late: Touched[] = [];
  const call = new ProcedureCall({
    path: 'p',
    signal: undefined,
    request: DIRECT_REQUEST,
    touchLate: (touched) => late.push(...touched),
  });
  return { call, late };
}

describe('a channel that is watched twice', () => {
  it.each([
    ['the older of two stamps', at(3), at(5), at(3)],
    ['the older, whichever came first', at(5), at(3), at(3)],
    ['no stamp where one is unknown', at(3), null, null],
    ['no stamp where the other is unknown', null, at(3), null],
    ['no stamp where the stream is another', at(3), at(5, 'f'), null],
  ])('has %s', (_, first, second, expected) => {
    const { call } = start();
    for (const stamp of [first, second]) call.watch([{ channel: ORG, stamp, userId: '7' }]);
    expect(call.close().watched).toEqual([{ channel: ORG, stamp: expected, userId: '7' }]);
  });

  it('has a user where one of the two knows it', () => {
    const { call } = start();
    for (const userId of [null, '7']) call.watch([{ channel: ORG, stamp: null, userId }]);
    expect(call.close().watched).toMatchObject([{ userId: '7' }]);
  });
});

it('data made of two cached parts has the older stamp of both, and none for what only one knows', () => {
  const { call } = start();
  call.useCachedData(new Map([[ORG, at(3)]]));
  call.useCachedData(
    new Map([
      [ORG, at(5)],
      [Channels.global(), at(1)],
    ]),
  );
  const stampOf = (channel: typeof ORG | 'trpc:global') => call.stampOf({ channel, stamp: at(9), userId: null });
  expect(stampOf(ORG)).toEqual(at(3));
  expect(stampOf(Channels.global())).toBeNull();
});

it('what is touched after the end is announced apart', () => {
  const { call, late } = start();
  const touched: Touched = { channel: ORG, message: { type: 'channel-invalidation' } };
  call.touch([touched, touched]);
  expect(call.close().touched).toEqual([touched]);
  call.touch([touched]);
  expect(late).toEqual([touched]);
});
