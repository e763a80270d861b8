/**
 * The embedded broker: Centrifugo's client protocol and server API in one Node process, in memory.
 *
 * Imported by scripts and tests that start a broker themselves; `op-realtime dev` does it without code.
 *
 * @module
 */

export { type Broker, startBroker } from './broker.ts';
export type { ChannelOptions } from './core/channel-options.ts';
export { BrokerConfigError, type BrokerErrorCode, EmbeddedBrokerError, ListenError } from './core/errors.ts';
export type { BrokerOptions, ChannelsOptions, ClientOptions, HttpApiOptions, StreamOptions } from './core/options.ts';
export type {
  ProxyOptions,
  RpcNamespaceOptions,
  RpcOptions,
  StatusTransform,
  SwitchedProxyOptions,
} from './core/proxy-options.ts';
export type { TokenOptions } from './core/token-options.ts';
export { optionsFromEnv } from './edges/env.ts';
