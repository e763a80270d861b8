import { Disconnects, ReplyErrors } from '../../protocol/codes.ts';
import type { Command } from '../../protocol/schema.ts';
import { unixSeconds } from '../clock.ts';
import type { Session } from '../session.ts';
import type { ConnectToken } from '../token-claims.ts';
import type { Handled } from './dispatch.ts';
import { MAX_TTL_SECONDS } from './join.ts';
import { verifyConnectToken, verifySubscribeToken, whenKnown } from './verify.ts';

/** A new connection token: same user, same server-side channels, later expiry. */
export function handleRefresh(session: Session, id: number, token: string): Handled {
  if (token === '' || !session.isClientRefreshed) {
    session.close(Disconnects.BadRequest);
    return undefined;
  }
  return whenKnown(verifyConnectToken(session, token), (claims) => {
    if (!session.isOpen) return undefined;
    if (claims === 'expired') session.close(Disconnects.Expired);
    else if (claims === 'invalid') session.close(Disconnects.InvalidToken);
    else if (claims === 'unreadable') session.error(id, ReplyErrors.Internal);
    else if (claims.user !== session.user) session.close(Disconnects.InvalidToken);
    else applyRefresh(session, id, claims);
    return undefined;
  });
}

function applyRefresh(session: Session, id: number, token: ConnectToken): void {
  for (const channel of token.grants.keys())
    if (!session.engine.namespaces.find(channel)) {
      session.error(id, ReplyErrors.UnknownChannel);
      return;
    }
  if (token.meta !== undefined) session.meta = token.meta;
  // The client reconnects and gets what the new token lists.
  if (haveChannelsChanged(session, token)) {
    session.close(Disconnects.InsufficientState);
    return;
  }
  const now = unixSeconds(session.engine.surroundings.clock);
  if (token.expireAt === 0) {
    session.reply({ id, refresh: {} });
    return;
  }
  if (token.expireAt <= now) {
    session.error(id, ReplyErrors.Expired);
    return;
  }
  session.expireAt = Math.min(token.expireAt, now + MAX_TTL_SECONDS);
  if (token.info !== undefined) session.changeInfo(token.info);
  session.scheduleExpiry();
  session.reply({ id, refresh: { expires: true, ttl: session.expireAt - now } });
}

function haveChannelsChanged(session: Session, { grants }: ConnectToken): boolean {
  for (const channel of grants.keys()) if (!session.subscriptions.has(channel)) return true;
  for (const [channel, { options }] of session.subscriptions)
    if (options.source === 'connection-token' && !grants.has(channel)) return true;
  return false;
}

/** A new subscription token: same user and channel, later expiry. */
export function handleSubRefresh(
  session: Session,
  id: number,
  { channel, token }: NonNullable<Command['sub_refresh']>,
): Handled {
  if (channel === '') {
    session.close(Disconnects.BadRequest);
    return undefined;
  }
  const subscription = session.subscriptions.get(channel);
  if (!subscription) {
    session.error(id, ReplyErrors.PermissionDenied);
    return undefined;
  }
  if (!subscription.options.isClientRefreshed || subscription.isServerSide) {
    session.close(Disconnects.BadRequest);
    return undefined;
  }
  if (token === '') {
    session.error(id, ReplyErrors.BadRequest);
    return undefined;
  }
  return whenKnown(verifySubscribeToken(session, token), (claims) => {
    if (!session.isOpen) return undefined;
    if (claims === 'invalid') session.close(Disconnects.InvalidToken);
    // Centrifugo answers the same and then lets the subscription live for ever; here it keeps the expiry that it has.
    else if (claims === 'expired') session.reply({ id, sub_refresh: {} });
    else if (!session.engine.namespaces.find(claims.channel)) session.error(id, ReplyErrors.UnknownChannel);
    else if (claims.channel !== channel || claims.user !== session.user) session.close(Disconnects.InvalidToken);
    else if (claims.client !== '' && claims.client !== session.id) session.close(Disconnects.InvalidToken);
    else {
      const now = unixSeconds(session.engine.surroundings.clock);
      const expireAt = claims.grant.expireAt > 0 ? Math.min(claims.grant.expireAt, now + MAX_TTL_SECONDS) : 0;
      if (expireAt > 0 && expireAt < now) session.error(id, ReplyErrors.Expired);
      else {
        subscription.expireAt = expireAt;
        subscription.changeInfo(claims.grant.info);
        session.reply({ id, sub_refresh: expireAt > 0 ? { expires: true, ttl: expireAt - now } : {} });
      }
    }
    return undefined;
  });
}
