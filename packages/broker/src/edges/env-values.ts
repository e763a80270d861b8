import { BrokerConfigError } from '../core/errors.ts';

/** Reads one value of an environment variable, or of an option inside a JSON list, as Centrifugo does. */
export interface ValueParser<T> {
  /** What is expected, for error messages. */
  readonly expected: string;
  /** @returns `undefined` for what cannot be read */
  parse(text: string): T | undefined;
  /** The JSON type that the option has inside a JSON list. */
  readonly jsonType: 'string' | 'number' | 'boolean' | 'object';
}

const TRUE = ['1', 't', 'T', 'true', 'TRUE', 'True'];
const FALSE = ['0', 'f', 'F', 'false', 'FALSE', 'False'];

export const text: ValueParser<string> = { expected: 'a text', jsonType: 'string', parse: (value) => value };

export const flag: ValueParser<boolean> = {
  expected: 'true or false',
  jsonType: 'boolean',
  parse: (value) => (TRUE.includes(value) ? true : FALSE.includes(value) ? false : undefined),
};

/** As Go reads it: with an underscore between digits, and behind the base. */
const WHOLE_NUMBER = /^[+-]?(?:0x(?:_?[\da-f])+|0o(?:_?[0-7])+|0b(?:_?[01])+|0(?:_?[0-7])+|[1-9](?:_?\d)*|0)$/i;

export const wholeNumber: ValueParser<number> = {
  expected: 'a whole number',
  jsonType: 'number',
  parse(value) {
    if (!WHOLE_NUMBER.test(value)) return undefined;
    const isNegative = value.startsWith('-');
    const digits = BigInt(
      value
        .replace(/^[+-]/, '')
        .replaceAll('_', '')
        .replace(/^0(?=[0-7])/, '0o'),
    );
    const number = isNegative ? -digits : digits;
    return BigInt.asIntN(64, number) === number ? Number(number) : undefined;
  },
};

const UNIT_MS: Readonly<Record<string, number>> = {
  ns: 1e-6,
  us: 1e-3,
  µs: 1e-3,
  μs: 1e-3,
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
};
const DURATION = /^([+-]?)((?:(?:\d+\.?\d*|\.\d+)(?:ns|us|µs|μs|ms|s|m|h))+)$/;

/** Go counts nanoseconds in 64 bits. */
const MAX_DURATION_MS = 2 ** 63 / 1e6;

/** A duration with units, such as `1h30m` or `500ms`, in milliseconds. Only zero needs no unit. */
export const duration: ValueParser<number> = {
  expected: 'a duration with a unit, such as 25s, 10m or 1h30m',
  jsonType: 'string',
  parse(value) {
    if (/^[+-]?0$/.test(value)) return 0;
    const [, sign, parts] = DURATION.exec(value) ?? [];
    if (parts === undefined) return undefined;
    let ms = 0;
    for (const [, amount, unit] of parts.matchAll(/([\d.]+)([a-zµμ]+)/g)) ms += Number(amount) * UNIT_MS[unit!]!;
    if (ms > MAX_DURATION_MS) return undefined;
    return sign === '-' ? -ms : ms;
  },
};

function words(value: string): string[] {
  return value.trim() === '' ? [] : value.split(' ');
}

/** Texts separated by spaces. */
export const spacedList: ValueParser<readonly string[]> = {
  expected: 'a list separated by spaces',
  jsonType: 'object',
  parse: words,
};

/** One of a few words. */
export function oneOf<const W extends string>(...known: W[]): ValueParser<W> {
  return {
    expected: known.map((word) => JSON.stringify(word)).join(' or '),
    jsonType: 'string',
    parse: (value) => known.find((word) => word === value),
  };
}

/** Some of a few words, separated by spaces. */
export function listOf<const W extends string>(...known: W[]): ValueParser<readonly W[]> {
  return {
    expected: `a list of ${known.map((word) => JSON.stringify(word)).join(', ')}, separated by spaces`,
    jsonType: 'object',
    parse(value) {
      const items = words(value).map((item) => known.find((word) => word === item));
      return items.every((item) => item !== undefined) ? items : undefined;
    },
  };
}

/** Parses a value, or says what was expected. The value itself may be a secret and is not repeated. */
export function parseValue<T>(name: string, value: string, parser: ValueParser<T>): T {
  const parsed = parser.parse(value);
  if (parsed === undefined) throw new BrokerConfigError(`${name} must be ${parser.expected}.`);
  return parsed;
}
