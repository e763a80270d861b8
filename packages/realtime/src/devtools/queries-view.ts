import type { BindingSource, QuerySnapshot } from '../query/binding-source.ts';
import { columnHead, DetailPane, emptyNote, facts, heading, noManagerNote, pill } from './detail-pane.ts';
import { clockTime, durationWords } from './duration-words.ts';
import { h } from './element.ts';
import { proofWords } from './proof-words.ts';
import { queryLabel, toText } from './query-label.ts';
import type { Recorder } from './recorder.ts';
import { isWasted } from './timeline.ts';
import type { View } from './view.ts';
import { VirtualList } from './virtual-list.ts';

interface Item {
  readonly id: string;
  readonly label: string;
  readonly query: QuerySnapshot;
  readonly source: BindingSource;
}

/** The queries are looked through at most this often, and at most in a twentieth of the time: thousands take a while. */
const MIN_INTERVAL_MS = 400;
const INTERVAL_PER_WORK = 20;
const LAST_FETCHES = 8;

const MEANINGS: Record<string, string> = {
  live: 'Holds everything that was announced, and hears the next announcement.',
  stale: 'Something newer is known to exist, or may have been missed.',
  unbound: 'No answer named a channel, so nobody announces its changes.',
  uncovered: 'A channel of it is not joined, or not yet: announcements are not heard.',
  polling: 'Not covered for so long that it is fetched from time to time.',
  suspect: 'Its answers come from servers that see another broker than the socket does.',
  optimistic: 'Written by hand while a mutation runs.',
};

/** Every query of every bound client, how fresh it is, and why that is known. */
export class QueriesView implements View {
  readonly name = 'Queries';
  readonly element: HTMLElement;
  readonly #recorder: Recorder;
  readonly #list: VirtualList<Item>;
  readonly #detail: DetailPane;
  readonly #summary = h('div', { class: 'totals' });
  #filter = '';
  #items: readonly Item[] = [];
  #nextReadAt = Number.NEGATIVE_INFINITY;
  #isNarrow = false;

