import { describe, expect, it, vi } from 'vitest';
import { hasLane, LANES, missingLanes, requiredLanes } from './lanes.ts';

const require = (lanes: string) => ({ REALTIME_REQUIRED_LANES: lanes });

describe('required lanes', () => {
  it.each([
    ['', []],
    ['chromium', ['chromium']],
    [' chromium , redis ,', ['chromium', 'redis']],
  ])('"%s" names %j', (value, expected) => {
    expect(requiredLanes(require(value))).toEqual(expected);
  });

  it.each(['chrome', 'toString', '__proto__'])('refuse the unknown name "%s"', (name) => {
    expect(() => requiredLanes(require(name))).toThrow('unknown lane');
  });

  it('are reported missing without any test that asks for them', () => {
    const path = process.env.PATH;
    const bin = process.env.CHROMIUM_PATH;
    try {
      process.env.PATH = '';
      delete process.env.CHROMIUM_PATH;
      expect(missingLanes(require('chromium'))).toEqual([expect.stringContaining('lane chromium is required')]);
      expect(missingLanes(require(''))).toEqual([]);
    } finally {
      process.env.PATH = path;
      if (bin !== undefined) process.env.CHROMIUM_PATH = bin;
    }
  });

  it('throw where they are missing, and skip loudly where they are not required', () => {
    const before = process.env.REALTIME_REQUIRED_LANES;
    const write = vi.spyOn(process.stderr, 'write').mockReturnValue(true);
    try {
      process.env.REALTIME_REQUIRED_LANES = 'redis';
      expect(() => hasLane('redis', '')).toThrow(LANES.redis.needs);
      expect(hasLane('go', '')).toBe(false);
      expect(write).toHaveBeenCalledWith(`\nlane go SKIPPED: needs ${LANES.go.needs}\n`);
      expect(hasLane('redis', '/usr/bin/redis-server')).toBe(true);
    } finally {
      write.mockRestore();
      if (before === undefined) delete process.env.REALTIME_REQUIRED_LANES;
      else process.env.REALTIME_REQUIRED_LANES = before;
    }
  });
});
