import { CliError } from './cli-error.ts';

/** What can serve as the broker, in order of preference: the nearer to production, the better. */
export const ENGINES = ['docker', 'binary', 'embedded'] as const;
export type Engine = (typeof ENGINES)[number];

export const ENGINE_TITLES: Record<Engine, string> = {
  docker: 'Centrifugo container',
  binary: 'Centrifugo binary',
  embedded: 'embedded broker',
};

/** Whether an engine can be used here, and in a few words why or why not (`Docker 28.2 is running`). */
export interface Availability {
  readonly available: boolean;
  readonly because: string;
}

export interface EngineChoice {
  readonly engine: Engine;
  readonly why: string;
}

export function parseEngine(value: string): Engine {
  const engine = ENGINES.find((name) => name === value);
  if (!engine) throw new CliError('usage', `--engine must be one of ${ENGINES.join(', ')}, got "${value}".`);
  return engine;
}

/**
 * The first available engine, or the forced one.
 * @param found what is known of each engine; one that is missing counts as not available
 * @throws CliError `engine_unavailable`
 */
export function chooseEngine(found: Partial<Record<Engine, Availability>>, forced?: Engine): EngineChoice {
  const of = (engine: Engine): Availability => found[engine] ?? { available: false, because: 'was not looked for' };
  if (forced) {
    if (of(forced).available) return { engine: forced, why: `--engine ${forced}; ${of(forced).because}` };
    throw new CliError('engine_unavailable', `--engine ${forced} is not possible: ${of(forced).because}.`);
  }
  const passedOver: string[] = [];
  for (const engine of ENGINES) {
    const { available, because } = of(engine);
    if (available) return { engine, why: [...passedOver, because].join('; ') };
    passedOver.push(because);
  }
  throw new CliError('engine_unavailable', `No broker can be started here: ${passedOver.join('; ')}.`);
}
