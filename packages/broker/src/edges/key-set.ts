import { createPublicKey, type KeyObject } from 'node:crypto';
import type { Clock } from '../core/clock.ts';
import { BrokerConfigError } from '../core/errors.ts';

/** How long keys are kept before they are fetched again. */
const TTL_MS = 60 * 60 * 1000;
const TIMEOUT_MS = 1000;
const TRIES = 2;
/** A larger answer is not read to its end: no set has that many keys. */
const MAX_BYTES = 1024 * 1024;
/** Tokens with unknown key ids make the set be fetched, but not more often than this. */
const COOLDOWN_MS = 5000;

/** A public key of a set, with the algorithm that it is for, if the set says so. */
interface SetKey {
  readonly key: KeyObject;
  readonly algorithm: string | undefined;
}

/** What is fetched, for tests to replace. */
type FetchJson = (url: string, signal: AbortSignal) => Promise<unknown>;

async function fetchJson(url: string, signal: AbortSignal): Promise<unknown> {
  const response = await fetch(url, { signal });
  if (response.status !== 200) {
    await response.body?.cancel();
    return undefined;
  }
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of response.body ?? []) {
    size += chunk.length;
    if (size > MAX_BYTES) return undefined;
    chunks.push(chunk);
  }
  return JSON.parse(Buffer.concat(chunks).toString());
}

/** The keys of a JSON Web Key Set (RFC 7517) behind an address, by their ids. */
export class KeySet {
  readonly #url: string;
  readonly #clock: Clock;
  readonly #fetch: FetchJson;
  #keys: ReadonlyMap<string, SetKey> = new Map();
  #fetchedAtMs = Number.NEGATIVE_INFINITY;
  #fetching: Promise<void> | undefined;

  /** @throws BrokerConfigError (`invalid_config`) for an address that is none, or that has places to fill in */
  constructor(url: string, clock: Clock, fetchSet: FetchJson = fetchJson) {
    if (!URL.canParse(url) || !/^https?:/i.test(url) || /%(?![\da-f]{2})/i.test(url.replace(/\?.*/s, '')))
      throw new BrokerConfigError('jwks_public_endpoint must be an http or https URL.');
    if (url.includes('{{'))
      throw new BrokerConfigError('jwks_public_endpoint: the embedded broker has no templates here.');
    this.#url = url;
    this.#clock = clock;
    this.#fetch = fetchSet;
  }

  /** The key of this id, or `undefined` where there is none or the set cannot be had. */
  async find(id: string): Promise<SetKey | undefined> {
    const age = this.#clock.now() - this.#fetchedAtMs;
    const known = age < TTL_MS ? this.#keys.get(id) : undefined;
    if (known || id === '' || age < COOLDOWN_MS) return known;
    this.#fetching ??= this.#refresh();
    await this.#fetching;
    return this.#keys.get(id);
  }

  async #refresh(): Promise<void> {
    for (let i = 0; i < TRIES; i++) {
      const late = new AbortController();
      const cancel = this.#clock.after(TIMEOUT_MS, () => late.abort());
      const keys = await this.#fetch(this.#url, late.signal).then(readKeys, () => undefined);
      cancel();
      if (!keys) continue;
      this.#keys = keys;
      this.#fetchedAtMs = this.#clock.now();
      break;
    }
    this.#fetching = undefined;
  }
}

/** The signature keys of a set; those that Node does not know, and private ones, are left out. Of two with one id the last one counts. `undefined` if it is none. */
function readKeys(set: unknown): Map<string, SetKey> | undefined {
  if (typeof set !== 'object' || set === null || !('keys' in set) || !Array.isArray(set.keys)) return undefined;
  const keys = new Map<string, SetKey>();
  for (const jwk of set.keys as unknown[]) {
    if (typeof jwk !== 'object' || jwk === null || !('kid' in jwk) || typeof jwk.kid !== 'string') continue;
    if (!('use' in jwk) || jwk.use !== 'sig' || 'd' in jwk) continue;
    const key = readKey(jwk);
    const algorithm = 'alg' in jwk && typeof jwk.alg === 'string' ? jwk.alg : undefined;
    if (key) keys.set(jwk.kid, { key, algorithm });
  }
  return keys;
}

function readKey(jwk: object): KeyObject | undefined {
  try {
    return createPublicKey({ key: { ...jwk }, format: 'jwk' });
  } catch {
    return undefined;
  }
}
