import { columnHead, DetailPane, emptyNote, noManagerNote, pill } from './detail-pane.ts';
import { clockTime, durationWords } from './duration-words.ts';
import { h, icon } from './element.ts';
import { queryLabel } from './query-label.ts';
import type { Recorded, Recorder } from './recorder.ts';
import { eventWords, positionWords, storyIcon, storyResults, storyTitle, storyTone } from './story-words.ts';
import { isWasted, type Story, type Timeline, toTimeline } from './timeline.ts';
import type { View } from './view.ts';
import { VirtualList } from './virtual-list.ts';

/** Which stories are shown. */
const KINDS = [
  {
    name: 'News',
    title: 'Mutations, publications, gaps and what followed',
    isOn: true,
    has: ({ kind }: Story) => kind !== 'fetch' && kind !== 'connection',
  },
  {
    name: 'App fetches',
    title: 'Fetches that no news asked for',
    isOn: true,
    has: ({ kind }: Story) => kind === 'fetch',
  },
  {
    name: 'Connection',
    title: 'The connection and its channels',
    isOn: true,
    has: ({ kind }: Story) => kind === 'connection',
  },
];

/** The stories, newest last, with the steps of the selected one. */
export class TimelineView implements View {
  readonly name = 'Timeline';
  readonly element: HTMLElement;
  readonly #recorder: Recorder;
  readonly #list: VirtualList<Story>;
  readonly #detail: DetailPane;
  readonly #totals = h('div', { class: 'totals' });
  readonly #shown = new Set(KINDS.map(({ name }) => name));
  #filter = '';
  #onlyWasted = false;
  #events: readonly Recorded[] = [];
  /** Set while the view is held; what is recorded meanwhile waits. */
  #held: readonly Recorded[] | null = null;
  #timeline: Timeline = toTimeline([]);
  #version = -1;
  #isNarrow = false;

