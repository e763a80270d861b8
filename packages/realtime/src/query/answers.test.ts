import { describe, expect, it } from 'vitest';
import { Answers, sharedAnswers } from './answers.ts';

describe('answers', () => {
  it('are found by the identity of their data, and of nothing else', () => {
    const answers = new Answers();
    const data = { a: 1 };
    const answer = { wire: 1, sentAt: null };
    answers.set(data, answer);
    answers.set('text', answer);
    answers.set(null, answer);
    expect(answers.get(data)).toBe(answer);
    for (const other of [{ a: 1 }, 'text', null, undefined, 5]) expect(answers.get(other)).toBeUndefined();
  });

  it('are found for data made of nothing but them', () => {
    const answers = new Answers();
    const [one, two] = [{ n: 1 }, { n: 2 }];
    answers.set(one, { wire: 1, sentAt: null });
    answers.set(two, { wire: 2, sentAt: null });
    const wires = (data: unknown) => answers.of(data)?.map(({ wire }) => wire);
    expect(wires(one)).toEqual([1]);
    expect(wires([one, two])).toEqual([1, 2]);
    expect(wires({ one, two })).toEqual([1, 2]);
    expect(wires({ pages: [two, one], pageParams: [0, 1] })).toEqual([2, 1]);
    for (const other of [
      [],
      {},
      [one, 5],
      { one, other: {} },
      [[one]],
      { pages: [one, {}], pageParams: [0, 1] },
      null,
      5,
    ])
      expect(wires(other)).toBeUndefined();
  });

  it('remember the last calls, as many as they are told', () => {
    const answers = new Answers('tab', 2);
    for (const path of ['a', 'b', 'c']) answers.called(path, undefined);
    expect(answers.calls.map(({ path }) => path)).toEqual(['b', 'c']);
  });

  it('that all users of a server share remember none', () => {
    sharedAnswers().called('a', { secret: true });
    expect(sharedAnswers()).toBe(sharedAnswers());
    expect(sharedAnswers().calls).toEqual([]);
  });
});
