import { BrokerConfigError } from './errors.ts';
import { compileGoRegex, type GoRegex } from './go-regex.ts';

/** How tokens are verified. Without any key every token is refused. */
export interface TokenOptions {
  /** Key of HS256, HS384 and HS512 tokens. */
  readonly hmacSecretKey?: string;
  /** The key before; still accepted, for a rotation without interruption. */
  readonly hmacPreviousSecretKey?: string;
  /** Unix time in seconds from which the previous key is refused. @default 0: never */
  readonly hmacPreviousSecretKeyValidUntil?: number;
  /** PEM of the key of RS256, RS384 and RS512 tokens. */
  readonly rsaPublicKey?: string;
  /** PEM of the key of ES256, ES384 and ES512 tokens. */
  readonly ecdsaPublicKey?: string;
  /** Address of a JSON Web Key Set (RFC 7517). With it no other key counts. */
  readonly jwksPublicEndpoint?: string;
  /** The `aud` claim must contain this. Not together with `audienceRegex`. */
  readonly audience?: string;
  /** In Go's syntax. */
  readonly audienceRegex?: string;
  /** The `iss` claim must be this. Not together with `issuerRegex`. */
  readonly issuer?: string;
  /** In Go's syntax. */
  readonly issuerRegex?: string;
  /** The claim that holds the user id. @default 'sub' */
  readonly userIdClaim?: string;
}

/** Token options, checked, with their expressions compiled. */
export interface TokenSettings extends TokenOptions {
  readonly audiencePattern: GoRegex | undefined;
  readonly issuerPattern: GoRegex | undefined;
}

/** How the claim of the user may be named. */
export const CLAIM_NAME = /^[a-zA-Z_]+$/;

/** @throws BrokerConfigError (`invalid_config`) for options that exclude each other, and for an expression that is none */
export function resolveTokenOptions(where: string, options: TokenOptions): TokenSettings {
  const { audience, audienceRegex, issuer, issuerRegex } = options;
  if (audience && audienceRegex) throw new BrokerConfigError(`${where}: set audience or audience_regex, not both.`);
  if (issuer && issuerRegex) throw new BrokerConfigError(`${where}: set issuer or issuer_regex, not both.`);
  if (options.userIdClaim && !CLAIM_NAME.test(options.userIdClaim))
    throw new BrokerConfigError(`${where}.user_id_claim must be letters and underscores.`);
  return {
    ...options,
    audiencePattern: audienceRegex ? compileGoRegex(`${where}.audience_regex`, audienceRegex) : undefined,
    issuerPattern: issuerRegex ? compileGoRegex(`${where}.issuer_regex`, issuerRegex) : undefined,
  };
}
