import { type OperationResultEnvelope, TRPCClientError, type TRPCLink } from '@trpc/client';
import type { AnyTRPCRouter } from '@trpc/server';
import { observable } from '@trpc/server/observable';
import { type Answers, sharedAnswers } from '../../query/answers.ts';
import { ANNOUNCE_HEADER, META_VERSION, openEnvelope, REQUEST_ID_HEADER } from '../metadata.ts';

/** What a terminating link must send along so that the server tells about freshness. Made to be spread into its options. */
export interface Announcement {
  /** Headers of one request, for `httpLink`, `httpBatchLink` and `httpBatchStreamLink`; call it once per request. */
  readonly headers: () => Record<string, string>;
  /** For `createWSClient`. */
  readonly connectionParams: () => Record<string, string>;
}

/** What the link works with. */
export interface RealtimeLinkOptions {
  /** Where the answers' metadata goes: the same as for `bindQueryClient`. @default one per tab */
  readonly answers?: Answers;
}

/**
 * Learns from each answer which channels it depends on, and keeps the app from seeing any of that. Wraps the link that ends the chain:
 *
 * ```ts
 * createTRPCClient<AppRouter>({ links: [loggerLink(), realtimeLink((rt) => httpBatchStreamLink({ url, transformer, ...rt }))] });
 *
 * // Headers of your own: add ours to them.
 * realtimeLink((rt) => httpBatchLink({ url, headers: () => ({ authorization: token(), ...rt.headers() }) }));
 *
 * // WebSocket, and any split:
 * realtimeLink((rt) => wsLink({ client: createWSClient({ url, ...rt }) }));
 * ```
 * Subscriptions pass untouched. Without the server's middleware everything passes untouched.
 */
export function realtimeLink<TRouter extends AnyTRPCRouter>(
  terminating: (announcement: Announcement) => TRPCLink<TRouter>,
  { answers = sharedAnswers() }: RealtimeLinkOptions = {},
): TRPCLink<TRouter> {
  let isAnnounced = false;
  const announce = () => {
    isAnnounced = true;
    return { [ANNOUNCE_HEADER]: `${META_VERSION}` };
  };
  const wrapped = terminating({
    headers: () => ({ ...announce(), [REQUEST_ID_HEADER]: answers.requestLeaves() }),
    connectionParams: announce,
  });

  return (runtime) => {
    const inner = wrapped(runtime);
    return (opts) => {
      const { type, path, input } = opts.op;
      if (type === 'subscription') return inner(opts);
      return observable((observer) => {
        const mutation = type === 'mutation' && { path };
        const read = mutation ? null : answers.called(path, input);
        if (mutation) answers.emit({ type: 'mutating', mutation });
        let isAnswered = false;
        let deferred: Promise<void> | undefined;

        const subscription = inner(opts).subscribe({
          next(envelope) {
            isAnswered = true;
            const opened = 'data' in envelope.result ? openEnvelope(envelope.result.data) : null;
            if (!opened) {
              if (!isAnnounced) {
                isAnnounced = true;
                console.warn('[@op/realtime] realtimeLink: requests lack its headers. Add ...rt.headers() to yours.');
              }
              return observer.next(envelope);
            }
            const { data, wire } = opened;
            if (mutation) answers.emit({ type: 'mutated', mutation, wire });
            const answer = read?.(wire);
            const pass = (value: unknown) => {
              if (answer) answers.set(value, answer);
              observer.next(withData(envelope, value));
            };
            if (!isThenable(data)) return pass(data);
            deferred = data.then(pass).catch((cause) => {
              isAnswered = false;
              observer.error(TRPCClientError.from(cause));
            });
          },
          error(error) {
            isAnswered = false;
            observer.error(error);
          },
          complete() {
            if (deferred) void deferred.then(observer.complete);
            else observer.complete();
          },
        });
        // Runs once, after completion, error or abort alike.
        return () => {
          subscription.unsubscribe();
          if (mutation) answers.emit({ type: 'settled', mutation, failed: !isAnswered });
        };
      });
    };
  };
}

function isThenable(value: unknown): value is Promise<unknown> {
  return typeof value === 'object' && value !== null && 'then' in value && typeof value.then === 'function';
}

function withData<E>(
  envelope: OperationResultEnvelope<unknown, E>,
  data: unknown,
): OperationResultEnvelope<unknown, E> {
  return { ...envelope, result: { ...envelope.result, type: 'data', data } };
}
