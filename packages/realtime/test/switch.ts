/** A source that a test switches: whether the tab is looked at, whether it has a network. Fits TanStack's `focusManager` and `onlineManager`. */
export class Switch {
  readonly #listeners = new Set<() => void>();
  on = true;
  readonly isFocused = () => this.on;
  readonly isOnline = () => this.on;
  readonly subscribe = (listener: () => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };

  set(on: boolean): void {
    this.on = on;
    for (const listener of [...this.#listeners]) listener();
  }

  get listeners(): number {
    return this.#listeners.size;
  }
}
