import { afterEach, expect, it } from 'vitest';
import { mountRealtimeDevtools } from './index.ts';
import { Recorder } from './recorder.ts';
import type { DevtoolsTheme } from './styles.ts';

/** What WCAG 2.2 asks of text of this size (1.4.3, AA). */
const LEAST = 4.5;
const GROUNDS = ['ground', 'raised', 'hover', 'chosen'];
const INKS = ['ink', 'soft', 'accent'];
const TONES = ['mutation', 'publication', 'stale', 'fetch', 'changed', 'wasted', 'failed', 'quiet'];

type Rgb = readonly number[];

let end = () => {};
afterEach(() => end());

it.each<DevtoolsTheme>(['light', 'dark'])('every word can be read on every ground it stands on: %s', (theme) => {
  end = mountRealtimeDevtools({ recorder: new Recorder(), theme });
  const root = document.querySelector('[data-op-realtime-devtools]')!.shadowRoot!;
  const probe = document.createElement('span');
  root.append(probe);
  const canvas = document.createElement('canvas').getContext('2d', { willReadFrequently: true })!;
  const colour = (css: string): Rgb => {
    probe.style.color = css;
    canvas.fillStyle = getComputedStyle(probe).color;
    canvas.fillRect(0, 0, 1, 1);
    return [...canvas.getImageData(0, 0, 1, 1).data].slice(0, 3);
  };
  const low: string[] = [];
  const judge = (what: string, ink: string, ground: string) => {
    const contrast = contrastOf(colour(ink), colour(ground));
    if (!(contrast >= LEAST)) low.push(`${what}: ${contrast.toFixed(2)}`);
  };
  for (const ground of GROUNDS) {
    for (const ink of [...INKS, ...TONES.map((tone) => `c-${tone}`)])
      judge(`${ink} on ${ground}`, `var(--${ink})`, `var(--${ground})`);
    // A pill is made of its own tone.
    for (const tone of TONES)
      judge(
        `pill ${tone} on ${ground}`,
        `var(--c-${tone})`,
        `color-mix(in srgb, var(--c-${tone}) 13%, var(--${ground}))`,
      );
  }
  expect(low).toEqual([]);
});

function contrastOf(a: Rgb, b: Rgb): number {
  const [dark = 0, light = 0] = [luminance(a), luminance(b)].sort((x, y) => x - y);
  return (light + 0.05) / (dark + 0.05);
}

function luminance(rgb: Rgb): number {
  const [red = 0, green = 0, blue = 0] = rgb.map((value) => {
    const share = value / 255;
    return share <= 0.03928 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}
