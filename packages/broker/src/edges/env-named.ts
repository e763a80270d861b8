import { BrokerConfigError } from '../core/errors.ts';
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
  try {
    return JSON.parse(value) as unknown[];
  } catch (cause) {
    throw new BrokerConfigError(`${where} is not JSON.`, { cause });
  }
}

function readItem<T>(where: string, item: unknown, add: Add<T>, variables: ReadonlyMap<string, Variable<T>>): void {
  if (typeof item !== 'object' || item === null || !('name' in item) || typeof item.name !== 'string')
    throw new BrokerConfigError(`${where}: every item needs a "name".`);
  const options = add(item.name);
  const { name, ...members } = item;
  for (const [key, value] of flatten(members)) {
    const variable = variables.get(key.toUpperCase().replaceAll('.', '_'));
    const path = `${where}: ${name}.${key}`;
    if (!variable) throw new BrokerConfigError(`${path} is no option of the embedded broker.`);
    if (value === null || typeof value !== variable.parser.jsonType)
      throw new BrokerConfigError(`${path} must be ${variable.parser.expected}.`);
    const text = asText(value);
    if (text !== '') variable.read(options, path, text);
  }
}

/** Groups of options are objects in JSON and part of the name in a variable. */
const GROUPS = ['http'];

function flatten(members: object): (readonly [key: string, value: unknown])[] {
  return Object.entries(members).flatMap(([key, value]) =>
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
