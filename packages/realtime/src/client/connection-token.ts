import type { Clock } from '../core/clock.ts';
import { RealtimeError, UnauthorizedError } from '../core/errors.ts';
import { withDeadline } from './deadline.ts';
import { isUnauthorized } from './is-unauthorized.ts';
import { readTokenClaims, type TokenClaims } from './token-claims.ts';

interface ConnectionTokenOptions {
  readonly clock: Clock;
  readonly timeoutMs: number;
  /** Read at every call, so that it may be replaced. */
  readonly getToken: () => Promise<string | null | undefined>;
  readonly report: (error: RealtimeError) => void;
  /** A token came; called before anybody uses it. */
  readonly onToken: (token: string, isOtherUser: boolean) => void;
}

/** The connection token: fetched when asked for, never twice at a time, and what it says. */
export class ConnectionToken {
  readonly #options: ConnectionTokenOptions;
  #request: Promise<string> | null = null;
  #spare: string | null = null;
  #isFailing = false;
  #claims: TokenClaims | null = null;
  #fault: RealtimeError | null = null;

  constructor(options: ConnectionTokenOptions) {
    this.#options = options;
  }

  /** `null` while there is none, and for an opaque one, of which only the broker knows what it says. */
  get claims(): TokenClaims | null {
    return this.#claims;
  }

  /** Why the last attempt to get one failed; `null` after a success. */
  get fault(): RealtimeError | null {
    return this.#fault;
  }

  /**
   * A new token.
   * @returns rejects with `UnauthorizedError` where there is none for this user, with `token_unavailable` where it may come later
   */
  get(): Promise<string> {
    if (this.#spare !== null) {
      const token = this.#spare;
      this.#spare = null;
      return Promise.resolve(token);
    }
    this.#request ??= this.#fetch().finally(() => {
      this.#request = null;
    });
    return this.#request;
  }

  /** Keeps a token that came for a connection which is being replaced: the next `get` gives it. */
  spare(token: string): void {
    this.#spare = token;
  }

  async #fetch(): Promise<string> {
    const { clock, timeoutMs, getToken, report, onToken } = this.#options;
    let token: unknown;
    try {
      token = await withDeadline(clock, timeoutMs, 'getToken', getToken);
    } catch (cause) {
      if (isUnauthorized(cause)) throw this.#failed(new UnauthorizedError());
      const fault = new RealtimeError('token_unavailable', 'getToken failed; it is called again with back-off.', {
        cause,
      });
      if (!this.#isFailing) report(fault);
      this.#isFailing = true;
      throw this.#failed(fault);
    }
    if (typeof token !== 'string' || token === '') throw this.#failed(new UnauthorizedError());
    const last = this.#claims;
    this.#claims = readTokenClaims(token);
    this.#isFailing = false;
    this.#fault = null;
    onToken(token, last !== null && this.#claims !== null && last.userId !== this.#claims.userId);
    return token;
  }

  #failed(fault: RealtimeError): RealtimeError {
    this.#fault = fault;
    return fault;
  }
}
