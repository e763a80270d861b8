import { linkSync, lstatSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CliError } from './cli-error.ts';
import { ENGINES, type Engine } from './engine.ts';
import type { Terminal } from './terminal.ts';

/** Who to stop: a process (with what tells it from a later one of the same number), or a container. */
export type BrokerOwner =
  | { readonly kind: 'process'; readonly pid: number; readonly identity: string }
  | { readonly kind: 'container'; readonly name: string };

/** What is remembered of a broker that `dev` started, one file per port. */
export interface BrokerState {
  readonly engine: Engine;
  readonly port: number;
  readonly owner: BrokerOwner;
  readonly fingerprint: string;
}

/** A state file's text, or `undefined` where it is not one (half written, of another version, of somebody else). */
export function parseBrokerState(text: string): BrokerState | undefined {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (!isRecord(value) || !isRecord(value.owner)) return undefined;
  const engine = ENGINES.find((name) => name === value.engine);
  const owner = parseOwner(value.owner);
  const { port, fingerprint } = value;
  if (!engine || !owner || !isPositiveInteger(port) || typeof fingerprint !== 'string') return undefined;
  return { engine, port, owner, fingerprint };
}

function parseOwner(owner: Record<string, unknown>): BrokerOwner | undefined {
  const { kind, pid, identity, name } = owner;
  // A pid of 0 or 1 would be this process group, or the whole machine.
  if (kind === 'process' && isPositiveInteger(pid) && pid > 1 && typeof identity === 'string' && identity !== '')
    return { kind, pid, identity };
  if (kind === 'container' && typeof name === 'string' && /^op-realtime-\d+$/.test(name)) return { kind, name };
  return undefined;
}

const isRecord = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null;
const isPositiveInteger = (value: unknown): value is number => Number.isSafeInteger(value) && Number(value) > 0;

/**
 * The folder of state and log files: in the system's temporary folder, because a port belongs to the machine and not to one clone.
 * `OP_REALTIME_STATE_DIR` names another.
 * @throws CliError `start_failed` where the folder belongs to another user, who could make `down` stop a process of their choice
 */
export function stateFolder(env: Terminal['env']): string {
  const uid = process.getuid?.() ?? 0;
  const folder = env.OP_REALTIME_STATE_DIR || join(tmpdir(), `op-realtime-${uid}`);
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  // `lstat`: a link that somebody laid there counts as theirs.
  const found = lstatSync(folder);
  if (!found.isDirectory() || (process.getuid && found.uid !== uid))
    throw new CliError('start_failed', `${folder} is not a folder of this user. Name one with OP_REALTIME_STATE_DIR.`);
  return folder;
}

export const statePath = (folder: string, port: number): string => join(folder, `broker-${port}.json`);
export const logPath = (folder: string, port: number): string => join(folder, `broker-${port}.log`);

export function readState(folder: string, port: number): BrokerState | undefined {
  try {
    return parseBrokerState(readFileSync(statePath(folder, port), 'utf8'));
  } catch {
    return undefined; // never started, or stopped
  }
}

/** Takes the port's state file, if nobody has it: of two commands that start at once, one gets `true`. */
export function claimState(folder: string, state: BrokerState): boolean {
  const draft = writeDraft(folder, state);
  try {
    linkSync(draft, statePath(folder, state.port));
    return true;
  } catch {
    return false;
  } finally {
    rmSync(draft, { force: true });
  }
}

/** Replaces the state file of a port that this process has claimed. */
export function replaceState(folder: string, state: BrokerState): void {
  renameSync(writeDraft(folder, state), statePath(folder, state.port));
}

/** Written beside and then linked or renamed, so that a reader never sees half a file. */
function writeDraft(folder: string, state: BrokerState): string {
  const path = `${statePath(folder, state.port)}.${process.pid}`;
  writeFileSync(path, `${JSON.stringify(state)}\n`, { mode: 0o600 });
  return path;
}

export function removeState(folder: string, port: number): void {
  rmSync(statePath(folder, port), { force: true });
}
