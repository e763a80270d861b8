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

export const wholeNumber: ValueParser<number> = {
  expected: 'a whole number',
  jsonType: 'number',
  parse(value) {
    if (!/^[+-]?(?:0x[\da-f]+|0o?[0-7]+|0b[01]+|[1-9]\d*|0)$/i.test(value)) return undefined;
    const sign = value.startsWith('-') ? -1 : 1;
    const digits = value.replace(/^[+-]/, '').replace(/^0(?=[0-7])/, '0o');
    const number = sign * Number(digits);
    return Number.isSafeInteger(number) ? number + 0 : undefined;
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
    return sign === '-' ? -ms : ms;
  },
};

/** Texts separated by spaces. */
export const spacedList: ValueParser<readonly string[]> = {
  expected: 'a list separated by spaces',
  jsonType: 'object',
  parse: (value) => value.split(' '),
};

/** One of a few words. */
export function oneOf<const W extends string>(...words: W[]): ValueParser<W> {
  return {
    expected: words.map((word) => JSON.stringify(word)).join(' or '),
    jsonType: 'string',
    parse: (value) => words.find((word) => word === value),
  };
}

/** Some of a few words, separated by spaces. */
export function listOf<const W extends string>(...words: W[]): ValueParser<readonly W[]> {
  return {
    expected: `a list of ${words.map((word) => JSON.stringify(word)).join(', ')}, separated by spaces`,
    jsonType: 'object',
    parse(value) {
      const items = value.split(' ').map((item) => words.find((word) => word === item));
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