  constructor(recorder: Recorder) {
    this.#recorder = recorder;
    this.#list = new VirtualList<Story>({
      label: 'What happened, newest last',
      rowHeight: () => (this.#isNarrow ? 56 : 38),
      idOf: ({ id }) => String(id),
      versionOf: ({ steps }) => `${steps.length} ${this.#isNarrow}`,
      render: (story) => this.#row(story),
      onSelect: () => this.#drawDetail(),
      empty: () => this.#emptyNote(),
      followsEnd: true,
    });
    const head = columnHead('Time', 'What', 'Publication', 'Made stale', 'Fetched', 'Came of it', 'Fresh after');
    this.#detail = new DetailPane(head, this.#list.element, () => {
      this.#list.select(null);
      this.#drawDetail();
    });
    this.element = h('div', { class: 'view timeline' }, this.#toolbar(), this.#detail.element, this.#totals);
  }

  /** Holds the view still; recording goes on. */
  hold(isHeld: boolean): void {
    this.#held = isHeld ? [...this.#recorder.events] : null;
    this.#version = -1;
    this.update();
  }

  /** What is shown, for people who want to send it. */
  shownEvents(): readonly Recorded[] {
    return this.#held ?? this.#recorder.events;
  }

  update(): void {
    const isNarrow = this.#list.isNarrow;
    const { version } = this.#recorder;
    if (version === this.#version && isNarrow === this.#isNarrow) {
      this.#list.draw();
      return;
    }
    this.#version = version;
    this.#isNarrow = isNarrow;
    const events = this.shownEvents();
    this.#timeline = toTimeline(events);
    this.#events = events;
    this.#list.update(this.#timeline.stories.filter((story) => this.#isShown(story)));
    this.#drawDetail();
    this.#drawTotals();
  }

  #toolbar(): HTMLElement {
    const redraw = () => {
      this.#version = -1;
      this.update();
    };
    const kinds = KINDS.map(({ name, title }) =>
      toggle(name, title, true, (isOn) => {
        if (isOn) this.#shown.add(name);
        else this.#shown.delete(name);
        redraw();
      }),
    );
    const wasted = toggle('Only wasted', 'Only what was fetched in vain', false, (isOn) => {
      this.#onlyWasted = isOn;
      redraw();
    });
    const filter = h('input', {
      class: 'filter',
      type: 'search',
      placeholder: 'Filter',
      'aria-label': 'Filter by channel, query or mutation',
      oninput: (event: InputEvent) => {
        this.#filter = (event.target as HTMLInputElement).value.trim().toLowerCase();
        redraw();
      },
    });
    return h('div', { class: 'toolbar' }, filter, h('div', { class: 'toggles' }, ...kinds, wasted));
  }

  #isShown(story: Story): boolean {
    if (!KINDS.some(({ name, has }) => this.#shown.has(name) && has(story))) return false;
    if (this.#onlyWasted && !story.fetches.some(({ ended }) => isWasted(ended))) return false;
    if (!this.#filter) return true;
    const texts = [
      storyTitle(story).title,
      ...story.channels,
      ...Array.from(story.stale.values(), ({ key }) => queryLabel(key)),
      ...story.fetches.map(({ started }) => queryLabel(started.query.key)),
    ];
    return texts.some((text) => text.toLowerCase().includes(this.#filter));
  }

  #row(story: Story): readonly Node[] {
    const { title, note } = storyTitle(story);
    const { kind, publications, staleCount, fetches } = story;
    const first = publications[0];
    const places =
      publications.length > 1 ? `${publications.length} times` : first ? positionWords(first.position) : '';
    const [query] = story.stale.values();
    const stale = staleCount > 1 ? `${staleCount} queries` : query ? queryLabel(query.key) : '';
    const freshAfter = Math.max(...fetches.map(({ ended }) => ended?.freshAfterMs ?? Number.NEGATIVE_INFINITY));
    const isNews = kind !== 'fetch' && kind !== 'connection';
    const isEvent = isNews && publications.length > 0 && publications.every(({ message }) => message?.type === 'event');
    const results = storyResults(story).map(({ tone, text }) => pill(tone, text));
    return [
      h(
        'div',
        { class: 'columns' },
        h('span', { class: 'time', text: clockTime(story.at) }),
        h(
          'span',
          { class: 'what', 'data-tone': storyTone(story) },
          icon(storyIcon(story)),
          h('span', { class: 'name', text: title, title }),
          h('span', { class: 'soft', text: note }),
        ),
        cell('publication', places, first ? [...story.channels].join(', ') : ''),
        cell('stale', stale, stale),
        cell('fetch', fetches.length ? (fetches.length > 1 ? `${fetches.length} times` : 'once') : ''),
        h(
          'span',
          { class: 'results' },
          ...(results.length || !isNews
            ? results
            : [h('span', { class: 'soft', text: isEvent ? 'for the app' : staleCount ? 'marked' : 'not shown here' })]),
        ),
        h('span', { class: 'took', text: Number.isFinite(freshAfter) ? durationWords(freshAfter) : '' }),
      ),
    ];
  }

  #drawDetail(): void {
    const story = this.#timeline.stories.find(({ id }) => String(id) === this.#list.selected);
    if (!story) {
      this.#detail.hide();
      return;
    }
    const { title } = storyTitle(story);
    this.#detail.show(title, `${story.id} ${story.steps.length}`, () => {
      const steps = story.steps.map(({ event }) => {
        const { tone, title: text, details } = eventWords(event, story);
        return h(
          'li',
          { 'data-tone': tone },
          h('span', { class: 'step-time', text: `+${durationWords(event.at - story.at)}` }),
          h('div', {}, h('strong', { text }), ...details.map((detail) => h('p', { text: detail }))),
        );
      });
      return [h('ol', { class: 'steps' }, ...steps)];
    });
  }

  #drawTotals(): void {
    const { publications, mutations, refetches, changed, wasted, failed } = this.#timeline.totals;
    const parts: [string, number, string][] = [
      ['publication', publications, publications === 1 ? 'publication' : 'publications'],
      ['mutation', mutations, mutations === 1 ? 'mutation' : 'mutations'],
      ['fetch', refetches, refetches === 1 ? 'fetch' : 'fetches'],
      ['changed', changed, 'changed'],
      ['wasted', wasted, 'wasted'],
      ...(failed ? [['failed', failed, 'failed'] as [string, number, string]] : []),
    ];
    const note = this.#limitWords();
    this.#totals.replaceChildren(
      ...parts
        .filter(([, count]) => count)
        .map(([tone, count, text]) =>
          h('span', { class: 'total', 'data-tone': tone }, h('b', { text: count.toLocaleString('en') }), ` ${text}`),
        ),
      ...(note ? [h('span', { class: 'total end', text: note })] : []),
    );
  }

  /** That not everything is shown, where it is so. */
  #limitWords(): string {
    if (this.#held)
      return `held; ${Math.max(0, (this.#recorder.events.at(-1)?.id ?? 0) - (this.#events.at(-1)?.id ?? 0))} more since`;
    return this.#recorder.dropped ? `the last ${this.#events.length.toLocaleString('en')} events` : '';
  }

  #emptyNote(): Node {
    if (this.#recorder.events.length) return emptyNote('Nothing matches', 'Clear the filter, or show more kinds.');
    if (!this.#recorder.managers().length) return noManagerNote();
    return emptyNote(
      'Nothing happened yet',
      'Mutations, publications, and what they make stale and refetch appear here, from the moment the devtools were mounted.',
    );
  }
}

function cell(tone: string, text: string, title = ''): HTMLElement {
  return h(
    'span',
    { class: 'flow', 'data-tone': text ? tone : 'none', title: title || null },
    h('i'),
    h('span', { text }),
  );
}

function toggle(name: string, title: string, isOn: boolean, onChange: (isOn: boolean) => void): HTMLElement {
  let on = isOn;
  const button = h('button', {
    class: 'toggle',
    type: 'button',
    title,
    'aria-pressed': String(on),
    text: name,
    onclick: () => {
      on = !on;
      button.setAttribute('aria-pressed', String(on));
      onChange(on);
    },
  });
  return button;
}
