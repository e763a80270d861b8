/** One tab of the panel. */
export interface View {
  readonly name: string;
  readonly element: HTMLElement;
  /** Draws what changed. Called often; cheap where nothing did. */
  update(): void;
}
