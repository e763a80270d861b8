import { BrokerConfigError } from '../core/errors.ts';
import { duration } from './env-values.ts';
import type { Variable } from './env-variable.ts';

const PREFIX = 'CENTRIFUGO_';

/** Makes the options of one more item, and refuses a name that is there already. */
type Add<T> = (name: string) => T;

/**
 * A list of things with names and options of their own: namespaces, proxies. Names are given as a list separated by spaces, and the options as
 * variables `<LIST>_<NAME>_<OPTION>`; or all of it as a JSON list of objects.
 */
export class NamedList<T extends object> {
  /** The variable that holds the list, without the prefix. */
  readonly key: string;
  readonly items = new Map<string, T>();
  readonly #variables: ReadonlyMap<string, Variable<T>>;
  readonly #create: () => T;

  constructor(key: string, variables: ReadonlyMap<string, Variable<T>>, create: () => T) {
    this.key = key;
    this.#variables = variables;
    this.#create = create;
  }

  /** Reads the list itself. @throws BrokerConfigError (`invalid_config`) */
  readList(value: string): void {
    if (value === '') return;
    const where = PREFIX + this.key;
    const add: Add<T> = (name) => {
      if (this.items.has(name)) throw new BrokerConfigError(`${where}: ${name} is there twice.`);
      const options = this.#create();
      this.items.set(name, options);
      return options;
    };
    if (value.startsWith('[') && value.endsWith(']'))
      for (const item of parseList(where, value)) readItem(where, item, add, this.#variables);
    else for (const name of value.split(' ')) add(name);
  }

  /** Reads the variable of an option. @returns whether it is one */
  readOption(key: string, name: string, value: string): boolean {
    for (const [item, options] of this.items) {
      const prefix = `${this.key}_${item.replaceAll(/[.-]/g, '_').toUpperCase()}_`;
      const variable = key.startsWith(prefix) ? this.#variables.get(key.slice(prefix.length)) : undefined;
      if (!variable) continue;
      variable.read(options, name, value);
      return true;
    }
    return false;
  }
}

function parseList(where: string, value: string): readonly unknown[] {
  // None of the options is a fraction, and Go takes `5.0` for one.
  if (/\d[.eE]/.test(value.replace(/"(?:[^"\\]|\\.)*"/gs, '""')))
    throw new BrokerConfigError(`${where}: numbers must be whole, without point and exponent.`);
  try {
    return JSON.parse(value) as unknown[];
  } catch (cause) {
    throw new BrokerConfigError(`${where} is not JSON.`, { cause });
  }
}

function readItem<T>(where: string, item: unknown, add: Add<T>, variables: ReadonlyMap<string, Variable<T>>): void {
  // Go finds members in whatever case they are written, and takes `null` for nothing said.
  const members = new Map(flatten(item).map(([key, value]) => [key.toUpperCase(), value]));
  const name = members.get('NAME');
  if (typeof name !== 'string') throw new BrokerConfigError(`${where}: every item needs a "name".`);
  members.delete('NAME');
  const options = add(name);
  for (const [key, value] of members) {
    const variable = variables.get(key.replaceAll('.', '_'));
    const path = `${where}: ${name}.${key.toLowerCase()}`;
    if (!variable) throw new BrokerConfigError(`${path} is no option of the embedded broker.`);
    if (value !== null) readMember(options, variable, path, value);
  }
}

function readMember<T>(options: T, variable: Variable<T>, path: string, value: unknown): void {
  const { parser } = variable;
  // A duration that is a number counts nanoseconds.
  const given = parser === duration && typeof value === 'number' ? `${value}ns` : value;
  if (typeof given !== parser.jsonType) throw new BrokerConfigError(`${path} must be ${parser.expected}.`);
  const text = asText(given);
  if (text !== '' || parser === duration) variable.read(options, path, text);
}

/** Groups of options are objects in JSON and part of the name in a variable. */
const GROUPS = ['http'];

function flatten(item: unknown): (readonly [key: string, value: unknown])[] {
  if (typeof item !== 'object' || item === null) return [];
  return Object.entries(item).flatMap(([key, value]) =>
    GROUPS.includes(key) && typeof value === 'object' && value !== null
      ? Object.entries(value).map(([inner, option]) => [`${key}.${inner}`, option] as const)
      : [[key, value] as const],
  );
}

/** The value of an option inside JSON as it would stand in a variable. */
function asText(value: unknown): string {
  if (typeof value !== 'object') return String(value);
  const isList = Array.isArray(value) && value.every((item) => typeof item === 'string');
  return isList ? value.join(' ') : JSON.stringify(value);
}
