import { describe, expect, it } from 'vitest';
import { UnnamedStreams } from './unnamed-streams.ts';

const push = (channel: string, pub: object) => JSON.stringify({ push: { channel, pub } });
const first = (channel: string) => push(channel, { data: {}, offset: 1, epoch: 'E' });
const NONE = { epoch: '', offset: 0 };

describe('a stream that did not exist when it was joined', () => {
  it('gets its name from its first publication, once', () => {
    const streams = new UnnamedStreams();
    streams.joined('c', NONE);
    streams.look(first('c'));
    expect(streams.begun('c', 1)).toEqual({ epoch: 'E', offset: 0 });
    expect(streams.begun('c', 2)).toBeNull();
  });

  it('is named also where join and publication come in one frame', () => {
    const streams = new UnnamedStreams();
    streams.look(`${JSON.stringify({ id: 1, subscribe: {} })}\n${first('other')}\n${first('c')}\n`);
    streams.joined('c', NONE);
    expect(streams.begun('c', 1)).toEqual({ epoch: 'E', offset: 0 });
  });

  const nameless: [why: string, frame: unknown, position?: typeof NONE][] = [
    ['it had a name at the join', first('c'), { epoch: 'D', offset: 0 }],
    ['the publication tells no epoch', push('c', { data: {}, offset: 1 })],
    ['only the data speaks of one', push('c', { data: { epoch: 'E' }, offset: 1 })],
    ['the epoch is no text', push('c', { data: {}, offset: 1, epoch: 1 })],
    ['it is that of another channel', first('d')],
    ['the frame is binary', new Uint8Array(8)],
  ];
  it.each(nameless)('stays without a name where %s', (_why, frame, position = NONE) => {
    const streams = new UnnamedStreams();
    streams.joined('c', position);
    streams.look(frame);
    expect(streams.begun('c', 1)).toBeNull();
  });

  it('stays without a name where the channel has no history, or was left meanwhile', () => {
    const streams = new UnnamedStreams();
    for (const prepare of [
      () => streams.joined('c', undefined),
      () => {
        streams.joined('c', NONE);
        streams.left('c');
      },
    ]) {
      prepare();
      streams.look(first('c'));
      expect(streams.begun('c', 1)).toBeNull();
    }
  });

  it('stays without a name where its first publication was not the first that came', () => {
    const streams = new UnnamedStreams();
    streams.joined('c', NONE);
    streams.look(first('c'));
    expect(streams.begun('c', 2)).toBeNull();
  });

  it('is asked for a frame that the SDK would refuse too', () => {
    expect(() => new UnnamedStreams().look('{"push":{"epoch":')).toThrow(SyntaxError);
  });
});
