import { mkdtempSync, readdirSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  type BrokerState,
  claimState,
  parseBrokerState,
  readState,
  removeState,
  replaceState,
  stateFolder,
  statePath,
} from './state-file.ts';

const owner = { kind: 'process', pid: 4711, identity: 'boot:1' } as const;
const state: BrokerState = { engine: 'embedded', port: 8000, fingerprint: 'f', owner };

describe('a state file', () => {
  it.each([
    ['nothing', ''],
    ['half a file', '{"engine":"embedded","po'],
    ['a list', '[]'],
    ['null', 'null'],
    ['an unknown engine', JSON.stringify({ ...state, engine: 'podman' })],
    ['a port that is none', JSON.stringify({ ...state, port: '8000' })],
    ['no owner', JSON.stringify({ ...state, owner: undefined })],
    ['this process group as the owner', JSON.stringify({ ...state, owner: { ...owner, pid: 0 } })],
    ['everybody as the owner', JSON.stringify({ ...state, owner: { ...owner, pid: -1 } })],
    ['the first process as the owner', JSON.stringify({ ...state, owner: { ...owner, pid: 1 } })],
    ['a pid without identity', JSON.stringify({ ...state, owner: { ...owner, identity: '' } })],
    ['a container that is not ours', JSON.stringify({ ...state, owner: { kind: 'container', name: 'postgres' } })],
    ['an option as a container', JSON.stringify({ ...state, owner: { kind: 'container', name: '--all' } })],
  ])('that holds %s is none', (_, text) => {
    expect(parseBrokerState(text)).toBeUndefined();
  });

  it.each([state, { ...state, engine: 'docker', owner: { kind: 'container', name: 'op-realtime-8000' } }])(
    'is read as written: $engine',
    (written) => {
      expect(parseBrokerState(JSON.stringify(written))).toEqual(written);
    },
  );
});

describe('the state folder', () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'op-realtime-state-'));
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  it('lets one of two commands claim a port, and leaves no draft behind', () => {
    expect(claimState(folder, state)).toBe(true);
    expect(claimState(folder, { ...state, fingerprint: 'second' })).toBe(false);
    expect(readState(folder, 8000)).toEqual(state);
    replaceState(folder, { ...state, fingerprint: 'third' });
    expect(readState(folder, 8000)?.fingerprint).toBe('third');
    expect(readdirSync(folder)).toEqual(['broker-8000.json']);
  });

  it('keeps ports apart and forgets quietly', () => {
    claimState(folder, state);
    expect(readState(folder, 8001)).toBeUndefined();
    removeState(folder, 8000);
    removeState(folder, 8000);
    expect(readState(folder, 8000)).toBeUndefined();
  });

  it('reads garbage as nothing', () => {
    writeFileSync(statePath(folder, 8000), 'garbage');
    expect(readState(folder, 8000)).toBeUndefined();
  });

  it('is closed to other users', () => {
    const inside = join(folder, 'inside');
    expect(stateFolder({ OP_REALTIME_STATE_DIR: inside })).toBe(inside);
    expect(statSync(inside).mode & 0o077).toBe(0);
    symlinkSync(inside, join(folder, 'link'));
    expect(() => stateFolder({ OP_REALTIME_STATE_DIR: join(folder, 'link') })).toThrow('is not a folder of this user');
  });
});
