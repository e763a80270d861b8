import { expect, it } from 'vitest';
import { ManualClock } from '../../test/manual-clock.ts';
import { createProgress } from './progress.ts';

function watch() {
  const clock = new ManualClock();
  const written: string[] = [];
  const progress = createProgress({ write: (text) => written.push(text), columns: 20 }, clock);
  return { clock, progress, take: () => written.splice(0) };
}

it('is silent for a second, and after it was stopped', () => {
  const { clock, progress, take } = watch();
  progress.step('connecting');
  clock.advance(999);
  progress.stop();
  clock.advance(60_000);
  expect(take()).toEqual([]);
});

it('then rewrites one line, no longer than the terminal, and takes it away at the end', () => {
  const { clock, progress, take } = watch();
  progress.step('asking the broker for a long time');
  clock.advance(1_000);
  expect(take()).toEqual(['\r\u001b[2K⠋ asking the broker']);
  progress.step('next');
  clock.advance(120);
  expect(take()).toEqual(['\r\u001b[2K⠙ next']);
  progress.stop();
  expect(take()).toEqual(['\r\u001b[2K']);
  clock.advance(60_000);
  expect(take()).toEqual([]);
});

it('makes room for other output, and comes back', () => {
  const { clock, progress, take } = watch();
  clock.advance(1_000);
  take();
  progress.clear();
  expect(take()).toEqual(['\r\u001b[2K']);
  progress.clear();
  expect(take()).toEqual([]);
  clock.advance(120);
  expect(take()).toHaveLength(1);
});
