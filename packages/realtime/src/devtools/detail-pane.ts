import { h, icon } from './element.ts';

/** A list with the details of the selected row beside it; in a narrow panel they cover the list. */
export class DetailPane {
  readonly element: HTMLElement;
  readonly #pane = h('section', { class: 'detail', 'aria-live': 'off' });
  readonly #body = h('div', { class: 'detail-body', tabindex: 0 });
  readonly #heading = h('h3');
  #drawn = '';

  constructor(head: HTMLElement, list: HTMLElement, onClose: () => void) {
    const close = () => {
      onClose();
      list.focus();
    };
    const button = h(
      'button',
      {
        class: 'icon-button',
        type: 'button',
        title: 'Close the details',
        'aria-label': 'Close the details',
        onclick: close,
      },
      icon('close'),
    );
    this.#pane.append(h('header', { class: 'detail-head' }, this.#heading, button), this.#body);
    this.#pane.addEventListener('keydown', (event) => {
      if (event.key !== 'Escape') return;
      event.stopPropagation();
      close();
    });
    this.element = h('div', { class: 'split' }, h('div', { class: 'table' }, head, list), this.#pane);
    this.hide();
  }

  /** @param version changes when there is something new to draw */
  show(title: string, version: string, body: () => readonly Node[]): void {
    this.#pane.hidden = false;
    this.element.classList.add('has-detail');
    const drawn = `${title}\n${version}`;
    if (drawn === this.#drawn) return;
    this.#drawn = drawn;
    this.#heading.textContent = title;
    this.#pane.setAttribute('aria-label', title);
    const { scrollTop } = this.#body;
    this.#body.replaceChildren(...body());
    this.#body.scrollTop = scrollTop;
  }

  hide(): void {
    this.#pane.hidden = true;
    this.#drawn = '';
    this.element.classList.remove('has-detail');
  }
}

/** The names of a table's columns. Only for the eye: rows are read as a whole. */
export function columnHead(...names: readonly string[]): HTMLElement {
  return h('div', { class: 'columns head', 'aria-hidden': 'true' }, ...names.map((text) => h('span', { text })));
}

/** Names and values, one below the other. */
export function facts(entries: readonly (readonly [name: string, value: string | Node | null])[]): HTMLElement {
  return h(
    'dl',
    { class: 'facts' },
    ...entries.flatMap(([name, value]) => (value === null ? [] : [h('dt', { text: name }), h('dd', {}, value)])),
  );
}

export function heading(text: string): HTMLElement {
  return h('h4', { text });
}

export function pill(tone: string, text: string): HTMLElement {
  return h('span', { class: 'pill', 'data-tone': tone, text });
}

/** What is shown where there is nothing. */
export function emptyNote(title: string, ...lines: readonly string[]): HTMLElement {
  return h('div', { class: 'note' }, h('strong', { text: title }), ...lines.map((line) => h('p', { text: line })));
}

/** What every tab shows in a page that uses nothing of this library yet. */
export function noManagerNote(): HTMLElement {
  return emptyNote(
    'No RealtimeManager in this page yet',
    'Call RealtimeManager.initialize({ wsUrl, getToken }), or put a RealtimeProvider around the app. This fills by itself as soon as there is one.',
  );
}
