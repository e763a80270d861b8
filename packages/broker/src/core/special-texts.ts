import type { ByteString } from '../protocol/byte-string.ts';
import { Disconnects } from '../protocol/codes.ts';
import type { Encoding, StoredPublication } from '../protocol/encoding.ts';
import { makeDelta } from './delta.ts';
import type { Subscription } from './subscription.ts';
import { matchesTags } from './tags-filter.ts';

/** One publication for subscriptions that want it otherwise: filtered, or as a delta. Each form is encoded once. */
export class SpecialTexts {
  readonly #channel: string;
  readonly #publication: StoredPublication;
  readonly #previous: StoredPublication | undefined;
  readonly #texts = new Map<Encoding, Map<string, ByteString>>();

  constructor(channel: string, publication: StoredPublication, previous: StoredPublication | undefined) {
    this.#channel = channel;
    this.#publication = publication;
    this.#previous = previous;
  }

  send(subscription: Subscription, isUrgent: boolean): void {
    const { session, filter, isDelta } = subscription;
    const { peer } = session;
    if (!this.#publication.isJson && peer.encoding.name === 'json') session.close(Disconnects.InappropriateProtocol);
    else if (isDelta) peer.push(this.#deltaText(subscription), isUrgent);
    // With deltas everything is sent: the next delta builds on it.
    else if (!filter || matchesTags(filter, this.#publication.tags))
      peer.push(this.#text(peer.encoding, 'plain'), isUrgent);
  }

  #deltaText(subscription: Subscription): ByteString {
    const { encoding } = subscription.session.peer;
    const canBuild = subscription.isDeltaReady && subscription.epoch !== '' && this.#publication.offset > 0;
    subscription.isDeltaReady = true;
    return this.#text(encoding, canBuild && this.#previous ? 'delta' : 'full');
  }

  #text(encoding: Encoding, form: 'plain' | 'full' | 'delta'): ByteString {
    let texts = this.#texts.get(encoding);
    if (!texts) {
      texts = new Map();
      this.#texts.set(encoding, texts);
    }
    let text = texts.get(form);
    if (text === undefined) {
      text = encoding.encodePublication(this.#channel, this.#form(encoding, form));
      texts.set(form, text);
    }
    return text;
  }

  #form(encoding: Encoding, form: 'plain' | 'full' | 'delta'): StoredPublication {
    if (form === 'plain') return this.#publication;
    return makeDelta(encoding, this.#publication, form === 'delta' ? this.#previous : undefined);
  }
}
