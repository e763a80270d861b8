import { describe, expect, it } from 'vitest';
import { CliError } from './cli-error.ts';
import { type Availability, chooseEngine, ENGINES, type Engine, parseEngine } from './engine.ts';

const is = (available: boolean, because: string): Availability => ({ available, because });

describe('which engine is started', () => {
  // Every combination of what a machine has, without a forced engine and with each.
  const cases = [true, false].flatMap((docker) =>
    [true, false].flatMap((binary) =>
      [true, false].flatMap((embedded) =>
        [undefined, ...ENGINES].map((forced) => ({ has: { docker, binary, embedded }, forced })),
      ),
    ),
  );

  it.each(cases)('has $has, forced $forced', ({ has, forced }) => {
    const found = {
      docker: is(has.docker, 'about docker'),
      binary: is(has.binary, 'about binary'),
      embedded: is(has.embedded, 'about embedded'),
    };
    const expected: Engine | undefined = forced
      ? has[forced]
        ? forced
        : undefined
      : has.docker
        ? 'docker'
        : has.binary
          ? 'binary'
          : has.embedded
            ? 'embedded'
            : undefined;
    if (expected) expect(chooseEngine(found, forced).engine).toBe(expected);
    else expect(() => chooseEngine(found, forced)).toThrow(expect.objectContaining({ code: 'engine_unavailable' }));
  });

  it('says why the better ones were passed over', () => {
    const found = {
      docker: is(false, 'no Docker engine is running'),
      binary: is(false, 'centrifugo is not on PATH'),
      embedded: is(true, 'it needs nothing but Node'),
    };
    expect(chooseEngine(found).why).toBe(
      'no Docker engine is running; centrifugo is not on PATH; it needs nothing but Node',
    );
  });

  it('says why a forced one is impossible, instead of taking another', () => {
    const found = { docker: is(false, 'docker is not on PATH'), embedded: is(true, '') };
    expect(() => chooseEngine(found, 'docker')).toThrow('--engine docker is not possible: docker is not on PATH.');
  });

  it('does not take an engine that was not looked for', () => {
    expect(() => chooseEngine({})).toThrow(CliError);
  });

  it('refuses an unknown name as wrong usage', () => {
    expect(() => parseEngine('podman')).toThrow(
      expect.objectContaining({
        code: 'usage',
        message: '--engine must be one of docker, binary, embedded, got "podman".',
      }),
    );
    expect(() => parseEngine('__proto__')).toThrow(CliError);
    expect(ENGINES.map(parseEngine)).toEqual(ENGINES);
  });
});
