import { Disconnects, ReplyErrors } from '../../protocol/codes.ts';
import type { ConnectRequest, ConnectResult, SubscribeResult } from '../../protocol/schema.ts';
import { unixSeconds } from '../clock.ts';
import { emulatedHeaders } from '../emulated-headers.ts';
import type { ConnectAnswer } from '../hooks.ts';
import type { Session } from '../session.ts';
import type { Subscription, SubscriptionOptions } from '../subscription.ts';
import type { ConnectToken } from '../token-claims.ts';
import type { Handled } from './dispatch.ts';
import { announceJoin, join, MAX_TTL_SECONDS, subscriptionOptions } from './join.ts';
import { verifyConnectToken, whenKnown } from './verify.ts';

/** The version that clients see, in the form of the server that the broker stands in for. */
export const SERVER_VERSION = '6.9.1 OSS';

/** Who connects, and into which channels. */
interface Credentials {
  readonly user: string;
  readonly expireAt: number;
  readonly info: string | undefined;
  readonly meta: string | undefined;
  readonly data: string | undefined;
  readonly isClientRefreshed: boolean;
  readonly subscriptions: Map<string, SubscriptionOptions>;
}

export function handleConnect(session: Session, id: number, request: ConnectRequest): Handled {
  const { engine } = session;
  session.introduction = (request.name === '' ? 0 : 1) | (request.version === '' ? 0 : 2);
  session.emulatedHeaders = emulatedHeaders(request.headers, engine.settings.proxies.emulatedHeaders);
  if (request.token !== '')
    return whenKnown(verifyConnectToken(session, request.token), (token) => {
      if (!session.isOpen) return undefined;
      if (token === 'expired') session.refuse(id, ReplyErrors.TokenExpired);
      else if (token === 'invalid') session.close(Disconnects.InvalidToken);
      else if (token === 'unreadable') session.refuse(id, ReplyErrors.Internal);
      else if (token.user === '' && engine.settings.client.disallowAnonymousConnectionTokens)
        session.close(Disconnects.PermissionDenied);
      else withGrants(session, id, request, token, true);
      return undefined;
    });
  if (engine.hooks.connect) return askApplication(session, id, request);
  anonymous(session, id, request);
  return undefined;
}

function anonymous(session: Session, id: number, request: ConnectRequest): void {
  const { allowAnonymousConnectWithoutToken, insecure } = session.engine.settings.client;
  if (!allowAnonymousConnectWithoutToken && !insecure) {
    session.close(Disconnects.BadRequest);
    return;
  }
  const nobody = { user: '', expireAt: 0, info: undefined, meta: undefined, data: undefined, grants: new Map() };
  withGrants(session, id, request, nobody, true);
}

async function askApplication(session: Session, id: number, request: ConnectRequest): Promise<void> {
  const verdict = await session.engine.hooks.connect!(session, request);
  if (!session.isOpen) return;
  if ('error' in verdict) session.refuse(id, verdict.error);
  else if ('disconnect' in verdict) session.close(verdict.disconnect);
  else if (verdict.ok) withGrants(session, id, request, verdict.ok, false);
  else anonymous(session, id, request);
}

/** Collects the server-side subscriptions: granted ones, the user's own channel, and what the client asks for and may have anyway. */
function withGrants(
  session: Session,
  id: number,
  request: ConnectRequest,
  who: ConnectAnswer | ConnectToken,
  hasToken: boolean,
): void {
  const { namespaces, settings, hooks } = session.engine;
  const subscriptions = new Map<string, SubscriptionOptions>();
  const source = request.token === '' ? 'server' : 'connection-token';
  for (const [channel, grant] of who.grants) {
    const kind = namespaces.find(channel);
    if (!kind) {
      session.refuse(id, ReplyErrors.UnknownChannel);
      return;
    }
    if (channel !== '') subscriptions.set(channel, subscriptionOptions(kind.options, source, grant));
  }
  const { personalChannel, insecure } = settings.client;
  if (personalChannel && who.user !== '') {
    const channel = namespaces.personalChannel(personalChannel.namespace, who.user);
    // Only who is present in the channel tells that there are others.
    if (personalChannel.isSingleConnection && session.engine.presenceStats(channel).clients > 0)
      for (const other of session.engine.hub.ofUser(who.user)) other.close(Disconnects.ConnectionLimit);
    const kind = namespaces.find(channel);
    if (!kind) {
      session.refuse(id, ReplyErrors.UnknownChannel);
      return;
    }
    subscriptions.set(channel, subscriptionOptions(kind.options, 'server'));
  }
  for (const channel of hasToken ? request.subs.keys() : []) {
    const kind = namespaces.find(channel);
    if (!kind) {
      session.close(Disconnects.BadRequest);
      return;
    }
    if (subscriptions.has(channel) || kind.options.subscribeProxyEnabled) continue;
    // To nobody a user-limited channel stays closed here, other than in a subscribe command.
    if (who.user === '' && namespaces.isUserLimited(channel, kind) && !insecure) continue;
    if (!mayJoinByItself(session, channel, who.user)) continue;
    subscriptions.set(channel, subscriptionOptions(kind.options, 'client'));
  }
  establish(session, id, request, {
    user: who.user,
    info: who.info,
    meta: who.meta,
    data: who.data,
    expireAt: insecure && hasToken ? 0 : who.expireAt,
    isClientRefreshed: !hooks.refresh,
    subscriptions,
  });
}

