import type { ManagerSource } from '../client/connection-snapshot.ts';
import type { RealtimeStatus } from '../client/types.ts';
import type { ManagerEvent, RealtimeEvent, RealtimeObserver } from '../core/events.ts';
import { listSources, onSourcesChange, type Source } from '../core/sources.ts';
import type { BindingSource } from '../query/binding-source.ts';

/** One event as it was recorded. */
export interface Recorded {
  /** Counts the events of this recorder, from 1. */
  readonly id: number;
  /** Which manager or binding told it, such as `connection 1` or `queries 1`. */
  readonly source: string;
  readonly event: RealtimeEvent;
}

/** A manager that the recorder knows. One that never connected has no `source` to look into. */
export interface KnownManager {
  readonly label: string;
  readonly source: ManagerSource | null;
  readonly status: RealtimeStatus;
}

/** A bound query client that the recorder knows. */
interface KnownBinding {
  readonly label: string;
  readonly source: BindingSource;
}

/** What the recorder needs of a manager that has no connection yet. */
interface ObservableManager {
  readonly status: RealtimeStatus;
  observe(observer: RealtimeObserver<ManagerEvent>): () => void;
}

interface RecorderOptions {
  /** How many events are kept; older ones leave. @default 2_000 */
  readonly maxEvents?: number | undefined;
}

interface Following {
  readonly label: string;
  readonly end: () => void;
}

interface FollowedManager extends Following {
  readonly manager: ObservableManager;
  source: ManagerSource | null;
}

/** Disposed managers that are remembered. */
const MAX_DISPOSED = 4;
const DEFAULT_MANAGER = Symbol.for('@op/realtime.manager');

/**
 * Follows every manager and binding of the page and keeps the last events, so that devtools opened later show what happened before. Costs what observing costs:
 * an object per event.
 */
export class Recorder {
  readonly #maxEvents: number;
  #events: Recorded[] = [];
  #count = 0;
  #version = 0;
  #holds = 0;
  #endSources: (() => void) | null = null;
  readonly #managers = new Map<ObservableManager, FollowedManager>();
  readonly #bindings = new Map<BindingSource, Following>();
  /** Managers outside of the default slot that never connected: told of by the provider. */
  readonly #introduced = new Set<WeakRef<ObservableManager>>();
  #disposed: KnownManager[] = [];
  readonly #listeners = new Set<() => void>();
  /** Which events about a mutation were recorded: each binding of the tab tells them. */
  readonly #mutations = new WeakMap<object, Set<string>>();
  readonly #labels = new WeakMap<object, string>();
  readonly #numbers = new Map<string, number>();

  constructor({ maxEvents = 2_000 }: RecorderOptions = {}) {
    this.#maxEvents = maxEvents;
  }

  /** The last events, oldest first. The list grows; `version` tells whether it did. */
  get events(): readonly Recorded[] {
    return this.#events;
  }

  /** Another number after each change of anything. */
  get version(): number {
    return this.#version;
  }

  /** How many older events have left. */
  get dropped(): number {
    return this.#count - this.#events.length;
  }

