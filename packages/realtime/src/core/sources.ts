/**
 * What lives in this page, for tools that come to it from outside, at any time and without being handed anything: connections and bindings enter themselves when they
 * are made. Held weakly. On `globalThis`, because bundlers may load this module several times.
 */
const SLOT = Symbol.for('@op/realtime.sources');

/** Something that can be looked at and observed; `kind` tells which it is. */
export interface Source {
  readonly kind: 'manager' | 'binding';
}

interface Sources {
  readonly all: Set<WeakRef<Source>>;
  readonly listeners: Set<() => void>;
}

function sources(): Sources {
  const scope = globalThis as { [SLOT]?: Sources };
  scope[SLOT] ??= { all: new Set(), listeners: new Set() };
  return scope[SLOT];
}

/** Enters a source. Returns its end. */
export function enterSource(source: Source): () => void {
  const { all } = sources();
  const entry = new WeakRef(source);
  all.add(entry);
  notify();
  return () => {
    if (all.delete(entry)) notify();
  };
}

/** Those that are there now, oldest first. */
export function listSources(): readonly Source[] {
  const { all } = sources();
  const found: Source[] = [];
  for (const entry of all) {
    const source = entry.deref();
    if (source) found.push(source);
    else all.delete(entry);
  }
  return found;
}

/** Calls back when one came or went. */
export function onSourcesChange(listener: () => void): () => void {
  const own = () => listener();
  sources().listeners.add(own);
  return () => sources().listeners.delete(own);
}

function notify(): void {
  for (const listener of [...sources().listeners]) listener();
}