/** Whether a client may subscribe to a channel without a token and without asking the application. The empty user is anonymous. */
export function mayJoinByItself(session: Session, channel: string, user: string): boolean {
  const { namespaces, settings } = session.engine;
  const kind = namespaces.find(channel);
  if (!kind || namespaces.isPrivate(channel) || !namespaces.isValidName(channel, kind)) return false;
  const { options } = kind;
  if (namespaces.isUserLimited(channel, kind)) {
    if (namespaces.listsUser(channel, user)) return true;
  } else if (options.allowSubscribeForClient && (user !== '' || options.allowSubscribeForAnonymous)) return true;
  return settings.client.insecure;
}

function establish(session: Session, id: number, request: ConnectRequest, who: Credentials): void {
  const { engine } = session;
  const { client } = engine.settings;
  if (client.channelLimit > 0 && who.subscriptions.size > client.channelLimit) {
    session.close(Disconnects.ChannelLimit);
    return;
  }
  const now = unixSeconds(engine.surroundings.clock);
  if (isOverUserLimit(session, who.user)) {
    session.close(Disconnects.ConnectionLimit);
    return;
  }
  if (who.expireAt > 0 && who.expireAt < now) {
    session.refuse(id, ReplyErrors.Expired);
    return;
  }

  session.user = who.user;
  session.info = who.info;
  session.meta = who.meta;
  session.expireAt = who.expireAt > 0 ? Math.min(who.expireAt, now + MAX_TTL_SECONDS) : 0;
  session.isClientRefreshed = who.isClientRefreshed;
  session.established();

  const joined: Subscription[] = [];
  const subs = new Map<string, SubscribeResult>();
  for (const [channel, options] of who.subscriptions) {
    const wanted = request.subs.get(channel);
    const recovery = {
      recover: wanted?.recover ?? false,
      offset: wanted?.offset ?? 0,
      epoch: wanted?.epoch ?? '',
      flag: 0,
      type: 0,
      delta: wanted?.delta ?? '',
      tf: undefined,
    };
    const outcome = join(session, channel, engine.namespaces.find(channel)!.options, options, recovery, true);
    if ('error' in outcome) {
      session.refuse(id, outcome.error);
      return;
    }
    if ('disconnect' in outcome) {
      session.close(outcome.disconnect);
      return;
    }
    joined.push(outcome.subscription);
    subs.set(channel, outcome.result);
  }
  answer(session, id, connectResult(session, now, who.data, subs));
  for (const subscription of joined) announceJoin(subscription);
}

function isOverUserLimit({ engine }: Session, user: string): boolean {
  const { userConnectionLimit } = engine.settings.client;
  return userConnectionLimit > 0 && user !== '' && engine.hub.ofUser(user).length >= userConnectionLimit;
}

function connectResult(
  session: Session,
  nowSeconds: number,
  data: string | undefined,
  subs: ReadonlyMap<string, SubscribeResult>,
): ConnectResult {
  const { peer, engine } = session;
  const { client } = engine.settings;
  const isExpiring = session.expireAt > 0 && session.isClientRefreshed;
  return {
    client: session.id,
    version: SERVER_VERSION,
    expires: isExpiring,
    ttl: isExpiring ? session.expireAt - nowSeconds : 0,
    data,
    subs,
    ping: client.pingIntervalMs > 0 ? Math.floor(client.pingIntervalMs / 1000) : 0,
    pong: client.pongTimeoutMs > 0 && client.pingIntervalMs > 0 && !peer.isUnidirectional,
    session: session.sessionId,
    node: peer.isEmulation ? engine.nodeId : '',
    time: client.connectIncludeServerTime ? engine.nowMs : 0,
  };
}

function answer(session: Session, id: number, connect: ConnectResult): void {
  if (session.peer.isUnidirectional) session.push({ connect });
  else session.reply({ id, connect });
}
