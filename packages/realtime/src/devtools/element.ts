type Child = Node | string | null | false | undefined;

/** Attributes by name; `class`, `text` and listeners (`onclick`) as well. `null`, `false` and `undefined` are left out. */
type Attributes = Readonly<Record<string, string | number | boolean | null | undefined | ((event: never) => void)>>;

/** Makes an element. Text goes in as text, never as HTML: names and messages come from the outside. */
export function h<Tag extends keyof HTMLElementTagNameMap>(
  tag: Tag,
  attributes: Attributes = {},
  ...children: readonly Child[]
): HTMLElementTagNameMap[Tag] {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === false || value === undefined) continue;
    if (typeof value === 'function') element.addEventListener(name.slice(2), value as (event: Event) => void);
    else if (name === 'text') element.textContent = String(value);
    else element.setAttribute(name, value === true ? '' : String(value));
  }
  for (const child of children) if (child) element.append(child);
  return element;
}

/** Line icons on a grid of 16. */
const ICONS = {
  signal: 'M8 8h.01M5.2 10.8a4 4 0 0 1 0-5.6M10.8 5.2a4 4 0 0 1 0 5.6M3 13a7 7 0 0 1 0-10M13 3a7 7 0 0 1 0 10',
  pause: 'M5.5 3.5v9M10.5 3.5v9',
  play: 'M5 3.2v9.6L12.6 8z',
  clear: 'M3 4.5h10M6.5 4V2.8h3V4M4.4 4.5l.6 8.7h6l.6-8.7',
  copy: 'M5.5 5.5V3h7.5v7.5h-2.5M3 5.5h7.5V13H3z',
  close: 'M4 4l8 8M12 4l-8 8',
  check: 'M3.2 8.4l3.1 3.1 6.5-7',
  mutation: 'M3 11.8l6.6-6.6 2.2 2.2L5.2 14H3zM8.4 6.4l2.2 2.2M11 3.8l2.2 2.2',
  publication: 'M2.5 6.2v3.6h2.2L9 13V3L4.7 6.2zM11.4 5.6a3.4 3.4 0 0 1 0 4.8M13.2 3.8a6 6 0 0 1 0 8.4',
  gap: 'M2.5 8h3.2M10.3 8h3.2M7 5.2v5.6M9 5.2v5.6',
  fetch: 'M12.8 6.2A5 5 0 1 0 13 8.6M13 3v3.4H9.6',
  connection: 'M6.4 9.6l3.2-3.2M7.4 4.6l1.2-1.2a2.8 2.8 0 0 1 4 4l-1.2 1.2M8.6 11.4l-1.2 1.2a2.8 2.8 0 0 1-4-4l1.2-1.2',
  back: 'M9.5 3.5L5 8l4.5 4.5',
} as const;

export type IconName = keyof typeof ICONS;

export function icon(name: IconName): SVGSVGElement {
  const svg = document.createElementNS('http://www.w3.org/2000/svg', 'svg');
  svg.setAttribute('viewBox', '0 0 16 16');
  svg.setAttribute('aria-hidden', 'true');
  const path = document.createElementNS('http://www.w3.org/2000/svg', 'path');
  path.setAttribute('d', ICONS[name]);
  svg.append(path);
  return svg;
}
