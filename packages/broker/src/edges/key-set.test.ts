import { createPublicKey, generateKeyPairSync, type KeyObject, sign } from 'node:crypto';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { VirtualClock } from '../../test/virtual-clock.ts';
import { createTokenVerifier } from './jwt.ts';
import { KeySet } from './key-set.ts';

const cleanUps: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp();
});

const ec = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 });
const jwk = (key: KeyObject, kid: string, members: object = {}) => ({
  ...createPublicKey(key).export({ format: 'jwk' }),
  kid,
  use: 'sig',
  ...members,
});
const SET = JSON.stringify({ keys: [jwk(ec.privateKey, 'k')] });

/** An endpoint; gives its address, and how often it was asked. */
async function endpoint(answer: RequestListener): Promise<{ url: string; asked: () => number }> {
  let count = 0;
  const server = createServer((request, response) => {
    count++;
    answer(request, response);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  cleanUps.push(() => {
    server.closeAllConnections();
    server.close();
  });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/jwks`, asked: () => count };
}

const encode = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');
function token(alg: string, key: KeyObject, kid: string, dsaEncoding: 'ieee-p1363' | 'der' = 'ieee-p1363'): string {
  const signed = `${encode({ alg, kid })}.${encode({ sub: 'u' })}`;
  return `${signed}.${sign('sha256', Buffer.from(signed), { key, dsaEncoding }).toString('base64url')}`;
}

describe('an endpoint of keys', () => {
  it.each<[string, RequestListener]>([
    ['an error', (_request, response) => response.writeHead(500).end(SET)],
    ['a set that is not found', (_request, response) => response.writeHead(404).end(SET)],
    ['a set that was made', (_request, response) => response.writeHead(201).end(SET)],
    ['no content', (_request, response) => response.writeHead(204).end()],
    ['a page', (_request, response) => response.setHeader('Content-Type', 'text/html').end('<!doctype html><p>Hi')],
    ['nothing at all', (_request, response) => response.socket?.destroy()],
    [
      'half an answer',
      (_request, response) =>
        response.writeHead(200, { 'Content-Length': 9999 }).write(SET, () => response.socket?.destroy()),
    ],
    ['an endless answer', (_request, response) => drip(response, Buffer.alloc(256 * 1024, ' '))],
    ['a set behind 2 MiB of spaces', (_request, response) => response.end(`${' '.repeat(2 ** 21)}${SET}`)],
    ['a redirect to itself', (_request, response) => response.writeHead(302, { Location: '/jwks' }).end()],
  ])('that gives %s gives no key, and the token is invalid', async (_what, answer) => {
    const { url } = await endpoint(answer);
    const verifier = createTokenVerifier({ jwksPublicEndpoint: url }, undefined, new VirtualClock());
    expect(await verifier.verify('connection', token('ES256', ec.privateKey, 'k'))).toBeUndefined();
  });

  it('has a second for its answer, twice', async () => {
    const clock = new VirtualClock();
    const signals: AbortSignal[] = [];
    const found = new KeySet('https://x/jwks', clock, (_url, signal) => {
      signals.push(signal);
      return new Promise((_resolve, reject) => signal.addEventListener('abort', reject));
    }).find('k');
    for (const tries of [1, 2]) {
      clock.advance(999);
      await new Promise(setImmediate);
      expect(signals.map(({ aborted }) => aborted)).toEqual([true, false].slice(2 - tries));
      clock.advance(1);
      await new Promise(setImmediate);
    }
    expect(await found).toBeUndefined();
    expect(signals).toHaveLength(2);
  });

  it('is not cut off where its answer came in time', async () => {
    const clock = new VirtualClock();
    let given: AbortSignal | undefined;
    const set = new KeySet('https://x/jwks', clock, async (_url, signal) => {
      given = signal;
      return JSON.parse(SET) as unknown;
    });
    expect(await set.find('k')).toBeDefined();
    clock.advance(5000);
    expect(given?.aborted).toBe(false);
  });

  it('is not asked for a token without a key id', async () => {
    const { url, asked } = await endpoint((_request, response) => response.end(SET));
    expect(await new KeySet(url, new VirtualClock()).find('')).toBeUndefined();
    expect(asked()).toBe(0);
  });

  it('is asked again where it failed, and its keys count from then on', async () => {
    let isUp = false;
    const { url } = await endpoint((_request, response) => (isUp ? response.end(SET) : response.writeHead(503).end()));
    const set = new KeySet(url, new VirtualClock());
    expect(await set.find('k')).toBeUndefined();
    isUp = true;
    expect(await set.find('k')).toBeDefined();
  });

  it('that fails costs nobody the keys that are known', async () => {
    let isUp = true;
    const clock = new VirtualClock();
    const { url, asked } = await endpoint((_request, response) =>
      isUp ? response.end(SET) : response.writeHead(503).end(),
    );
    const set = new KeySet(url, clock);
    await set.find('k');
    isUp = false;
    clock.advance(6_000);
    expect(await set.find('other')).toBeUndefined();
    expect(asked()).toBe(3);
    expect(await set.find('k')).toBeDefined();
    expect(asked()).toBe(3);
  });

  it('may rotate: a new key counts with its first token, an old one no longer than the set is fetched anew', async () => {
    let keys = [jwk(ec.privateKey, 'old')];
    const clock = new VirtualClock();
    const { url } = await endpoint((_request, response) => response.end(JSON.stringify({ keys })));
    const set = new KeySet(url, clock);
    expect(await set.find('old')).toBeDefined();
    keys = [jwk(rsa.privateKey, 'new')];
    expect(await set.find('old')).toBeDefined();
    clock.advance(6_000);
    expect(await set.find('new')).toBeDefined();
    expect(await set.find('old')).toBeUndefined();
  });

  it('is asked once for tokens that come together', async () => {
    const { url, asked } = await endpoint((_request, response) => response.end(SET));
    const set = new KeySet(url, new VirtualClock());
    await Promise.all(Array.from({ length: 50 }, (_, i) => set.find(i % 2 ? 'k' : `unknown${i}`)));
    expect(asked()).toBe(1);
  });
});

/** Writes for as long as somebody reads. */
function drip(response: Parameters<RequestListener>[1], chunk: Buffer): void {
  const more = (): void => {
    while (!response.destroyed && response.write(chunk));
  };
  response.on('drain', more).on('error', () => {});
  more();
}

describe('keys of a set', () => {
  const accepted = async (key: object, given: string): Promise<boolean> => {
    const { url } = await endpoint((_request, response) => response.end(JSON.stringify({ keys: [key] })));
    const verifier = createTokenVerifier({ jwksPublicEndpoint: url }, undefined, new VirtualClock());
    return (await verifier.verify('connection', given)) !== undefined;
  };
  const ofEc = token('ES256', ec.privateKey, 'k');
  const ofRsa = token('RS256', rsa.privateKey, 'k');

  it.each<[string, object, string, boolean]>([
    ['of the curve', jwk(ec.privateKey, 'k'), ofEc, true],
    ['with its algorithm', jwk(ec.privateKey, 'k', { alg: 'ES256' }), ofEc, true],
    ['of RSA', jwk(rsa.privateKey, 'k'), ofRsa, true],
    ['of a curve, for a token that says RS256', jwk(ec.privateKey, 'k'), ofRsa, false],
    ['of RSA, for a token that says ES256', jwk(rsa.privateKey, 'k'), ofEc, false],
    [
      'of a curve, for its own signature under RS256',
      jwk(ec.privateKey, 'k'),
      token('RS256', ec.privateKey, 'k', 'der'),
      false,
    ],
    ['with another algorithm', jwk(ec.privateKey, 'k', { alg: 'ES384' }), ofEc, false],
    ['with the algorithm of another kind', jwk(ec.privateKey, 'k', { alg: 'RS256' }), ofEc, false],
    ['with an algorithm that is no text', jwk(ec.privateKey, 'k', { alg: 'none' }), ofEc, false],
    ['for encryption', jwk(ec.privateKey, 'k', { use: 'enc' }), ofEc, false],
    ['without a use', jwk(ec.privateKey, 'k', { use: undefined }), ofEc, false],
    ['with an id that is a number', jwk(ec.privateKey, 'k', { kid: 5 }), ofEc, false],
    ['of an unknown curve', jwk(ec.privateKey, 'k', { crv: 'P-1' }), ofEc, false],
    ['off its curve', jwk(ec.privateKey, 'k', { x: 'AA' }), ofEc, false],
    ['that are private', { ...rsa.privateKey.export({ format: 'jwk' }), kid: 'k', use: 'sig' }, ofRsa, false],
    ['that are shared secrets', { kty: 'oct', k: 'c2VjcmV0', kid: 'k', use: 'sig' }, ofEc, false],
    ['of four bits', { kty: 'RSA', n: 'Dw', e: 'Aw', kid: 'k', use: 'sig' }, ofRsa, false],
    ['without a modulus', { kty: 'RSA', n: '', e: 'AQAB', kid: 'k', use: 'sig' }, ofRsa, false],
  ])('%s', async (_what, key, given, expected) => expect(await accepted(key, given)).toBe(expected));
});
