import type { ByteString } from '../protocol/byte-string.ts';
import { Disconnects, type ReplyError, ReplyErrors } from '../protocol/codes.ts';
import type { Encoding, StoredPublication } from '../protocol/encoding.ts';
import type { ClientInfo } from '../protocol/schema.ts';
import type { Channel } from './channel.ts';
import type { ResolvedChannelOptions } from './channel-options.ts';
import type { Surroundings } from './clock.ts';
import { Deadlines } from './deadlines.ts';
import type { Hooks } from './hooks.ts';
import { Hub } from './hub.ts';
import { IdempotencyCache } from './idempotency.ts';
import { Metrics } from './metrics.ts';
import { Namespaces } from './namespaces.ts';
import type { Settings } from './settings.ts';
import { SpecialTexts } from './special-texts.ts';
import { ChannelStream, type HistoryFilter, type Position } from './stream.ts';
import type { Subscription } from './subscription.ts';
import type { TokenVerifier } from './token-claims.ts';

/** What to publish. */
interface Publish {
  readonly channel: string;
  readonly options: ResolvedChannelOptions;
  readonly data: ByteString;
  readonly isJson: boolean;
  readonly info?: ClientInfo | undefined;
  readonly tags?: ReadonlyMap<string, string> | undefined;
  readonly idempotencyKey?: string | undefined;
  /** Do not append to the history; the publication then has no offset. */
  readonly skipsHistory?: boolean | undefined;
  /** Send a delta to those who negotiated it. */
  readonly usesDelta?: boolean | undefined;
  readonly version?: number | undefined;
  readonly versionEpoch?: string | undefined;
}

interface HistoryResult {
  readonly publications: readonly StoredPublication[];
  readonly position: Position;
}

/** A channel with up to so many subscribers is served before the big ones, so that one busy channel does not slow all others. */
const SMALL_FAN_OUT = 32;

/** Channels looked at per second for what has expired. */
const SWEEP_PER_SECOND = 5000;

/** Channels, streams and connections of one broker. Knows nothing of sockets. */
export class Engine {
  readonly settings: Settings;
  readonly surroundings: Surroundings;
  readonly namespaces: Namespaces;
  readonly hub = new Hub();
  readonly deadlines: Deadlines;
  readonly verifier: TokenVerifier;
  readonly hooks: Hooks;
  /** Identifies this process in `info` and to clients of emulated transports. */
  readonly nodeId: string;
  readonly startedAtMs: number;
  readonly metrics = new Metrics();
  readonly #idempotency = new IdempotencyCache();
  #sweep: Iterator<Channel> | undefined;
  #cancelSweep: () => void;

  constructor(settings: Settings, surroundings: Surroundings, verifier: TokenVerifier, hooks: Hooks = {}) {
    this.settings = settings;
    this.surroundings = surroundings;
    this.verifier = verifier;
    this.hooks = hooks;
    this.namespaces = new Namespaces(settings.channel);
    this.deadlines = new Deadlines(surroundings.clock);
    this.nodeId = surroundings.newClientId();
    this.startedAtMs = surroundings.clock.now();
    this.#cancelSweep = surroundings.clock.after(1000, () => this.#sweepNext());
  }

  get nowMs(): number {
    return this.surroundings.clock.now();
  }

  stop(): void {
    this.#cancelSweep();
    this.deadlines.stop();
  }

  /**
   * Publishes. Offset and place in every subscriber's queue are given in one synchronous step, which is what makes all subscribers see one order
   * and a recovering client miss and double nothing: never `await` in here.
   */
  publish(publish: Publish): Position | undefined {
    const { channel: name, options, idempotencyKey } = publish;
    const now = this.nowMs;
    if (idempotencyKey) {
      const known = this.#idempotency.find(name, idempotencyKey, now);
      if (known) return known.position;
    }
    const keeps = options.hasHistory && !publish.skipsHistory;
    const channel = keeps ? this.hub.channel(name, options) : this.hub.channels.get(name);
    const stream = keeps && channel ? this.stream(channel) : undefined;
    if (stream?.isOutdated(publish.version ?? 0, publish.versionEpoch ?? '')) return stream.position;
    this.metrics.publications++;
    const offset = stream?.nextOffset ?? 0;
    const publication: StoredPublication = {
      data: publish.data,
      offset,
      epoch: stream && offset === 1 ? stream.epoch : '',
      info: publish.info,
      tags: publish.tags,
      version: publish.version ?? 0,
      timeMs: now,
      isJson: publish.isJson,
    };
    const previous = publish.usesDelta || options.deltaPublish ? stream?.latest : undefined;
    stream?.add(publication, options.historySize, now + options.historyTtlMs, publish.version, publish.versionEpoch);
    const position = stream?.position;
    if (idempotencyKey) this.#idempotency.save(name, idempotencyKey, position, now);
    if (channel && channel.subscribers.size > 0) this.#fanOut(channel, publication, previous, stream);
    return position;
  }

