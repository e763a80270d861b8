import { type Disconnect, Disconnects, type ReplyError, ReplyErrors } from '../../protocol/codes.ts';
import type { SubscribeRequest } from '../../protocol/schema.ts';
import type { ChannelKind } from '../namespaces.ts';
import type { Session } from '../session.ts';
import type { SubscriptionOptions } from '../subscription.ts';
import { mayJoinByItself } from './connect.ts';
import type { Handled } from './dispatch.ts';
import { announceJoin, join, subscriptionOptions } from './join.ts';
import { mayReadHistory, mayReadPresence } from './permissions.ts';
import { verifySubscribeToken, whenKnown } from './verify.ts';

/** Subscription types that the server does not offer here: maps and their presence, and polled channels. */
const MAP_TYPES = [1, 2, 3];
const SHARED_POLL_TYPE = 4;

type Permission = { options: SubscriptionOptions } | { error: ReplyError } | { disconnect: Disconnect };

export function handleSubscribe(session: Session, id: number, request: SubscribeRequest): Handled {
  const refused = refusal(session, request);
  if (refused) {
    if ('disconnect' in refused) session.close(refused.disconnect);
    else session.error(id, refused.error);
    return undefined;
  }
  return whenKnown(permission(session, request), (allowed) => {
    if (!session.isOpen) return undefined;
    if ('disconnect' in allowed) session.close(allowed.disconnect);
    else if ('error' in allowed) session.error(id, allowed.error);
    // Looked at again: a command that overtook this one may have changed it.
    else if (session.subscriptions.has(request.channel)) session.error(id, ReplyErrors.AlreadySubscribed);
    else enter(session, id, request, allowed.options);
    return undefined;
  });
}

/** What is wrong with the request itself. */
function refusal(
  session: Session,
  { channel, delta, type }: SubscribeRequest,
): { error: ReplyError } | { disconnect: Disconnect } | undefined {
  const { settings } = session.engine;
  if (channel === '') return { disconnect: Disconnects.BadRequest };
  if (type === SHARED_POLL_TYPE) return { error: ReplyErrors.NotAvailable };
  if (delta !== '' && delta !== 'fossil' && !MAP_TYPES.includes(type)) return { disconnect: Disconnects.BadRequest };
  const { maxLength } = settings.channel;
  if (maxLength > 0 && Buffer.byteLength(channel) > maxLength) return { error: ReplyErrors.BadRequest };
  if (session.subscriptions.has(channel)) return { error: ReplyErrors.AlreadySubscribed };
  const { channelLimit } = settings.client;
  if (channelLimit > 0 && session.subscriptions.size >= channelLimit) return { error: ReplyErrors.LimitExceeded };
  return undefined;
}

function permission(session: Session, request: SubscribeRequest): Permission | Promise<Permission> {
  const { channel, token } = request;
  const { namespaces } = session.engine;
  const kind = namespaces.find(channel);
  if (!kind) return { error: ReplyErrors.UnknownChannel };
  if (!namespaces.isValidName(channel, kind)) return { error: ReplyErrors.BadRequest };
  if (MAP_TYPES.includes(request.type)) return { error: ReplyErrors.PermissionDenied };
  if (token !== '') return byToken(session, request, kind);
  if (kind.options.subscribeProxyEnabled && !namespaces.isPrivate(channel) && !namespaces.isUserLimited(channel, kind))
    return byApplication(session, request, kind);
  if (!mayJoinByItself(session, channel, session.user)) return { error: ReplyErrors.PermissionDenied };
  return withWishes(session, request, kind, subscriptionOptions(kind.options, 'client'));
}

/** What the client wishes for itself does not count: the application says all. */
async function byApplication(
  session: Session,
  request: SubscribeRequest,
  { options }: ChannelKind,
): Promise<Permission> {
  const verdict = await session.engine.hooks.subscribe?.(session, options.subscribeProxyName, request);
  if (!verdict) return { error: ReplyErrors.NotAvailable };
  return 'ok' in verdict ? { options: subscriptionOptions(options, 'client', verdict.ok) } : verdict;
}

function byToken(session: Session, request: SubscribeRequest, kind: ChannelKind): Permission | Promise<Permission> {
  const judge = (token: Awaited<ReturnType<typeof verifySubscribeToken>>): Permission => {
    if (token === 'expired') return { error: ReplyErrors.TokenExpired };
    if (token === 'invalid') return { error: ReplyErrors.PermissionDenied };
    if (!session.engine.namespaces.find(token.channel)) return { error: ReplyErrors.UnknownChannel };
    if (token.channel !== request.channel || token.user !== session.user)
      return { disconnect: Disconnects.InvalidToken };
    if (token.client !== '' && token.client !== session.id) return { disconnect: Disconnects.InvalidToken };
    return withWishes(session, request, kind, subscriptionOptions(kind.options, 'client', token.grant));
  };
  const token = verifySubscribeToken(session, request.token);
  return token instanceof Promise ? token.then(judge) : judge(token);
}

/** Adds what the client asks for itself, where it may. */
function withWishes(
  session: Session,
  { channel, positioned, recoverable, join_leave }: SubscribeRequest,
  { options }: ChannelKind,
  base: SubscriptionOptions,
): Permission {
  if (!positioned && !recoverable && !join_leave) return { options: base };
  const history = () => mayReadHistory(session, channel, options, true);
  const isRecoverable = base.isRecoverable || (recoverable && (options.allowRecovery || history()));
  return {
    options: {
      ...base,
      isPositioned: base.isPositioned || (positioned && (options.allowPositioning || history())),
      isRecoverable,
      recoversAlways: options.autoCacheRecover && isRecoverable && base.isCacheRecovery,
      wantsJoinLeave:
        base.wantsJoinLeave || (join_leave && options.joinLeave && mayReadPresence(session, channel, options, true)),
    },
  };
}

function enter(session: Session, id: number, request: SubscribeRequest, options: SubscriptionOptions): void {
  const kind = session.engine.namespaces.find(request.channel)!;
  const outcome = join(session, request.channel, kind.options, options, request, false);
  if ('error' in outcome) {
    session.error(id, outcome.error);
    return;
  }
  if ('disconnect' in outcome) {
    session.close(outcome.disconnect);
    return;
  }
  session.reply({ id, subscribe: outcome.result });
  announceJoin(outcome.subscription);
}

export function handleUnsubscribe(session: Session, id: number, channel: string): Handled {
  if (channel === '') {
    session.close(Disconnects.BadRequest);
    return undefined;
  }
  const subscription = session.subscriptions.get(channel);
  if (subscription) session.unsubscribe(subscription);
  session.reply({ id, unsubscribe: {} });
  return undefined;
}
