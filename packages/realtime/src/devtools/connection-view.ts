import { facts, heading, noManagerNote, pill } from './detail-pane.ts';
import { clockTime, durationWords, momentWords } from './duration-words.ts';
import { h } from './element.ts';
import { STATE_TONES } from './overall-state.ts';
import type { KnownManager, Recorder } from './recorder.ts';
import type { View } from './view.ts';

/** How often the broker is asked for a sign of life, while this is shown. */
const PING_EVERY_MS = 5_000;
const LAST_PINGS = 24;
const LAST_STATES = 20;

const MEANINGS: Record<string, string> = {
  idle: 'Nothing needs a connection: no query in use names a channel, and nobody subscribes.',
  connecting: 'The first attempt.',
  connected: 'Announcements arrive.',
  reconnecting: 'Trying again, with growing pauses. What is missed meanwhile is recovered, or fetched.',
  polling: 'No connection for long: bound queries are fetched from time to time.',
  unauthorized: 'No token for this user, or the broker refused it. Final until reconnect().',
  failed: 'Closed for good. Final until reconnect().',
  disposed: 'dispose() was called.',
};

/** Each connection of the page: its state, since when and why, and how long the broker takes to answer. */
export class ConnectionView implements View {
  readonly name = 'Connection';
  readonly element: HTMLElement;
  readonly #recorder: Recorder;
  /** By label: milliseconds, `null` where no answer came. */
  readonly #pings = new Map<string, (number | null)[]>();
  #pingedAt = Number.NEGATIVE_INFINITY;
  #drawn = '';

  constructor(recorder: Recorder) {
    this.#recorder = recorder;
    this.element = h('div', { class: 'view cards', tabindex: 0 });
  }

  update(): void {
    const managers = this.#recorder.managers();
    this.#ping(managers);
    const states = this.#recorder.events.flatMap(({ event, source }) =>
      event.type === 'status' ? [{ ...event, source }] : [],
    );
    const drawn = JSON.stringify([
      managers.map(({ label, status, source }) => [
        label,
        status.state,
        status.since,
        Math.floor((Date.now() - status.since) / 1_000),
        source?.inspect().channels.length,
      ]),
      states.length,
      [...this.#pings],
    ]);
    if (drawn === this.#drawn) return;
    this.#drawn = drawn;
    this.element.replaceChildren(
      ...(managers.length ? managers.map((manager) => this.#card(manager, states)) : [noManagerNote()]),
    );
  }

  #card(
    { label, status, source }: KnownManager,
    states: readonly { source: string; at: number; state: string; reason: string | null }[],
  ): HTMLElement {
    const snapshot = source?.inspect();
    const own = states
      .filter(({ source: told }) => told === label)
      .slice(-LAST_STATES)
      .reverse();
    const joined = snapshot?.channels.filter(({ state }) => state === 'joined').length ?? 0;
    return h(
      'article',
      { class: 'card' },
      h(
        'header',
        {},
        h('span', { class: 'lamp', 'data-tone': STATE_TONES[status.state] ?? 'quiet' }),
        h('h3', { text: status.state }),
        h('span', {
          class: 'soft',
          text: `for ${durationWords(Math.floor((Date.now() - status.since) / 1_000) * 1_000)}`,
        }),
        h('span', { class: 'soft end', text: label }),
      ),
      h('p', { class: 'lead', text: MEANINGS[status.state] ?? '' }),
      facts([
        ['Since', clockTime(status.since)],
        [
          'Reason',
          status.reason ? h('span', {}, status.reason.message, ' ', h('code', { text: status.reason.code })) : null,
        ],
        ['Broker', snapshot ? `${snapshot.host}, WebSocket` : null],
        ['User', snapshot?.userId === undefined || snapshot.userId === null ? null : snapshot.userId || 'anonymous'],
        ['Channels', snapshot ? `${joined} joined, at most ${snapshot.maxChannels}` : null],
        ['Token expires', snapshot?.tokenExpiresAt ? momentWords(snapshot.tokenExpiresAt) : null],
        ['Answers in', this.#pingWords(label)],
      ]),
      ...(own.length
        ? [
            heading('History'),
            h(
              'ul',
              { class: 'plain' },
              ...own.map(({ at, state, reason }) =>
                h(
                  'li',
                  {},
                  h('span', { class: 'time', text: clockTime(at) }),
                  pill(STATE_TONES[state] ?? 'quiet', state),
                  h('span', { class: 'soft', text: reason ?? '' }),
                ),
              ),
            ),
          ]
        : []),
    );
  }

  #pingWords(label: string): Node | null {
    const pings = this.#pings.get(label);
    if (!pings?.length) return null;
    const answered = pings.filter((ms) => ms !== null);
    const last = pings.at(-1);
    const longest = Math.max(20, ...answered);
    return h(
      'span',
      { class: 'pings' },
      h('span', { text: last === null || last === undefined ? 'no answer' : durationWords(last) }),
      h(
        'span',
        { class: 'bars', 'aria-hidden': 'true' },
        ...pings.map((ms) =>
          h('i', {
            'data-tone': ms === null ? 'failed' : 'live',
            style: `--height:${ms === null ? 1 : Math.max(0.08, ms / longest)}`,
          }),
        ),
      ),
    );
  }

  #ping(managers: readonly KnownManager[]): void {
    const now = performance.now();
    if (now - this.#pingedAt < PING_EVERY_MS) return;
    this.#pingedAt = now;
    for (const { label, source, status } of managers) {
      if (!source || status.state !== 'connected') continue;
      const note = (ms: number | null) => {
        this.#pings.set(label, [...(this.#pings.get(label) ?? []), ms].slice(-LAST_PINGS));
      };
      source.ping().then(note, () => note(null));
    }
  }
}