  constructor(recorder: Recorder) {
    this.#recorder = recorder;
    this.#list = new VirtualList<Item>({
      label: 'Queries',
      rowHeight: () => (this.#isNarrow ? 56 : 36),
      idOf: ({ id }) => id,
      versionOf: ({ query }) =>
        `${query.freshness.detail} ${query.freshness.since} ${query.isActive} ${query.isFetching} ${query.channels} ${this.#isNarrow}`,
      render: (item) => this.#row(item),
      onSelect: () => this.#drawDetail(),
      empty: () => this.#emptyNote(),
    });
    const head = columnHead('Query', 'Freshness', 'Since', 'Channels', 'In use');
    this.#detail = new DetailPane(head, this.#list.element, () => {
      this.#list.select(null);
      this.#drawDetail();
    });
    const filter = h('input', {
      class: 'filter',
      type: 'search',
      placeholder: 'Filter',
      'aria-label': 'Filter queries by key or state',
      oninput: (event: InputEvent) => {
        this.#filter = (event.target as HTMLInputElement).value.trim().toLowerCase();
        this.#draw();
      },
    });
    this.element = h(
      'div',
      { class: 'view queries' },
      h('div', { class: 'toolbar' }, filter),
      this.#detail.element,
      this.#summary,
    );
  }

  update(): void {
    const now = performance.now();
    if (now < this.#nextReadAt) return;
    const bindings = this.#recorder.bindings();
    this.#items = bindings.flatMap(({ label, source }) =>
      source.inspect().map((query) => ({ id: `${label} ${query.hash}`, label: queryLabel(query.key), query, source })),
    );
    this.#draw();
    const workMs = performance.now() - now;
    this.#nextReadAt = now + Math.max(MIN_INTERVAL_MS, workMs * INTERVAL_PER_WORK);
  }

  #draw(): void {
    this.#isNarrow = this.#list.isNarrow;
    const filter = this.#filter;
    this.#list.update(
      filter
        ? this.#items.filter(
            ({ label, query }) => label.toLowerCase().includes(filter) || query.freshness.detail.includes(filter),
          )
        : this.#items,
    );
    this.#drawDetail();
    const counts = new Map<string, number>();
    for (const { query } of this.#items)
      counts.set(query.freshness.detail, (counts.get(query.freshness.detail) ?? 0) + 1);
    const parts = Array.from(counts, ([detail, count]) =>
      h(
        'span',
        { class: 'total', 'data-tone': toneOf(detail) },
        h('b', { text: count.toLocaleString('en') }),
        ` ${detail}`,
      ),
    );
    this.#summary.replaceChildren(...parts);
  }

  #row({ label, query }: Item): readonly Node[] {
    const { freshness, isActive, isFetching, channels } = query;
    return [
      h(
        'div',
        { class: 'columns' },
        h('span', { class: 'name', text: label, title: label }),
        h('span', {}, pill(toneOf(freshness.detail), freshness.detail)),
        h('span', { class: 'time', text: freshness.since ? clockTime(freshness.since).slice(0, 8) : '' }),
        h('span', { class: 'number', text: channels ? String(channels) : '' }),
        h('span', { class: 'soft', text: isFetching ? 'fetching' : isActive ? 'in use' : '' }),
      ),
    ];
  }

  #drawDetail(): void {
    const item = this.#items.find(({ id }) => id === this.#list.selected);
    if (!item) {
      this.#detail.hide();
      return;
    }
    const { label, query, source } = item;
    const { detail, since, refetchAt } = query.freshness;
    const fetches = this.#recorder.events
      .flatMap(({ event }) => (event.type === 'refetch-ended' && event.fetch.query.hash === query.hash ? [event] : []))
      .slice(-LAST_FETCHES)
      .reverse();
    const proofs = source.proofs(query.hash) ?? [];
    const refusals = this.#refusals();
    const version = JSON.stringify([
      detail,
      since,
      refetchAt,
      query.isActive,
      query.isFetching,
      proofs,
      [...refusals],
      fetches.length,
      fetches[0]?.at,
    ]);
    this.#detail.show(label, version, () => [
      h('p', { class: 'lead' }, pill(toneOf(detail), detail), ` ${MEANINGS[detail] ?? ''}`),
      facts([
        ['Key', h('code', { text: toText(query.key) })],
        ['Since', since ? clockTime(since) : null],
        ['Next fetch', refetchAt === null ? null : clockTime(refetchAt)],
        ['In use', query.isActive ? 'yes' : 'no: it is marked, and fetched when it is used'],
      ]),
      ...proofs.flatMap((proof) => [
        heading(proof.channel),
        ...(refusals.has(proof.channel) ? [h('p', { text: refusals.get(proof.channel) ?? '' })] : []),
        ...proofWords(proof).map((text) => h('p', { text })),
        facts([
          ['Stands at', proof.position ? `${proof.position.offset}` : 'unknown'],
          ['Known', `${proof.known}`],
          ['Base', `${proof.base}`],
          ['Stamp', proof.stamp ? `${proof.stamp.offset}` : 'none'],
          ['Floor', proof.floor ? `${proof.floor.offset}` : 'none'],
          ['Epoch', proof.position?.epoch ?? null],
        ]),
      ]),
      heading('Last fetches'),
      fetches.length
        ? h(
            'ul',
            { class: 'plain' },
            ...fetches.map((ended) =>
              h(
                'li',
                {},
                h('span', { class: 'time', text: clockTime(ended.at) }),
                pill(isWasted(ended) ? 'wasted' : ended.outcome, isWasted(ended) ? 'wasted' : ended.outcome),
                h('span', { class: 'soft', text: `${ended.fetch.reason}, ${durationWords(ended.durationMs)}` }),
              ),
            ),
          )
        : h('p', { class: 'soft', text: 'None since this was mounted.' }),
    ]);
  }

  /** Why channels are refused, by name. */
  #refusals(): ReadonlyMap<string, string> {
    const channels = this.#recorder.managers().flatMap(({ source }) => source?.inspect().channels ?? []);
    return new Map(channels.flatMap(({ name, refusal }) => (refusal ? [[name, refusal]] : [])));
  }

  #emptyNote(): Node {
    if (this.#items.length) return emptyNote('No query matches', 'Clear the filter.');
    if (this.#recorder.bindings().length)
      return emptyNote('The cache is empty', 'Queries appear here as the page asks for them.');
    if (!this.#recorder.managers().length) return noManagerNote();
    return emptyNote(
      'No query is bound yet',
      'bindQueryClient (or RealtimeProvider with a queryClient) follows the cache from the first answer that names a channel. Do the procedures use watches, and does the client have a realtimeLink?',
    );
  }
}

function toneOf(detail: string): string {
  if (detail === 'live') return 'live';
  if (detail === 'stale') return 'stale';
  return detail === 'suspect' ? 'failed' : detail === 'polling' || detail === 'uncovered' ? 'fetch' : 'quiet';
}
