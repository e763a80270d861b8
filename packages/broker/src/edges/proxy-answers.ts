import type { ConnectAnswer, PublishAnswer, Renewal, Verdict } from '../core/hooks.ts';
import type { StatusTransform } from '../core/proxy-options.ts';
import { bytesOf, type Grant, grantOf, NO_GRANT } from '../core/token-claims.ts';
import { type ByteString, jsonBytes } from '../protocol/byte-string.ts';
import { ReplyErrors } from '../protocol/codes.ts';
import { decodeJson } from '../protocol/json-message.ts';
import {
  ProxyConnectResponse,
  ProxyPublishResponse,
  ProxyRefreshResponse,
  ProxyRpcResponse,
  ProxySubRefreshResponse,
  ProxySubscribeResponse,
} from '../protocol/proxy-schema.ts';
import type { Decoded } from '../protocol/schema.ts';
import type { CallOutcome } from './proxy-caller.ts';

/** How long a connection or a subscription lives on when the application cannot say whether it may. */
const RENEWAL_WITHOUT_ANSWER_SECONDS = 60;

/** The application did not answer, or what it answered means nothing. */
const FAILED = { error: ReplyErrors.Internal } as const;

/** The JSON of an answer, or what a status stands for. */
type Reply = { readonly text: ByteString } | Exclude<Verdict<never>, { ok: never }>;

/** What every answer has beside its result. */
type Refusal = Pick<Decoded<typeof ProxyRpcResponse>, 'error' | 'disconnect'>;

/** What came back from the application; `undefined` if nothing did that can be used. */
export function readReply(outcome: CallOutcome, transforms: readonly StatusTransform[]): Reply | undefined {
  if (outcome === 'failed') return undefined;
  if ('body' in outcome) return { text: jsonBytes(outcome.body) };
  for (const { statusCode, toError, toDisconnect } of transforms) {
    if (statusCode !== outcome.status) continue;
    if (toError && toError.code > 0) return { error: toError };
    if (toDisconnect) return { disconnect: toDisconnect };
  }
  return undefined;
}

function judge<A extends Refusal, T>(
  reply: Reply | undefined,
  decode: (text: ByteString) => A | undefined,
  accept: (answer: A) => Verdict<T>,
): Verdict<T> {
  if (!reply) return FAILED;
  if (!('text' in reply)) return reply;
  const answer = decode(reply.text);
  if (!answer) return FAILED;
  if (answer.disconnect) return { disconnect: answer.disconnect };
  return answer.error ? { error: answer.error } : accept(answer);
}

/** An answer without a result leaves it to the other rules whether the client may connect. */
export function readConnect(reply: Reply | undefined): Verdict<ConnectAnswer | undefined> {
  return judge(
    reply,
    (text) => decodeJson(ProxyConnectResponse, text),
    ({ result }) => {
      if (!result) return { ok: undefined };
      const info = bytesOf(result.info, result.b64info);
      const data = bytesOf(result.data, result.b64data);
      if (!info || !data) return FAILED;
      const grants = new Map(result.channels.map((channel) => [channel, NO_GRANT]));
      for (const [channel, options] of result.subs) {
        const grant = grantOf(options, 0);
        if (!grant) return FAILED;
        grants.set(channel, grant);
      }
      const { user, expire_at: expireAt, meta } = result;
      return { ok: { user, expireAt, info: info.bytes, data: data.bytes, meta, grants } };
    },
  );
}

/** An answer without a result lets in. */
export function readSubscribe(reply: Reply | undefined): Verdict<Grant> {
  return judge(
    reply,
    (text) => decodeJson(ProxySubscribeResponse, text),
    ({ result }) => {
      const grant = result ? grantOf(result, result.expire_at) : NO_GRANT;
      return grant ? { ok: grant } : FAILED;
    },
  );
}

const AS_IT_IS: PublishAnswer = {
  data: undefined,
  skipsHistory: false,
  tags: new Map(),
  idempotencyKey: '',
  usesDelta: false,
  version: 0,
  versionEpoch: '',
};

/** An answer without a result lets the publication through as it is. */
export function readPublish(reply: Reply | undefined): Verdict<PublishAnswer> {
  return judge(
    reply,
    (text) => decodeJson(ProxyPublishResponse, text),
    ({ result }) => {
      if (!result) return { ok: AS_IT_IS };
      // Here, unlike everywhere else, JSON wins over base64.
      const data = bytesOf(result.data, result.data === undefined ? result.b64data : '');
      if (!data) return FAILED;
      return {
        ok: {
          data: data.bytes,
          skipsHistory: result.skip_history,
          tags: result.tags,
          idempotencyKey: result.idempotency_key,
          usesDelta: result.delta,
          version: result.version,
          versionEpoch: result.version_epoch,
        },
      };
    },
  );
}

export function readRpc(reply: Reply | undefined): Verdict<ByteString | undefined> {
  return judge(
    reply,
    (text) => decodeJson(ProxyRpcResponse, text),
    ({ result }) => {
      const data = bytesOf(result?.data, result?.b64data ?? '');
      return data ? { ok: data.bytes } : FAILED;
    },
  );
}

/** An application that fails gets a minute; one that answers without a result, if only with an error, ends it. */
function readRenewal<A extends { readonly result: (Renewed & { readonly meta?: ByteString | undefined }) | undefined }>(
  reply: Reply | undefined,
  decode: (text: ByteString) => A | undefined,
  nowSeconds: number,
): Renewal {
  if (reply && !('text' in reply)) return 'expired';
  const answer = reply && decode(reply.text);
  if (!answer) return { expireAt: nowSeconds + RENEWAL_WITHOUT_ANSWER_SECONDS };
  const { result } = answer;
  const info = result && bytesOf(result.info, result.b64info);
  if (!info || result.expired) return 'expired';
  return { expireAt: result.expire_at, info: info.bytes, meta: result.meta };
}
type Renewed = NonNullable<Decoded<typeof ProxySubRefreshResponse>['result']>;

export function readRefresh(reply: Reply | undefined, nowSeconds: number): Renewal {
  return readRenewal(reply, (text) => decodeJson(ProxyRefreshResponse, text), nowSeconds);
}

export function readSubRefresh(reply: Reply | undefined, nowSeconds: number): Renewal {
  return readRenewal(reply, (text) => decodeJson(ProxySubRefreshResponse, text), nowSeconds);
}
