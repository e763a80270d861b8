import type { Clock } from '../core/clock.ts';
import { ConfigError } from '../core/errors.ts';
import { parseApiAddress, parseApiKey } from './api-address.ts';
import { type ApiClient, createApiClient } from './api-client.ts';
import { callClock } from './deadline.ts';
import { MAX_MESSAGE_BYTES } from './publication.ts';
import { PublishQueue } from './publish-queue.ts';
import { type PublishObserver, safeObserver } from './publish-report.ts';
import type { SpreadOptions, SpreadPolicy } from './spread.ts';
import { TokenSigner } from './tokens.ts';

/**
 * How `createRealtime` reaches the broker and signs tokens. All may be left out until they are needed; a missing one rejects the call that needs it
 * (`invalid_config`).
 */
export interface RealtimeOptions {
  /** Centrifugo's HTTP server API, like `http://localhost:8000/api`; `/api` may be left out. Needed for all but tokens. */
  readonly apiUrl?: string | undefined;
  /** Centrifugo's `CENTRIFUGO_HTTP_API_KEY`. Needed for all but tokens. */
  readonly apiKey?: string | undefined;
  /** Centrifugo's `CENTRIFUGO_CLIENT_TOKEN_HMAC_SECRET_KEY`. Needed for tokens. */
  readonly tokenSecret?: string | undefined;
  /** The `aud` claim of tokens, where Centrifugo is configured with one. */
  readonly tokenAudience?: string | undefined;
  /** The `iss` claim of tokens, where Centrifugo is configured with one. */
  readonly tokenIssuer?: string | undefined;
  /** For a whole call with its retry. @default 3000 */
  readonly timeoutMs?: number | undefined;
  /** Larger messages are refused: every subscriber gets a copy, and a big one overflows the queues of slow clients. @default 65536 */
  readonly maxMessageBytes?: number | undefined;
  /** How old an answer of `subscriberCount` may be. @default 10000 */
  readonly subscriberCountMaxAgeMs?: number | undefined;
  /**
   * How refetches are spread over time that an invalidation without `spreadMs` causes, so that a large channel does not bring down its server. `false`: never.
   * @default by the number of subscribers: 1 ms each, at most 10 s; see `SpreadOptions`
   */
  readonly spread?: SpreadOptions | SpreadPolicy | false | undefined;
  /** Called after each publish, whatever became of it. For metrics and traces; what it throws is printed and otherwise ignored. */
  readonly onPublish?: PublishObserver | undefined;
  /** @default the global `fetch` */
  readonly fetch?: typeof fetch | undefined;
  /** @default the machine's */
  readonly clock?: Clock | undefined;
}

/** What the settings are called where they were made, for errors. */
export type SettingNames = Readonly<
  Record<'apiUrl' | 'apiKey' | 'tokenSecret' | 'tokenAudience' | 'tokenIssuer', string>
>;

const OPTION_NAMES: SettingNames = {
  apiUrl: 'The option apiUrl',
  apiKey: 'The option apiKey',
  tokenSecret: 'The option tokenSecret',
  tokenAudience: 'The option tokenAudience',
  tokenIssuer: 'The option tokenIssuer',
};

/** What an instance works with. The functions check the settings that they need, when first called. */
export interface RealtimeParts {
  readonly api: () => ApiClient;
  readonly queue: () => PublishQueue;
  readonly signer: () => TokenSigner;
  readonly clock: Clock;
  readonly timeoutMs: number;
  readonly maxMessageBytes: number;
  readonly subscriberCountMaxAgeMs: number;
  readonly spread: SpreadOptions | SpreadPolicy | false;
  /** `null` where nobody listens. */
  readonly report: PublishObserver | null;
}

export function resolveParts(options: RealtimeOptions, names: SettingNames = OPTION_NAMES): RealtimeParts {
  const {
    clock = callClock,
    timeoutMs = 3000,
    maxMessageBytes = MAX_MESSAGE_BYTES,
    subscriberCountMaxAgeMs = 10_000,
  } = options;
  const api = once(() =>
    createApiClient({
      address: parseApiAddress(required(options.apiUrl, names.apiUrl), names.apiUrl),
      key: parseApiKey(required(options.apiKey, names.apiKey), names.apiKey),
      keyName: names.apiKey,
      fetch: options.fetch ?? ((input, init) => globalThis.fetch(input, init)),
      clock,
    }),
  );
  return {
    api,
    queue: once(() => new PublishQueue({ api: api(), clock, timeoutMs })),
    signer: once(
      () =>
        new TokenSigner({
          secret: required(options.tokenSecret, names.tokenSecret),
          audience: optional(options.tokenAudience, names.tokenAudience),
          issuer: optional(options.tokenIssuer, names.tokenIssuer),
          clock,
        }),
    ),
    clock,
    timeoutMs,
    maxMessageBytes,
    subscriberCountMaxAgeMs,
    spread: options.spread ?? {},
    report: options.onPublish ? safeObserver(options.onPublish) : null,
  };
}

function required(value: string | undefined, name: string): string {
  if (value === undefined) throw new ConfigError(`${name} is not set.`);
  if (value.trim() === '') throw new ConfigError(`${name} is empty.`);
  return value;
}

function optional(value: string | undefined, name: string): string | undefined {
  return value === undefined ? undefined : required(value, name);
}

/** Remembers the first success; a failure is tried again. */
function once<T extends object>(make: () => T): () => T {
  let made: T | undefined;
  return () => {
    made ??= make();
    return made;
  };
}
