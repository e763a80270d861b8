import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { ROOT } from './markdown.ts';

/** What stands in `deploy/`, read as the programs there read it. */

export const SET_UPS = ['single', 'redis', 'postgres'] as const;
export type SetUp = (typeof SET_UPS)[number];

export interface Service {
  readonly image: string;
  readonly env_file?: string;
  readonly environment?: Readonly<Record<string, string>>;
  readonly deploy?: { readonly replicas: string };
  readonly command?: readonly string[];
  readonly depends_on?: Readonly<Record<string, { readonly condition: string }>>;
  readonly expose?: readonly string[];
  readonly ports?: readonly string[];
  readonly volumes?: readonly string[];
  readonly healthcheck?: { readonly test: readonly string[] };
  readonly stop_grace_period?: string;
  readonly restart?: string;
}

export interface Compose {
  readonly services: Readonly<Record<string, Service>>;
  readonly volumes?: Readonly<Record<string, null>>;
}

export const readDeploy = (name: string): string => readFileSync(join(ROOT, 'deploy', name), 'utf8');

/** A file of `NAME=value` lines, as Compose takes it. */
export function readEnvironment(text: string): Record<string, string> {
  const lines = text.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  return Object.fromEntries(
    lines.map((line) => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)] as const),
  );
}

/** The file of a set-up with its variables filled in. Those that must be given and are not are a failure, as in Compose. */
export function readCompose(setUp: SetUp, given: Readonly<Record<string, string>>): Compose {
  const text = readDeploy(`compose.${setUp}.yml`);
  const filled = text.replace(/\$\{(\w+)(?::([-?])([^}]*))?\}/g, (_, name: string, operator = '', rest = '') => {
    if (given[name]) return given[name];
    if (operator === '-') return rest;
    throw new Error(`compose.${setUp}.yml: ${name} ${rest}`);
  });
  return parse(filled) as Compose;
}

/** All variables that a Centrifugo node of a set-up gets. */
export function nodeVariables(setUp: SetUp, given: Readonly<Record<string, string>>): Record<string, string> {
  const { env_file, environment } = readCompose(setUp, given).services.centrifugo!;
  return { ...readEnvironment(readDeploy(env_file!)), ...environment };
}
