/** `system` follows the reader's preference. */
export type DevtoolsTheme = 'system' | 'light' | 'dark';

/** Puts the styles into a shadow root. A sheet made by script is not stopped by a content security policy as a style element is. */
export function attachStyles(root: ShadowRoot, host: HTMLElement, theme: DevtoolsTheme = 'system'): void {
  const sheet = new CSSStyleSheet();
  sheet.replaceSync(CSS);
  root.adoptedStyleSheets = [sheet];
  host.style.setProperty('color-scheme', theme === 'system' ? 'light dark' : theme);
}

const CSS = `
:host {
  all: initial;
  --ground: light-dark(oklch(98.6% 0.004 170), oklch(19% 0.009 190));
  --raised: light-dark(oklch(100% 0 0), oklch(22.5% 0.01 190));
  --sunken: light-dark(oklch(96.4% 0.005 170), oklch(25.5% 0.012 190));
  --hover: light-dark(oklch(95.4% 0.008 165), oklch(26.5% 0.014 185));
  --chosen: light-dark(oklch(93.2% 0.028 165), oklch(30% 0.036 170));
  --ink: light-dark(oklch(26% 0.014 190), oklch(93% 0.006 170));
  --soft: light-dark(oklch(47% 0.014 190), oklch(74% 0.012 180));
  --line: light-dark(oklch(91% 0.007 180), oklch(30% 0.012 190));
  --accent: light-dark(oklch(47% 0.09 163), oklch(80% 0.105 163));
  --c-mutation: light-dark(oklch(49% 0.17 295), oklch(77% 0.12 295));
  --c-publication: light-dark(oklch(46% 0.12 245), oklch(77% 0.1 240));
  --c-stale: light-dark(oklch(47.5% 0.1 70), oklch(82% 0.12 82));
  --c-fetch: light-dark(oklch(47% 0.05 200), oklch(78% 0.05 200));
  --c-changed: light-dark(oklch(46.5% 0.1 160), oklch(80% 0.12 160));
  --c-live: var(--c-changed);
  --c-wasted: light-dark(oklch(48.5% 0.17 5), oklch(76% 0.14 5));
  --c-failed: light-dark(oklch(49% 0.19 28), oklch(75% 0.14 28));
  --c-quiet: var(--soft);
  --mono: ui-monospace, SFMono-Regular, Menlo, Consolas, "Liberation Mono", monospace;
}
* { box-sizing: border-box; margin: 0; padding: 0; }
button, input { font: inherit; color: inherit; background: none; border: 0; }
button { cursor: pointer; }
ol, ul { list-style: none; }
[hidden] { display: none !important; }
:focus-visible { outline: 2px solid var(--accent); outline-offset: -2px; }
svg { width: 16px; height: 16px; flex: none; fill: none; stroke: currentColor; stroke-width: 1.5; stroke-linecap: round; stroke-linejoin: round; }

[data-tone=mutation] { --tone: var(--c-mutation); }
[data-tone=publication] { --tone: var(--c-publication); }
[data-tone=stale] { --tone: var(--c-stale); }
[data-tone=fetch] { --tone: var(--c-fetch); }
[data-tone=changed] { --tone: var(--c-changed); }
[data-tone=live] { --tone: var(--c-live); }
[data-tone=wasted] { --tone: var(--c-wasted); }
[data-tone=failed] { --tone: var(--c-failed); }
[data-tone=quiet] { --tone: var(--c-quiet); }

.launcher, .drawer, .panel {
  font: 12.5px/1.45 Inter, -apple-system, BlinkMacSystemFont, "Segoe UI", Roboto, "Liberation Sans", system-ui, sans-serif;
  color: var(--ink);
  -webkit-font-smoothing: antialiased;
  letter-spacing: 0;
}
.launcher {
  position: fixed;
  z-index: 99999;
  display: grid;
  place-items: center;
  width: 38px;
  height: 38px;
  border-radius: 50%;
  border: 1px solid var(--line);
  background: var(--raised);
  box-shadow: 0 2px 10px oklch(20% 0.02 190 / 16%);
  transition: transform 120ms ease;
}
.launcher:hover { transform: scale(1.06); }
.launcher:focus-visible { outline-offset: 2px; }
.launcher svg { width: 20px; height: 20px; color: var(--accent); }
.launcher .lamp { position: absolute; right: 0; top: 0; width: 10px; height: 10px; border: 2px solid var(--raised); }
.launcher[data-position^=bottom] { bottom: var(--op-realtime-devtools-inset, 16px); }
.launcher[data-position^=top] { top: var(--op-realtime-devtools-inset, 16px); }
.launcher[data-position$=right] { right: 16px; }
.launcher[data-position$=left] { left: 16px; }
.lamp { display: inline-block; width: 8px; height: 8px; border-radius: 50%; background: var(--tone, var(--soft)); flex: none; }

.drawer {
  position: fixed;
  z-index: 99999;
  inset: auto 0 0 0;
  height: var(--height, 360px);
  max-height: 90vh;
  box-shadow: 0 -8px 32px oklch(20% 0.02 190 / 14%);
}
.handle { position: absolute; z-index: 2; inset: -4px 0 auto 0; height: 8px; cursor: ns-resize; touch-action: none; }
.handle::after { content: ""; position: absolute; inset: 3px 0 auto 0; height: 2px; background: transparent; transition: background 120ms; }
.handle:hover::after, .handle:focus-visible::after { background: var(--accent); }
.handle:focus-visible { outline: none; }

.panel {
  container-type: inline-size;
  display: flex;
  flex-direction: column;
  height: 100%;
  background: var(--ground);
  border-top: 1px solid var(--line);
  overflow: hidden;
}
.bar { display: flex; align-items: center; gap: 18px; height: 42px; padding: 0 8px 0 14px; border-bottom: 1px solid var(--line); background: var(--raised); flex: none; }
.brand { display: flex; align-items: center; gap: 8px; min-width: 0; }
.brand svg { color: var(--accent); width: 18px; height: 18px; }
.brand b { font-weight: 640; letter-spacing: -0.01em; font-size: 13px; }
.status { display: inline-flex; align-items: center; gap: 6px; color: var(--soft); white-space: nowrap; }
.status::before { content: ""; width: 7px; height: 7px; border-radius: 50%; background: var(--tone, var(--soft)); }
.tabs { display: flex; gap: 2px; align-self: stretch; min-width: 0; overflow-x: auto; scrollbar-width: none; }
.tabs button { position: relative; padding: 0 10px; color: var(--soft); white-space: nowrap; }
.tabs button:hover { color: var(--ink); }
.tabs button[aria-selected=true] { color: var(--ink); font-weight: 600; }
.tabs button::before { content: attr(data-name); display: block; height: 0; overflow: hidden; visibility: hidden; font-weight: 600; }
.tabs button[aria-selected=true]::after { content: ""; position: absolute; inset: auto 10px -1px 10px; height: 2px; border-radius: 2px; background: var(--accent); }
.actions { display: flex; gap: 2px; margin-left: auto; }
.icon-button { display: grid; place-items: center; width: 30px; height: 30px; border-radius: 7px; color: var(--soft); flex: none; }
.icon-button:hover { background: var(--hover); color: var(--ink); }
.icon-button[aria-pressed=true] { background: var(--chosen); color: var(--accent); }
.body { position: relative; flex: 1; min-height: 0; }
.view { display: flex; flex-direction: column; height: 100%; }

.toolbar { display: flex; align-items: center; gap: 10px; padding: 8px 14px; flex: none; }
.filter { flex: 0 1 280px; min-width: 120px; height: 28px; padding: 0 10px; border: 1px solid var(--line); border-radius: 8px; background: var(--raised); }
.filter::placeholder { color: var(--soft); opacity: 1; }
.toggles { display: flex; gap: 4px; overflow-x: auto; scrollbar-width: none; }
.toggle { height: 26px; padding: 0 10px; border-radius: 13px; color: var(--soft); white-space: nowrap; border: 1px solid transparent; }
.toggle:hover { background: var(--hover); }
.toggle[aria-pressed=true] { color: var(--ink); background: var(--sunken); border-color: var(--line); }

.columns { display: grid; align-items: center; column-gap: 14px; height: 100%; padding: 0 14px; grid-template-columns: 84px minmax(200px, 1.3fr) 104px minmax(110px, 1fr) 92px minmax(120px, 180px) 72px; }
.queries .columns { grid-template-columns: minmax(160px, 1fr) 110px 72px 70px 80px; }
.channels .columns { grid-template-columns: minmax(150px, 1fr) 90px 90px 110px 210px 150px; }
.columns > * { min-width: 0; overflow: hidden; text-overflow: ellipsis; white-space: nowrap; }
.head { height: 26px; flex: none; color: var(--soft); font-size: 11.5px; border-bottom: 1px solid var(--line); }
.split { flex: 1; min-height: 0; display: flex; }
.table { flex: 1; min-width: 0; display: flex; flex-direction: column; container-type: inline-size; }
.list { flex: 1; min-width: 0; min-height: 0; overflow-y: auto; overflow-anchor: none; position: relative; }
.sizer { position: relative; }
.row { position: absolute; inset: 0 0 auto 0; border-bottom: 1px solid color-mix(in oklab, var(--line) 55%, transparent); cursor: default; contain: strict; }
.row:hover { background: var(--hover); }
.row[aria-selected=true] { background: var(--chosen); }
.time, .mono, .step-time, .took, .number, .flow { font-size: 12px; font-variant-numeric: tabular-nums; }
.time, .soft, .step-time { color: var(--soft); }
.took { text-align: right; }
.head > :last-child:nth-child(7) { text-align: right; }
.what { display: flex; align-items: center; gap: 8px; }
.what svg { color: var(--tone); }
.name { font-weight: 560; overflow: hidden; text-overflow: ellipsis; white-space: nowrap; }
.what .soft { overflow: hidden; text-overflow: ellipsis; flex: 0 100 auto; min-width: 0; }
.what .name { flex: 0 1 auto; min-width: 0; }

.flow { display: flex; align-items: center; gap: 7px; color: var(--tone, var(--soft)); }
.flow i { flex: none; width: 7px; height: 7px; border-radius: 50%; background: var(--tone); }
.flow span { min-width: 0; overflow: hidden; text-overflow: ellipsis; }
.flow::after { content: ""; flex: 1; min-width: 8px; height: 1px; background: var(--line); margin-right: -14px; }
.row[aria-selected=true] .flow::after { background: color-mix(in oklab, var(--soft) 40%, transparent); }
.flow[data-tone=none] { visibility: hidden; }
.flow[data-tone=none]:has(~ .flow:not([data-tone=none])) { visibility: visible; }
.flow[data-tone=none] i { display: none; }
.flow[data-tone=none]::after { display: none; }
.results { display: flex; gap: 4px; }
.pill { display: inline-flex; align-items: center; height: 20px; padding: 0 8px; border-radius: 10px; font-size: 11.5px; font-weight: 560; white-space: nowrap; color: var(--tone); background: color-mix(in oklab, var(--tone) 13%, transparent); }
.pill[data-tone=wasted] { background: repeating-linear-gradient(-45deg, color-mix(in oklab, var(--tone) 20%, transparent) 0 3px, color-mix(in oklab, var(--tone) 8%, transparent) 3px 6px); }

.totals { display: flex; align-items: center; gap: 16px; height: 30px; padding: 0 14px; border-top: 1px solid var(--line); color: var(--soft); flex: none; overflow: hidden; white-space: nowrap; }
.total b { color: var(--tone, var(--ink)); font-weight: 640; font-variant-numeric: tabular-nums; }
.totals:empty { display: none; }
.end { margin-left: auto; }

.detail { flex: 0 0 min(400px, 46%); display: flex; flex-direction: column; border-left: 1px solid var(--line); background: var(--raised); min-height: 0; }
.detail-head { display: flex; align-items: center; gap: 8px; padding: 6px 6px 6px 16px; border-bottom: 1px solid var(--line); flex: none; }
.detail-head h3 { flex: 1; font-size: 12.5px; font-weight: 640; overflow-wrap: anywhere; max-height: 3.1em; overflow: hidden; }
.detail-body { flex: 1; overflow-y: auto; padding: 14px 16px 18px; }
.detail-body > * + * { margin-top: 8px; }
.detail-body h4, .card h4 { margin-top: 18px; font-size: 11.5px; font-weight: 600; color: var(--soft); overflow-wrap: anywhere; }
.lead { overflow-wrap: anywhere; }
.facts { display: grid; grid-template-columns: auto 1fr; gap: 4px 16px; }
.facts dt { color: var(--soft); }
.facts dd { font-variant-numeric: tabular-nums; overflow-wrap: anywhere; min-width: 0; }
code { font-family: var(--mono); font-size: 11.5px; overflow-wrap: anywhere; }
.plain li { display: flex; align-items: baseline; gap: 10px; padding: 3px 0; min-width: 0; }
.plain li > :last-child { min-width: 0; overflow-wrap: anywhere; }
.steps li { position: relative; display: grid; grid-template-columns: 58px 1fr; gap: 26px; padding-bottom: 14px; }
.steps li::before { content: ""; position: absolute; left: 68px; top: 5px; width: 8px; height: 8px; border-radius: 50%; background: var(--tone); }
.steps li::after { content: ""; position: absolute; left: 71.5px; top: 17px; bottom: -1px; width: 1px; background: var(--line); }
.steps li:last-child::after { display: none; }
.steps li[data-tone=wasted]::before { background: none; border: 2px solid var(--tone); }
.steps strong { font-weight: 580; overflow-wrap: anywhere; }
.steps p { color: var(--soft); overflow-wrap: anywhere; }
.step-time { text-align: right; padding-top: 1px; white-space: nowrap; }

.note { max-width: 440px; padding: 40px 20px; margin: 0 auto; text-align: center; }
.note strong { font-weight: 620; }
.note p { margin-top: 6px; color: var(--soft); }
.empty:empty { display: none; }
.cards { flex-direction: row; flex-wrap: wrap; align-content: flex-start; gap: 14px; padding: 14px; overflow-y: auto; }
.card { flex: 1 1 340px; max-width: 620px; padding: 16px 18px; border: 1px solid var(--line); border-radius: 12px; background: var(--raised); }
.card header { display: flex; align-items: center; gap: 9px; }
.card h3 { font-size: 15px; font-weight: 640; letter-spacing: -0.01em; }
.card .lead { margin: 6px 0 14px; color: var(--soft); }
.pings { display: flex; align-items: baseline; gap: 12px; }
.bars { display: flex; align-items: flex-end; gap: 2px; }
.bars i { width: 4px; height: calc(var(--height) * 12px); border-radius: 1px; background: color-mix(in oklab, var(--tone) 60%, transparent); }

@container (max-width: 940px) {
  .columns { grid-template-columns: 84px minmax(130px, 1fr) 76px minmax(90px, 150px) minmax(110px, 150px); column-gap: 12px; }
  .timeline .columns > :nth-child(5) { display: none; }
  .timeline .columns > :nth-child(7) { display: none; }
  .queries .columns { grid-template-columns: minmax(140px, 1fr) 104px 72px 62px; }
  .queries .columns > :nth-child(5) { display: none; }
  .channels .columns { grid-template-columns: minmax(140px, 1fr) 84px 70px 190px; }
  .channels .columns > :nth-child(4), .channels .columns > :nth-child(6) { display: none; }
}
@container (max-width: 639px) {
  .bar { flex-wrap: wrap; height: auto; gap: 0; padding: 4px 6px 0 12px; }
  .actions { order: 2; }
  .tabs { order: 3; flex: 1 0 100%; height: 34px; margin: 0 -6px; }
  .toolbar { flex-wrap: wrap; gap: 6px; padding: 8px 12px; }
  .filter { flex: 1 0 150px; height: 30px; }
  .toggles { flex: 1 0 auto; max-width: 100%; }
  .view .head { display: none; }
  .view .columns { grid-template: "what what results" 22px "time flow took" 20px / auto 1fr auto; align-content: center; column-gap: 10px; padding: 0 12px; row-gap: 2px; }
  .view .columns > .what { grid-area: what; }
  .view .columns > .results { grid-area: results; justify-content: flex-end; }
  .view .columns > .time { grid-area: time; }
  .view .columns > .flow, .view .columns > .took { display: none; }
  .view .columns > .flow[data-tone=stale] { display: flex; grid-area: flow; }
  .flow::after { display: none; }
  .queries .columns, .channels .columns { grid-template: "name state" 22px "sub sub" 20px / 1fr auto; }
  .view .columns > .name { grid-area: name; }
  .view .columns > .name + span { grid-area: state; }
  .view .columns > .name ~ .soft { grid-area: sub; display: none; }
  .channels .columns > .mono { display: none; }
  .channels .columns > :nth-child(5).soft { display: block; }
  .queries .columns > .time { grid-area: sub; }
  .queries .columns > .number { display: none; }
  .detail { position: absolute; inset: 0; z-index: 3; border-left: 0; }
  .panel { position: relative; }
  .totals { gap: 12px; }
  .totals .end { display: none; }
}
@media (prefers-reduced-motion: reduce) { * { transition: none !important; } }
@media (forced-colors: active) { .lamp, .flow i, .steps li::before, .status::before { forced-color-adjust: none; } }
`;
