import { parseValue, type ValueParser } from './env-values.ts';

/** Options while they are being read. */
export type Mutable<T> = { -readonly [K in keyof T]: T[K] };

/** Reads one variable into a target. */
export interface Variable<T> {
  readonly parser: ValueParser<unknown>;
  /** @throws BrokerConfigError (`invalid_config`) that names the variable */
  read(target: T, name: string, value: string): void;
}

/** A variable that sets one member of the part of the draft that `at` picks. */
export function variable<T, P, K extends keyof P>(
  at: (target: T) => P,
  key: K,
  parser: ValueParser<NonNullable<P[K]>>,
): Variable<T> {
  return {
    parser,
    read(target, name, value) {
      at(target)[key] = parseValue(name, value, parser);
    },
  };
}
