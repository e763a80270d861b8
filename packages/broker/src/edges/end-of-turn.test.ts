import { setImmediate as endOfTurn } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { EndOfTurn } from './end-of-turn.ts';

describe('the end of a turn', () => {
  it('calls all writers of the turn in order, each once', async () => {
    const turn = new EndOfTurn();
    const written: string[] = [];
    const writer = (name: string) => ({ writeNow: () => written.push(name) });
    turn.add(writer('first'));
    await Promise.resolve();
    turn.add(writer('second'));
    expect(written).toEqual([]);
    await endOfTurn();
    expect(written).toEqual(['first', 'second']);
    await endOfTurn();
    expect(written).toEqual(['first', 'second']);
  });

  it('leaves who comes while it writes to the next turn', async () => {
    const turn = new EndOfTurn();
    let writes = 0;
    const writer = {
      writeNow() {
        writes++;
        if (writes < 3) turn.add(writer);
      },
    };
    turn.add(writer);
    await endOfTurn();
    expect(writes).toBe(1);
    await endOfTurn();
    expect(writes).toBe(2);
    await endOfTurn();
    expect(writes).toBe(3);
  });
});
