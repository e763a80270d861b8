import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { StoredPublication } from '../protocol/encoding.ts';
import { ChannelStream } from './stream.ts';

function publication(offset: number): StoredPublication {
  return {
    data: String(offset),
    offset,
    epoch: '',
    info: undefined,
    tags: undefined,
    version: 0,
    timeMs: 0,
    isJson: true,
  };
}

function filled(count: number, size: number): ChannelStream {
  const stream = new ChannelStream('e');
  for (let i = 0; i < count; i++) stream.add(publication(stream.nextOffset), size, 1000);
  return stream;
}

const offsets = (publications: readonly StoredPublication[]) => publications.map(({ offset }) => offset);

describe('a stream', () => {
  it.each<[string, Parameters<ChannelStream['read']>[0], number[]]>([
    ['nothing for limit 0', { limit: 0 }, []],
    ['all for a negative limit', { limit: -1 }, [3, 4, 5]],
    ['the oldest first', { limit: 2 }, [3, 4]],
    ['the newest first if reversed', { limit: 2, isReverse: true }, [5, 4]],
    ['behind a place', { limit: -1, since: { offset: 4, epoch: '' } }, [5]],
    ['before a place if reversed', { limit: -1, since: { offset: 5, epoch: '' }, isReverse: true }, [4, 3]],
    ['from the oldest on where the place is gone', { limit: -1, since: { offset: 0, epoch: '' } }, [3, 4, 5]],
    [
      'nothing where the place is gone and reversed',
      { limit: -1, since: { offset: 3, epoch: '' }, isReverse: true },
      [],
    ],
    ['nothing behind the top', { limit: -1, since: { offset: 5, epoch: '' } }, []],
    ['nothing far behind the top', { limit: -1, since: { offset: 50, epoch: '' } }, []],
  ])('reads %s', (_name, filter, expected) => {
    expect(offsets(filled(5, 3).read(filter))).toEqual(expected);
  });

  it('expires as a whole, but goes on counting', () => {
    const stream = filled(3, 10);
    stream.expire(999);
    expect(stream.length).toBe(3);
    stream.expire(1000);
    expect(stream.length).toBe(0);
    expect(stream.position).toEqual({ offset: 3, epoch: 'e' });
  });

  it.each([
    ['an older one', 4, 'v', true],
    ['the same', 5, 'v', true],
    ['a newer one', 6, 'v', false],
    ['an older one of another version epoch', 4, 'w', false],
    ['an older one without version epoch', 4, '', true],
    ['none', 0, '', false],
  ])('knows a version that comes too late: %s', (_name, version, versionEpoch, expected) => {
    const stream = new ChannelStream('e');
    stream.add(publication(1), 10, 1000, 5, 'v');
    expect(stream.isOutdated(version, versionEpoch)).toBe(expected);
  });

  it('behaves like a list that is cut at its size', () => {
    const filter = fc.record({
      limit: fc.integer({ min: -1, max: 12 }),
      since: fc.option(fc.record({ offset: fc.nat(30), epoch: fc.constantFrom('', 'e') }), { nil: undefined }),
    });
    fc.assert(
      fc.property(fc.nat(25), fc.integer({ min: 1, max: 8 }), filter, (count, size, { limit, since }) => {
        const all = Array.from({ length: count }, (_, i) => i + 1).slice(-size);
        const behind = since ? all.filter((offset) => offset > since.offset) : all;
        const expected = limit < 0 ? behind : behind.slice(0, limit);
        expect(offsets(filled(count, size).read({ limit, since }))).toEqual(expected);
      }),
    );
  });

  it('recovers exactly what was missed, or says that it cannot', () => {
    fc.assert(
      fc.property(
        fc.nat(25),
        fc.integer({ min: 1, max: 8 }),
        fc.nat(30),
        fc.integer({ min: 1, max: 6 }),
        (count, size, offset, most) => {
          const { isRecovered, publications } = filled(count, size).recover({ offset, epoch: 'e' }, most);
          const missed = count - offset;
          expect(isRecovered).toBe(missed >= 0 && missed <= Math.min(size, most, count));
          const expected = isRecovered ? Array.from({ length: missed }, (_, i) => offset + i + 1) : [];
          expect(offsets(publications)).toEqual(expected);
        },
      ),
    );
  });

  it('costs what it holds: the ring grows with its use', () => {
    expect(filled(2, 1_000_000).length).toBe(2);
  });
});