  /** Records until the returned function was called as often as this. */
  hold(): () => void {
    if (this.#holds++ === 0) {
      this.#endSources = onSourcesChange(() => this.lookAround());
      this.lookAround();
    }
    let isHeld = true;
    return () => {
      if (!isHeld) return;
      isHeld = false;
      if (--this.#holds === 0) this.#stop();
    };
  }

  /** Tells of a manager that may have no connection yet, and is not the default one. */
  introduce(manager: ObservableManager): void {
    for (const known of this.#introduced) if (known.deref() === manager) return;
    this.#introduced.add(new WeakRef(manager));
    if (this.#holds) this.lookAround();
  }

  /** Looks for managers and bindings that came or went. A manager that makes no connection does not tell of itself. */
  lookAround(): void {
    const before = this.#followed();
    const sources = listSources();
    const managers = new Map<ObservableManager, ManagerSource | null>();
    const standard = (globalThis as { [DEFAULT_MANAGER]?: unknown })[DEFAULT_MANAGER];
    if (isObservable(standard)) managers.set(standard, null);
    for (const known of this.#introduced) {
      const manager = known.deref();
      if (!manager) this.#introduced.delete(known);
      else if (manager.status.state !== 'disposed') managers.set(manager, null);
    }
    for (const source of sources)
      if (isManagerSource(source) && isObservable(source.manager)) managers.set(source.manager, source);
    for (const [manager, followed] of this.#managers) if (!managers.has(manager)) this.#lost(manager, followed);
    for (const [manager, source] of managers) this.#followManager(manager, source);
    const bindings = new Set(sources.filter(isBindingSource));
    for (const [source, { end }] of this.#bindings)
      if (!bindings.has(source)) {
        end();
        this.#bindings.delete(source);
      }
    for (const source of bindings) this.#followBinding(source);
    const after = this.#followed();
    if (after.length !== before.length || after.some((one, at) => one !== before[at])) this.#notify();
  }

  /** Those that are there, and the last that were disposed of. */
  managers(): readonly KnownManager[] {
    const live = Array.from(this.#managers.values(), ({ label, source, manager }) => ({
      label,
      source,
      status: manager.status,
    }));
    return [...live, ...this.#disposed];
  }

  bindings(): readonly KnownBinding[] {
    return Array.from(this.#bindings, ([source, { label }]) => ({ label, source }));
  }

  /** Forgets the events, not those who tell them. */
  clear(): void {
    this.#events = [];
    this.#count = 0;
    this.#notify();
  }

  /** Calls back after each event, and when a manager or binding came or went. */
  subscribe(listener: () => void): () => void {
    const own = () => listener();
    this.#listeners.add(own);
    return () => this.#listeners.delete(own);
  }

  #followed(): readonly unknown[] {
    return [...this.#managers.values()]
      .flatMap(({ manager, source }): unknown[] => [manager, source])
      .concat(...this.#bindings.keys());
  }

  #followManager(manager: ObservableManager, source: ManagerSource | null): void {
    const known = this.#managers.get(manager);
    if (known) {
      known.source = source ?? known.source;
      return;
    }
    const label = this.#label('connection', manager);
    const end = manager.observe((event) => this.#record(label, event));
    this.#managers.set(manager, { label, manager, source, end });
  }

  #followBinding(source: BindingSource): void {
    if (this.#bindings.has(source)) return;
    const label = this.#label('queries', source);
    this.#bindings.set(source, { label, end: source.observe((event) => this.#record(label, event)) });
  }

  /** Only what can be shown of it is kept. */
  #lost(manager: ObservableManager, { label, end }: FollowedManager): void {
    end();
    this.#managers.delete(manager);
    if (manager.status.state === 'disposed')
      this.#disposed = [...this.#disposed, { label, source: null, status: manager.status }].slice(-MAX_DISPOSED);
  }

  #record(source: string, event: RealtimeEvent): void {
    if ('mutation' in event) {
      const told = this.#mutations.get(event.mutation) ?? new Set();
      if (told.has(event.type)) return;
      this.#mutations.set(event.mutation, told.add(event.type));
    }
    const id = ++this.#count;
    // Dropped in blocks: a shift per event would copy the list each time.
    if (this.#events.length >= this.#maxEvents * 1.25) this.#events = this.#events.slice(-this.#maxEvents);
    this.#events.push({ id, source, event });
    this.#notify();
  }

  #stop(): void {
    this.#endSources?.();
    for (const { end } of [...this.#managers.values(), ...this.#bindings.values()]) end();
    this.#managers.clear();
    this.#bindings.clear();
  }

  #label(kind: string, of: object): string {
    const known = this.#labels.get(of);
    if (known) return known;
    const number = (this.#numbers.get(kind) ?? 0) + 1;
    this.#numbers.set(kind, number);
    const label = `${kind} ${number}`;
    this.#labels.set(of, label);
    return label;
  }

  #notify(): void {
    this.#version++;
    for (const listener of [...this.#listeners]) listener();
  }
}

function isManagerSource(source: Source): source is ManagerSource {
  return source.kind === 'manager';
}

function isBindingSource(source: Source): source is BindingSource {
  return source.kind === 'binding';
}

export function isObservable(manager: unknown): manager is ObservableManager {
  return (
    typeof manager === 'object' && manager !== null && 'observe' in manager && typeof manager.observe === 'function'
  );
}