  /** The fast path: one encoded text for all subscribers of an encoding, one queue entry each. */
  #fanOut(
    channel: Channel,
    publication: StoredPublication,
    previous: StoredPublication | undefined,
    stream: ChannelStream | undefined,
  ): void {
    const isUrgent = channel.subscribers.size <= SMALL_FAN_OUT;
    const isNewStream = publication.offset === 1;
    // Filled only where there is more than one encoding.
    let texts: Map<Encoding, ByteString> | undefined;
    let encoding: Encoding | undefined;
    let text: ByteString = '';
    let special: SpecialTexts | undefined;
    for (const subscription of channel.subscribers) {
      const { session } = subscription;
      if (isNewStream && stream && !this.#follows(subscription, stream)) continue;
      if (subscription.isSpecial) {
        special ??= new SpecialTexts(channel.name, publication, previous);
        special.send(subscription, isUrgent);
        continue;
      }
      if (session.peer.encoding !== encoding) {
        if (encoding) texts = (texts ?? new Map<Encoding, ByteString>()).set(encoding, text);
        encoding = session.peer.encoding;
        text = texts?.get(encoding) ?? encoding.encodePublication(channel.name, publication);
      }
      if (!publication.isJson && encoding.name === 'json') session.close(Disconnects.InappropriateProtocol);
      else session.peer.push(text, isUrgent);
    }
  }

  /** Whether a positioned subscription follows this very stream; one that followed another has lost its place. */
  #follows(subscription: Subscription, stream: ChannelStream): boolean {
    if (subscription.epoch === '' || subscription.epoch === stream.epoch) return true;
    subscription.session.losePosition(subscription);
    return false;
  }

  /** The stream of a channel, made if need be and freed of what has expired. Using it prolongs the life of its epoch. */
  stream(channel: Channel): ChannelStream {
    const now = this.nowMs;
    let { stream } = channel;
    if (stream && now >= stream.metaExpiresAtMs) stream = undefined;
    stream ??= new ChannelStream(this.surroundings.newEpoch());
    stream.expire(now);
    const { historyMetaTtlMs } = channel.options;
    stream.metaExpiresAtMs = historyMetaTtlMs > 0 ? now + historyMetaTtlMs : Number.POSITIVE_INFINITY;
    channel.stream = stream;
    return stream;
  }

  /** Reads history. Reading a channel that was never used begins its stream, as on Centrifugo. */
  history(name: string, options: ResolvedChannelOptions, filter: HistoryFilter): HistoryResult | ReplyError {
    const { since, isReverse } = filter;
    if (isReverse && since?.offset === 0) return ReplyErrors.BadRequest;
    const stream = this.stream(this.hub.channel(name, options));
    if (since && since.epoch !== '' && since.epoch !== stream.epoch) return ReplyErrors.UnrecoverablePosition;
    return { publications: stream.read(filter), position: stream.position };
  }

  removeHistory(name: string): void {
    this.hub.channels.get(name)?.stream?.clear();
  }

  /** Clients in a channel, by client id. */
  presence(name: string): Map<string, ClientInfo> {
    const presence = new Map<string, ClientInfo>();
    for (const subscription of this.hub.channels.get(name)?.subscribers ?? [])
      if (subscription.options.emitsPresence)
        presence.set(subscription.session.id, subscription.presentAs ?? subscription.clientInfo);
    return presence;
  }

  presenceStats(name: string): { clients: number; users: number } {
    const users = new Set<string>();
    let clients = 0;
    for (const { options, session } of this.hub.channels.get(name)?.subscribers ?? []) {
      if (!options.emitsPresence) continue;
      clients++;
      users.add(session.user);
    }
    return { clients, users: users.size };
  }

  /** Tells who wants to know that a client came or left. */
  announce(kind: 'join' | 'leave', channel: Channel, info: ClientInfo): void {
    if (kind === 'join') this.metrics.joins++;
    else this.metrics.leaves++;
    const texts = new Map<Encoding, ByteString>();
    for (const { options, session } of channel.subscribers) {
      if (!options.wantsJoinLeave) continue;
      const { encoding } = session.peer;
      const text = texts.get(encoding) ?? encoding.encodePush({ channel: channel.name, [kind]: { info } });
      texts.set(encoding, text);
      session.peer.push(text, channel.subscribers.size <= SMALL_FAN_OUT);
    }
  }

  /** Frees expired history and idle channels, a part of the channels each second. */
  #sweepNext(): void {
    const now = this.nowMs;
    this.#sweep ??= this.hub.channels.values();
    for (let i = 0; i < SWEEP_PER_SECOND; i++) {
      const next = this.#sweep.next();
      if (next.done) {
        this.#sweep = undefined;
        break;
      }
      this.#sweepChannel(next.value, now);
    }
    this.#idempotency.expire(now);
    this.#cancelSweep = this.surroundings.clock.after(1000, () => this.#sweepNext());
  }

  #sweepChannel(channel: Channel, now: number): void {
    channel.stream?.expire(now);
    if (channel.stream && channel.subscribers.size === 0 && now >= channel.stream.metaExpiresAtMs)
      channel.stream = undefined;
    this.hub.dropIfIdle(channel);
  }
}
