import { type Clock, unixSeconds } from '../core/clock.ts';
import type { Hooks } from '../core/hooks.ts';
import type { ProxyType } from '../core/proxy-metrics.ts';
import { type AppProxy, DEFAULT_NAME, type ProxySettings } from '../core/proxy-options.ts';
import { isJson } from '../core/publication-data.ts';
import type { Session } from '../core/session.ts';
import type { ByteString } from '../protocol/byte-string.ts';
import { type ReplyError, ReplyErrors } from '../protocol/codes.ts';
import { encodeJson } from '../protocol/json-message.ts';
import {
  ProxyConnectRequest,
  ProxyPublishRequest,
  ProxyRefreshRequest,
  ProxyRpcRequest,
  ProxySubRefreshRequest,
  ProxySubscribeRequest,
} from '../protocol/proxy-schema.ts';
import {
  readConnect,
  readPublish,
  readRefresh,
  readReply,
  readRpc,
  readSubRefresh,
  readSubscribe,
} from './proxy-answers.ts';
import type { ProxyCaller } from './proxy-caller.ts';
import { proxyHeaders } from './proxy-headers.ts';

const FAILED = { error: ReplyErrors.Internal } as const;

/** What stands at the head of every request. */
function head(proxy: AppProxy, { id, peer }: Session) {
  return {
    client: id,
    transport: peer.transport,
    protocol: peer.encoding.name,
    encoding: proxy.binaryEncoding ? 'binary' : 'json',
  };
}

/** The same once it is known who the client is. */
function headOfUser(proxy: AppProxy, session: Session) {
  const meta = proxy.includeConnectionMeta ? session.meta : undefined;
  return { ...head(proxy, session), user: session.user, meta };
}

/** Data of the client, or `undefined` if it cannot be sent in this way: it is not JSON, and the proxy wants JSON. */
function payload(proxy: AppProxy, { peer }: Session, data: ByteString | undefined) {
  if (data === undefined || data === '') return {};
  if (proxy.binaryEncoding) return { b64data: Buffer.from(data, 'latin1').toString('base64') };
  return peer.encoding.name === 'json' || isJson(data) ? { data } : undefined;
}

/** Hooks that ask the application by HTTP, with Centrifugo's requests and answers. Only what is switched on has a hook. */
export function createProxies(settings: ProxySettings, clock: Clock, caller: Pick<ProxyCaller, 'call'>): Hooks {
  const { connect, refresh, subscribe, publish, subRefresh, rpc } = settings;

  /** @param name of the proxy, for the metrics */
  async function ask(type: ProxyType, name: string, proxy: AppProxy, session: Session, question: ByteString) {
    const { peer, emulatedHeaders, engine } = session;
    const calls = engine.metrics.proxies.of(type, name);
    const startedMs = clock.now();
    calls.inflight++;
    const outcome = await caller.call({
      endpoint: proxy.endpoint,
      timeoutMs: proxy.timeoutMs,
      headers: proxyHeaders(proxy, peer.headers, emulatedHeaders),
      body: Buffer.from(question, 'latin1'),
      // As on Centrifugo: nobody waits for the answer any more.
      signal: session.leaving,
    });
    const reply = readReply(outcome, proxy.statusToCodeTransforms);
    calls.inflight--;
    calls.count++;
    calls.seconds += (clock.now() - startedMs) / 1000;
    if (!reply) calls.errors++;
    return reply;
  }

  /** The proxy of a method; an error where its namespace is unknown or has none. */
  function rpcProxy(method: string): { name: string; proxy: AppProxy } | { error: ReplyError } {
    const boundary = settings.rpcNamespaceBoundary;
    const at = boundary === '' ? -1 : method.indexOf(boundary);
    const namespace = settings.rpcNamespaces.get(at < 0 ? '' : method.slice(0, at));
    if (!namespace) return { error: ReplyErrors.MethodNotFound };
    const proxy = namespace.proxyEnabled ? rpc.get(namespace.proxyName) : undefined;
    return proxy ? { name: namespace.proxyName, proxy } : { error: ReplyErrors.NotAvailable };
  }

  const hooks: { -readonly [K in keyof Hooks]: Hooks[K] } = {};

  if (connect)
    hooks.connect = async (session, { name, version, data, subs }) => {
      const fields = payload(connect, session, data);
      if (!fields) return FAILED;
      const question = { ...head(connect, session), name, version, channels: [...subs.keys()], ...fields };
      return readConnect(
        await ask('connect', DEFAULT_NAME, connect, session, encodeJson(ProxyConnectRequest, question)),
      );
    };

  if (refresh)
    hooks.refresh = async (session) => {
      const question = encodeJson(ProxyRefreshRequest, headOfUser(refresh, session));
      return readRefresh(await ask('refresh', DEFAULT_NAME, refresh, session, question), unixSeconds(clock));
    };

  if (subscribe.size > 0)
    hooks.subscribe = async (session, name, { channel, token, data }) => {
      const proxy = subscribe.get(name)!;
      const fields = payload(proxy, session, data);
      if (!fields) return FAILED;
      const question = { ...headOfUser(proxy, session), channel, token, ...fields };
      return readSubscribe(await ask('subscribe', name, proxy, session, encodeJson(ProxySubscribeRequest, question)));
    };

  if (publish.size > 0)
    hooks.publish = async (session, name, channel, data) => {
      const proxy = publish.get(name)!;
      const fields = payload(proxy, session, data);
      if (!fields) return FAILED;
      const question = { ...headOfUser(proxy, session), channel, ...fields };
      return readPublish(await ask('publish', name, proxy, session, encodeJson(ProxyPublishRequest, question)));
    };

  if (subRefresh.size > 0)
    hooks.subRefresh = async (session, name, channel) => {
      const proxy = subRefresh.get(name)!;
      const question = encodeJson(ProxySubRefreshRequest, { ...headOfUser(proxy, session), channel });
      return readSubRefresh(await ask('sub_refresh', name, proxy, session, question), unixSeconds(clock));
    };

  if (rpc.size > 0)
    hooks.rpc = async (session, method, data) => {
      const found = rpcProxy(method);
      if ('error' in found) return found;
      const { name, proxy } = found;
      const fields = payload(proxy, session, data);
      if (!fields) return FAILED;
      const question = { ...headOfUser(proxy, session), method, ...fields };
      return readRpc(await ask('rpc', name, proxy, session, encodeJson(ProxyRpcRequest, question)));
    };

  return hooks;
}
