import { ChannelsView } from './channels-view.ts';
import { ConnectionView } from './connection-view.ts';
import { h, icon } from './element.ts';
import { eventsToJson } from './events-to-json.ts';
import { overallState } from './overall-state.ts';
import { QueriesView } from './queries-view.ts';
import type { Recorder } from './recorder.ts';
import { TimelineView } from './timeline-view.ts';
import type { View } from './view.ts';

/** What is drawn again and again without an event: times that pass, queries that become live. */
const TICK_MS = 500;
/** Between two drawings at least; events come in bursts. */
const MIN_DRAW_MS = 80;

interface PanelOptions {
  /** Gives the panel a button to close it. */
  readonly onClose?: (() => void) | undefined;
}

/** The devtools themselves: tabs over one recorder. Works without any framework; put `element` where it shall be. */
export class Panel {
  readonly element: HTMLElement;
  readonly #recorder: Recorder;
  readonly #timeline: TimelineView;
  readonly #views: readonly View[];
  readonly #tabs: HTMLElement[];
  readonly #body = h('div', { class: 'body' });
  readonly #status = h('span', { class: 'status', role: 'status' });
  readonly #ends: (() => void)[] = [];
  #current = 0;
  #frame = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #drawnAt = Number.NEGATIVE_INFINITY;

  constructor(recorder: Recorder, { onClose }: PanelOptions = {}) {
    this.#recorder = recorder;
    this.#timeline = new TimelineView(recorder);
    this.#views = [this.#timeline, new QueriesView(recorder), new ChannelsView(recorder), new ConnectionView(recorder)];
    this.#tabs = this.#views.map(({ name }, at) =>
      h('button', {
        type: 'button',
        role: 'tab',
        id: `op-rt-tab-${at}`,
        'aria-controls': 'op-rt-body',
        'data-name': name,
        text: name,
        onclick: () => this.#show(at),
      }),
    );
    this.#body.id = 'op-rt-body';
    this.#body.setAttribute('role', 'tabpanel');
    const tabs = h(
      'div',
      {
        class: 'tabs',
        role: 'tablist',
        'aria-label': 'Realtime devtools',
        onkeydown: (event: KeyboardEvent) => this.#tabKey(event),
      },
      ...this.#tabs,
    );
    const brand = h('span', { class: 'brand' }, icon('signal'), h('b', { text: 'Realtime' }), this.#status);
    this.element = h(
      'section',
      { class: 'panel', 'aria-label': 'Realtime devtools' },
      h('header', { class: 'bar' }, brand, tabs, this.#actions(onClose)),
      this.#body,
    );
    this.#ends.push(
      recorder.hold(),
      recorder.subscribe(() => this.#soon()),
    );
    const resize = new ResizeObserver(() => this.#soon());
    resize.observe(this.element);
    this.#ends.push(() => resize.disconnect());
    this.#tick();
    this.#show(0);
  }

  /** Puts the focus where the keyboard begins. */
  focus(): void {
    this.#tabs[this.#current]?.focus();
  }

  dispose(): void {
    for (const end of this.#ends.splice(0)) end();
    clearTimeout(this.#timer);
    cancelAnimationFrame(this.#frame);
    this.element.remove();
  }

  #show(at: number): void {
    this.#current = at;
    for (const [index, tab] of this.#tabs.entries()) {
      tab.setAttribute('aria-selected', String(index === at));
      tab.tabIndex = index === at ? 0 : -1;
    }
    this.#body.setAttribute('aria-labelledby', `op-rt-tab-${at}`);
    const view = this.#views[at];
    if (view) this.#body.replaceChildren(view.element);
    this.#drawnAt = Number.NEGATIVE_INFINITY;
    this.#soon();
  }

  #tabKey(event: KeyboardEvent): void {
    const count = this.#tabs.length;
    const to = { ArrowRight: this.#current + 1, ArrowLeft: this.#current - 1 + count, Home: 0, End: count - 1 }[
      event.key
    ];
    if (to === undefined) return;
    event.preventDefault();
    this.#show(to % count);
    this.focus();
  }

  #actions(onClose: (() => void) | undefined): HTMLElement {
    let isHeld = false;
    const hold = button('pause', 'Hold the timeline still', () => {
      isHeld = !isHeld;
      hold.setAttribute('aria-pressed', String(isHeld));
      hold.title = isHeld ? 'Let the timeline go on' : 'Hold the timeline still';
      hold.setAttribute('aria-label', hold.title);
      hold.replaceChildren(icon(isHeld ? 'play' : 'pause'));
      this.#timeline.hold(isHeld);
    });
    hold.setAttribute('aria-pressed', 'false');
    const clear = button('clear', 'Forget what happened', () => {
      if (isHeld) hold.click();
      this.#recorder.clear();
    });
    const copy = button('copy', 'Copy the events as JSON', () => void this.#copy(copy));
    return h('div', { class: 'actions' }, hold, clear, copy, ...(onClose ? [button('close', 'Close', onClose)] : []));
  }

  async #copy(from: HTMLElement): Promise<void> {
    const text = eventsToJson(this.#timeline.shownEvents());
    const say = (name: 'check' | 'close', title: string) => {
      from.replaceChildren(icon(name));
      from.title = title;
      setTimeout(() => {
        from.replaceChildren(icon('copy'));
        from.title = 'Copy the events as JSON';
      }, 1_500);
    };
    try {
      await navigator.clipboard.writeText(text);
      say('check', 'Copied');
    } catch {
      // Not allowed here: no secure page, or no permission. The console can always be copied from.
      console.info(text);
      say('close', 'The clipboard is not allowed here: see the console');
    }
  }

  #tick(): void {
    this.#timer = setTimeout(() => {
      this.#recorder.lookAround();
      this.#soon();
      this.#tick();
    }, TICK_MS);
  }

  #soon(): void {
    if (this.#frame || !this.element.isConnected) return;
    this.#frame = requestAnimationFrame((now) => {
      this.#frame = 0;
      if (now - this.#drawnAt < MIN_DRAW_MS) {
        this.#soon();
        return;
      }
      this.#drawnAt = now;
      this.#draw();
    });
  }

  #draw(): void {
    const { text, tone } = overallState(this.#recorder.managers());
    if (this.#status.textContent !== text) this.#status.textContent = text; // it is read aloud
    this.#status.dataset.tone = tone;
    this.#views[this.#current]?.update();
  }
}

function button(name: Parameters<typeof icon>[0], title: string, onclick: () => void): HTMLButtonElement {
  return h('button', { class: 'icon-button', type: 'button', title, 'aria-label': title, onclick }, icon(name));
}
