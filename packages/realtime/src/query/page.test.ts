import { afterEach, describe, expect, it, vi } from 'vitest';
import { browserNetwork, documentFocus } from './page.ts';

afterEach(() => vi.unstubAllGlobals());

describe('a page', () => {
  it.each([
    ['visible', true],
    ['prerender', true],
    ['hidden', false],
  ])('that is %s: somebody looks at it: %s', (visibilityState, expected) => {
    vi.stubGlobal('document', Object.assign(new EventTarget(), { visibilityState }));
    expect(documentFocus.isFocused()).toBe(expected);
  });

  it.each([
    [true, true],
    [false, false],
    [undefined, true],
  ])('whose navigator says %s is online: %s', (onLine, expected) => {
    vi.stubGlobal('navigator', { onLine });
    expect(browserNetwork.isOnline()).toBe(expected);
  });

  it('tells of changes until the end', () => {
    const page = new EventTarget();
    vi.stubGlobal('document', page);
    vi.stubGlobal('window', page);
    let changes = 0;
    const ends = [documentFocus, browserNetwork].map((source) => source.subscribe(() => changes++));
    for (const event of ['visibilitychange', 'online', 'offline']) page.dispatchEvent(new Event(event));
    expect(changes).toBe(3);
    for (const end of ends) end();
    for (const event of ['visibilitychange', 'online', 'offline']) page.dispatchEvent(new Event(event));
    expect(changes).toBe(3);
  });

  it('that is none always looks focused and online', () => {
    vi.stubGlobal('navigator', undefined);
    expect(documentFocus.isFocused()).toBe(true);
    expect(browserNetwork.isOnline()).toBe(true);
    for (const source of [documentFocus, browserNetwork]) source.subscribe(() => {})();
  });
});
