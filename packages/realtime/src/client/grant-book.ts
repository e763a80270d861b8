import { backoffMs } from '../core/backoff.ts';
import type { Clock, Random } from '../core/clock.ts';
import { ChannelRefusedError, RealtimeError } from '../core/errors.ts';
import { withDeadline } from './deadline.ts';
import { isUnauthorized } from './is-unauthorized.ts';
import { readTokenClaims, type TokenClaims } from './token-claims.ts';
import type { ChannelTokens } from './types.ts';

/** Requests of one moment become one call: subscriptions of a render, renewals of tokens that were issued together. */
const BATCH_WINDOW_MS = 5;
/** More unused grants than any connection can join. The oldest leave first. */
const MAX_GRANTS = 2_000;

interface GrantBookOptions {
  readonly clock: Clock;
  readonly random: Random;
  readonly retry: { readonly minMs: number; readonly maxMs: number };
  readonly tokenTimeoutMs: number;
  /** Read at every call, so that it may be replaced. */
  readonly getChannelTokens: () => ((channels: readonly string[]) => Promise<ChannelTokens>) | undefined;
  readonly report: (error: RealtimeError) => void;
}

interface Request {
  readonly promise: Promise<string>;
  readonly resolve: (token: string) => void;
  readonly reject: (error: ChannelRefusedError) => void;
}

/**
 * The subscription tokens at hand, and the way to get more. No token leaves it unchecked: one of another user or channel would make the
 * broker close the whole connection (3500 for every channel of the tab).
 */
export class GrantBook {
  readonly #options: GrantBookOptions;
  readonly #tokens = new Map<string, string>();
  readonly #requests = new Map<string, Request>();
  readonly #queue = new Set<string>();
  readonly #timers = new Set<() => void>();
  #isScheduled = false;
  #identity: TokenClaims | null = null;
  /** The server's time, and ours, when it last sent a token. */
  #serverTime: { readonly seconds: number; readonly atMs: number } | null = null;

  constructor(options: GrantBookOptions) {
    this.#options = options;
  }

  /** Whose grants count: the connection token's claims, as soon as they are known. Call it when the token has just arrived. */
  setIdentity(claims: TokenClaims | null): void {
    this.#identity = claims;
    this.#serverTime = null;
    this.#tellTime(claims);
  }

