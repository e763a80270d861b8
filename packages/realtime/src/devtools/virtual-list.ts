import { h } from './element.ts';

interface VirtualListOptions<Item> {
  readonly label: string;
  /** Every row is as high as this, in CSS pixels. Asked at every layout: narrow panels have higher rows. */
  readonly rowHeight: () => number;
  /** Identifies an item, also in a newer list. */
  readonly idOf: (item: Item) => string;
  /** Changes when the row has to be drawn anew. */
  readonly versionOf: (item: Item) => string;
  readonly render: (item: Item) => readonly Node[];
  readonly onSelect: (item: Item | null) => void;
  /** Shown where there are no items. */
  readonly empty: () => Node;
  /** Stay at the end while the end is in view, as logs do. @default false */
  readonly followsEnd?: boolean;
}

interface Row {
  readonly element: HTMLElement;
  drawn: string;
}

/** Rows drawn above and below what is in view. */
const SPARE_ROWS = 6;
let instances = 0;

/**
 * A list box of any length that draws only the rows in view, so ten thousand cost as much as thirty. Up, Down, Page keys, Home and End move the selection; Escape
 * ends it.
 */
export class VirtualList<Item> {
  readonly element: HTMLElement;
  readonly #options: VirtualListOptions<Item>;
  readonly #sizer = h('div', { class: 'sizer', role: 'presentation' });
  readonly #empty = h('div', { class: 'empty' });
  readonly #rows = new Map<number, Row>();
  readonly #free: Row[] = [];
  readonly #idPrefix = `op-rt-list-${++instances}`;
  #items: readonly Item[] = [];
  #selected: string | null = null;
  #isAtEnd = true;

  constructor(options: VirtualListOptions<Item>) {
    this.#options = options;
    this.element = h(
      'div',
      {
        class: 'list',
        role: 'listbox',
        tabindex: 0,
        'aria-label': options.label,
        onscroll: () => this.#scrolled(),
        onclick: (event: MouseEvent) => this.#clicked(event),
        onkeydown: (event: KeyboardEvent) => this.#key(event),
      },
      this.#sizer,
      this.#empty,
    );
  }

  /** Rows have two lines then; the styles say the same. */
  get isNarrow(): boolean {
    const { clientWidth } = this.element;
    return clientWidth > 0 && clientWidth < 640;
  }

  get selected(): string | null {
    return this.#selected;
  }

  /** Takes the items, which may have changed in any way. */
  update(items: readonly Item[]): void {
    this.#items = items;
    this.#empty.replaceChildren(...(items.length ? [] : [this.#options.empty()]));
    const height = this.#options.rowHeight();
    this.#sizer.style.height = `${items.length * height}px`;
    if (this.#options.followsEnd && this.#isAtEnd) this.element.scrollTop = this.element.scrollHeight;
    this.draw();
  }

  select(id: string | null): void {
    this.#selected = id;
    this.draw();
  }

  /** Draws the rows in view. Cheap where nothing changed. */
  draw(): void {
    const { rowHeight, versionOf, idOf, render } = this.#options;
    const height = rowHeight();
    const { scrollTop, clientHeight } = this.element;
    const first = Math.max(0, Math.floor(scrollTop / height) - SPARE_ROWS);
    const last = Math.min(this.#items.length, Math.ceil((scrollTop + clientHeight) / height) + SPARE_ROWS);
    for (const [at, row] of this.#rows)
      if (at < first || at >= last) {
        row.element.remove();
        this.#rows.delete(at);
        this.#free.push(row);
      }
    let active = '';
    for (let at = first; at < last; at++) {
      const item = this.#items[at] as Item;
      let row = this.#rows.get(at);
      if (!row) {
        row = this.#free.pop() ?? { element: h('div', { class: 'row', role: 'option' }), drawn: '' };
        this.#rows.set(at, row);
        this.#sizer.append(row.element);
      }
      const isSelected = idOf(item) === this.#selected;
      const { element } = row;
      const drawn = `${at} ${height} ${this.#items.length} ${isSelected} ${idOf(item)} ${versionOf(item)}`;
      if (isSelected) active = `${this.#idPrefix}-${at}`;
      if (row.drawn === drawn) continue;
      row.drawn = drawn;
      element.id = `${this.#idPrefix}-${at}`;
      element.dataset.at = String(at);
      element.style.transform = `translateY(${at * height}px)`;
      element.style.height = `${height}px`;
      element.setAttribute('aria-posinset', String(at + 1));
      element.setAttribute('aria-setsize', String(this.#items.length));
      element.setAttribute('aria-selected', String(isSelected));
      element.replaceChildren(...render(item));
    }
    if (active) this.element.setAttribute('aria-activedescendant', active);
    else this.element.removeAttribute('aria-activedescendant');
  }

  #scrolled(): void {
    const { scrollTop, clientHeight, scrollHeight } = this.element;
    this.#isAtEnd = scrollTop + clientHeight >= scrollHeight - this.#options.rowHeight();
    this.draw();
  }

  #clicked(event: MouseEvent): void {
    const row = (event.target as Element).closest<HTMLElement>('[role=option]');
    const item = row?.dataset.at === undefined ? undefined : this.#items[Number(row.dataset.at)];
    if (item !== undefined) this.#choose(item);
  }

  #key(event: KeyboardEvent): void {
    const page = Math.max(1, Math.floor(this.element.clientHeight / this.#options.rowHeight()) - 1);
    const steps: Record<string, number> = {
      ArrowDown: 1,
      ArrowUp: -1,
      PageDown: page,
      PageUp: -page,
      Home: Number.NEGATIVE_INFINITY,
      End: Number.POSITIVE_INFINITY,
    };
    if (event.key === 'Escape' && this.#selected !== null) {
      event.stopPropagation();
      this.#selected = null;
      this.draw();
      this.#options.onSelect(null);
      return;
    }
    const step = steps[event.key];
    if (step === undefined || !this.#items.length) return;
    event.preventDefault();
    const now = this.#items.findIndex((item) => this.#options.idOf(item) === this.#selected);
    const from = now < 0 ? (step < 0 ? this.#items.length : -1) : now;
    const to = Math.min(this.#items.length - 1, Math.max(0, from + step));
    const item = this.#items[to];
    if (item === undefined) return;
    this.#reveal(to);
    this.#choose(item);
  }

  #choose(item: Item): void {
    this.#selected = this.#options.idOf(item);
    this.draw();
    this.#options.onSelect(item);
  }

  #reveal(at: number): void {
    const height = this.#options.rowHeight();
    const { scrollTop, clientHeight } = this.element;
    if (at * height < scrollTop) this.element.scrollTop = at * height;
    else if ((at + 1) * height > scrollTop + clientHeight) this.element.scrollTop = (at + 1) * height - clientHeight;
  }
}
