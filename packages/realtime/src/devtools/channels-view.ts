import type { ChannelSnapshot } from '../client/connection-snapshot.ts';
import { columnHead, DetailPane, emptyNote, facts, heading, noManagerNote, pill } from './detail-pane.ts';
import { clockTime, durationWords, momentWords } from './duration-words.ts';
import { h } from './element.ts';
import type { Recorder } from './recorder.ts';
import { messageWords, positionWords } from './story-words.ts';
import type { View } from './view.ts';
import { VirtualList } from './virtual-list.ts';

interface Item {
  readonly id: string;
  readonly connection: string;
  readonly channel: ChannelSnapshot;
}

const LAST_PUBLICATIONS = 12;

const TONES: Record<ChannelSnapshot['state'], string> = {
  waiting: 'quiet',
  joining: 'fetch',
  joined: 'live',
  dropped: 'stale',
  refused: 'failed',
  ended: 'quiet',
};

/** The channels of every connection: where they stand, by which permission, and what came on them. */
export class ChannelsView implements View {
  readonly name = 'Channels';
  readonly element: HTMLElement;
  readonly #recorder: Recorder;
  readonly #list: VirtualList<Item>;
  readonly #detail: DetailPane;
  #items: readonly Item[] = [];
  #isNarrow = false;

  constructor(recorder: Recorder) {
    this.#recorder = recorder;
    this.#list = new VirtualList<Item>({
      label: 'Channels',
      rowHeight: () => (this.#isNarrow ? 56 : 36),
      idOf: ({ id }) => id,
      versionOf: ({ channel }) => `${JSON.stringify(channel)} ${permissionWords(channel)} ${this.#isNarrow}`,
      render: (item) => this.#row(item),
      onSelect: () => this.#drawDetail(),
      empty: () =>
        this.#recorder.managers().length
          ? emptyNote(
              'No channel yet',
              'Channels are joined while a query in use is bound to them, or while the app subscribes.',
            )
          : noManagerNote(),
    });
    const head = columnHead('Channel', 'State', 'Position', 'Last join', 'Permission', 'Listeners');
    this.#detail = new DetailPane(head, this.#list.element, () => {
      this.#list.select(null);
      this.#drawDetail();
    });
    this.element = h('div', { class: 'view channels' }, this.#detail.element);
  }

  update(): void {
    this.#isNarrow = this.#list.isNarrow;
    this.#items = this.#recorder.managers().flatMap(({ label, source }) =>
      (source?.inspect().channels ?? []).map((channel) => ({
        id: `${label} ${channel.name}`,
        connection: label,
        channel,
      })),
    );
    this.#list.update(this.#items);
    this.#drawDetail();
  }

  #row({ channel }: Item): readonly Node[] {
    const { name, state, position, refusal } = channel;
    return [
      h(
        'div',
        { class: 'columns' },
        h('span', { class: 'name', text: name, title: name }),
        h('span', {}, pill(TONES[state], state)),
        h('span', { class: 'mono', text: position ? positionWords(position) : '' }),
        h('span', { class: 'soft', text: joinWords(channel) }),
        h('span', { class: 'soft', text: permissionWords(channel) || refusalWords(channel), title: refusal }),
        h('span', { class: 'soft', text: listenerWords(channel) }),
      ),
    ];
  }

  #drawDetail(): void {
    const item = this.#items.find(({ id }) => id === this.#list.selected);
    if (!item) {
      this.#detail.hide();
      return;
    }
    const { channel, connection } = item;
    const { name, state, position, refusal, expiresAt } = channel;
    const publications = this.#recorder.events
      .flatMap(({ event, source }) =>
        event.type === 'publication' && event.channel === name && source === connection ? [event] : [],
      )
      .slice(-LAST_PUBLICATIONS)
      .reverse();
    const version = JSON.stringify([channel, permissionWords(channel), publications.length, publications[0]?.at]);
    this.#detail.show(name, version, () => [
      h('p', { class: 'lead' }, pill(TONES[state], state), refusal ? ` ${refusal}` : ''),
      facts([
        ['Offset', position ? String(position.offset) : 'no history, or not joined yet'],
        ['Epoch', position ? h('code', { text: position.epoch }) : null],
        ['Last join', joinWords(channel) || null],
        ['Permission', permissionWords(channel) || 'none yet'],
        ['Expires', expiresAt === null ? null : momentWords(expiresAt)],
        ['Listeners', listenerWords(channel)],
        ['Connection', connection],
      ]),
      heading('Last publications'),
      publications.length
        ? h(
            'ul',
            { class: 'plain' },
            ...publications.map((event) =>
              h(
                'li',
                {},
                h('span', { class: 'time', text: clockTime(event.at) }),
                h('span', { class: 'mono', text: positionWords(event.position) }),
                h('span', { text: `${messageWords(event.message)}${event.recovered ? ' (recovered)' : ''}` }),
              ),
            ),
          )
        : h('p', { class: 'soft', text: 'None since this was mounted.' }),
    ]);
  }
}

function joinWords({ isRecovered, state }: ChannelSnapshot): string {
  if (isRecovered === null) return state === 'joined' || state === 'dropped' ? 'first' : '';
  return isRecovered ? 'recovered' : 'not recovered';
}

function permissionWords({ by, expiresAt }: ChannelSnapshot): string {
  if (!by) return '';
  const name = by === 'token' ? 'connection token' : 'grant';
  if (expiresAt === null) return name;
  const leftMs = expiresAt - Date.now();
  return leftMs > 0
    ? `${name}, ${durationWords(Math.max(1_000, Math.floor(leftMs / 1_000) * 1_000))} left`
    : `${name}, expired`;
}

/** Why it is refused, without the name that stands beside it. */
function refusalWords({ refusal }: ChannelSnapshot): string {
  return refusal?.replace(/^Channel \S+ is refused: |\.$/g, '') ?? '';
}

function listenerWords({ bindings, subscribers }: ChannelSnapshot): string {
  const parts: string[] = [];
  if (bindings) parts.push('bound queries');
  if (subscribers) parts.push(`${subscribers} by the app`);
  return parts.join(', ') || 'nobody';
}