  add(channel: string, token: string): string {
    this.#tokens.delete(channel);
    this.#tokens.set(channel, token);
    if (this.#tokens.size > MAX_GRANTS) this.#tokens.delete(this.#tokens.keys().next().value as string);
    return token;
  }

  /** A grant for the channel that may be handed to the SDK. A bad one is reported and dropped. */
  take(channel: string): string | null {
    const token = this.#tokens.get(channel);
    if (token === undefined) return null;
    const fault = this.#faultOf(channel, token);
    // Where nobody can be asked for another one, the broker decides: our clock may have been set since the server's time was last heard.
    if (fault === null || (fault === EXPIRED && !this.canRequest)) return token;
    this.#tokens.delete(channel);
    if (fault !== EXPIRED) this.#options.report(new ChannelRefusedError(channel, fault));
    return null;
  }

  /** Forgets this token, which the broker does not take any more; a newer one for the channel stays. */
  drop(channel: string, token: string): void {
    if (this.#tokens.get(channel) === token) this.#tokens.delete(channel);
  }

  clear(): void {
    this.#tokens.clear();
  }

  get canRequest(): boolean {
    return this.#options.getChannelTokens() !== undefined;
  }

  /**
   * Fetches a grant. Failures are retried with back-off until an answer comes.
   * @returns rejects with `ChannelRefusedError` where the answer has no usable token for the channel
   */
  request(channel: string): Promise<string> {
    const pending = this.#requests.get(channel);
    if (pending) return pending.promise;
    let resolve: Request['resolve'] = () => {};
    let reject: Request['reject'] = () => {};
    const promise = new Promise<string>((onResolve, onReject) => {
      resolve = onResolve;
      reject = onReject;
    });
    this.#requests.set(channel, { promise, resolve, reject });
    this.#enqueue([channel], 0);
    return promise;
  }

  /** Nobody wants an answer to `request(channel)` any more; it never settles. */
  cancel(channel: string): void {
    this.#requests.delete(channel);
    this.#queue.delete(channel);
  }

  dispose(): void {
    for (const cancel of this.#timers) cancel();
    this.#timers.clear();
    this.#requests.clear();
    this.#queue.clear();
    this.#tokens.clear();
  }

  #enqueue(channels: readonly string[], attempt: number): void {
    for (const channel of channels) this.#queue.add(channel);
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    this.#after(BATCH_WINDOW_MS, () => {
      this.#isScheduled = false;
      const batch = [...this.#queue];
      this.#queue.clear();
      if (batch.length) void this.#fetch(batch, attempt);
    });
  }

  async #fetch(channels: readonly string[], attempt: number): Promise<void> {
    const { clock, random, retry, tokenTimeoutMs, getChannelTokens, report } = this.#options;
    const askedFor = this.#identity?.userId;
    let byChannel: ReadonlyMap<string, unknown>;
    try {
      byChannel = toMap(
        await withDeadline(
          clock,
          tokenTimeoutMs,
          'getChannelTokens',
          async () => (await getChannelTokens()?.(channels)) ?? [],
        ),
      );
    } catch (cause) {
      if (!this.#stillWanted(channels).length) return;
      if (isUnauthorized(cause)) {
        for (const channel of channels) this.#refuse(channel, 'the server says that this user may not read it');
        return;
      }
      if (attempt === 0)
        report(
          new RealtimeError('token_unavailable', 'getChannelTokens failed; it is called again with back-off.', {
            cause,
          }),
        );
      this.#after(backoffMs(attempt, retry, random), () => {
        const wanted = this.#stillWanted(channels);
        if (wanted.length) void this.#fetch(wanted, attempt + 1);
      });
      return;
    }
    if (askedFor !== this.#identity?.userId) {
      // Somebody else logged in meanwhile: what the former user may read says nothing.
      this.#enqueue(this.#stillWanted(channels), 0);
      return;
    }
    for (const channel of channels) {
      const token = byChannel.get(channel);
      if (typeof token !== 'string' || !token) {
        this.#refuse(channel, 'the server gave no grant for it');
        continue;
      }
      this.#tellTime(readTokenClaims(token)); // our clock may have been set since the connection token came
      const fault = this.#faultOf(channel, token);
      if (fault !== null) this.#refuse(channel, fault);
      else this.#settle(channel)?.resolve(this.add(channel, token));
    }
  }

  #stillWanted(channels: readonly string[]): string[] {
    return channels.filter((channel) => this.#requests.has(channel));
  }

  #refuse(channel: string, reason: string): void {
    this.#settle(channel)?.reject(new ChannelRefusedError(channel, reason));
  }

  #settle(channel: string): Request | undefined {
    const request = this.#requests.get(channel);
    this.#requests.delete(channel);
    return request;
  }

  #faultOf(channel: string, token: string): string | null {
    const claims = readTokenClaims(token);
    if (!claims) return 'the grant is not a JWT';
    if (claims.channel !== channel) return 'the grant is for another channel';
    if (this.#identity && claims.userId !== this.#identity.userId) return 'the grant is for another user';
    return claims.expiresAtSeconds !== null && claims.expiresAtSeconds <= this.#serverNowSeconds() ? EXPIRED : null;
  }

  /**
   * The server's time, as far as it is known: machines' clocks may be minutes off, and are set while pages are open, while `iat` of a token that has
   * just arrived is the server's own time. An old token makes this early, never late: then the broker says "expired", and a renewal follows.
   */
  #serverNowSeconds(): number {
    const nowMs = this.#options.clock.now();
    return this.#serverTime ? this.#serverTime.seconds + (nowMs - this.#serverTime.atMs) / 1_000 : nowMs / 1_000;
  }

  #tellTime(claims: TokenClaims | null): void {
    if (claims?.issuedAtSeconds)
      this.#serverTime = { seconds: claims.issuedAtSeconds, atMs: this.#options.clock.now() };
  }

  #after(delayMs: number, fn: () => void): void {
    const cancel = this.#options.clock.after(delayMs, () => {
      this.#timers.delete(cancel);
      fn();
    });
    this.#timers.add(cancel);
  }
}

const EXPIRED = 'the grant has expired';

function toMap(tokens: ChannelTokens): ReadonlyMap<string, unknown> {
  return new Map(
    Array.isArray(tokens)
      ? tokens.map(({ channel, token }): [string, unknown] => [channel, token])
      : Object.entries(tokens),
  );
}
