/** One line: its points from left to right. */
export interface Series {
  readonly name: string;
  readonly points: readonly (readonly [x: number, y: number])[];
}

export interface Chart {
  readonly title: string;
  readonly xLabel: string;
  readonly series: readonly Series[];
}

/** Per place of a series: for light and dark pages, told apart by lightness and by marker too. */
const COLORS = [
  ['#1d4ed8', '#7db3ff'],
  ['#c2410c', '#ffa866'],
  ['#6b7280', '#a3aab5'],
] as const;
const WIDTH = 460;
const HEIGHT = 300;
const PLOT = { left: 62, top: 44, right: WIDTH - 18, bottom: HEIGHT - 48 };
const LEGEND_HEIGHT = 40;
const COLUMNS = 2;

interface Axis {
  readonly ticks: readonly number[];
  readonly at: (value: number) => number;
}

const log = (value: number) => Math.log10(value);

/** A logarithmic axis. Ends at round figures: powers of ten, and 2 and 5 times those where few powers are in reach. */
function axis(values: readonly number[], from: number, to: number, isExact: boolean): Axis {
  const [low, high] = [Math.min(...values), Math.max(...values)];
  const steps = log(high) - log(low) > 2.5 ? [1] : [1, 2, 5];
  const round: number[] = [];
  for (let power = Math.floor(log(low)) - 1; power <= Math.ceil(log(high)) + 1; power++)
    for (const step of steps) round.push(step * 10 ** power);
  const first = isExact ? low : (round.findLast((value) => value <= low * 1.0001) ?? low);
  const last = isExact ? high : (round.find((value) => value >= high * 0.9999) ?? high);
  const ticks = isExact ? [...new Set(values)] : round.filter((value) => value >= first && value <= last);
  const scale = (to - from) / (log(last) - log(first));
  return { ticks, at: (value) => from + (log(value) - log(first)) * scale };
}

function short(value: number): string {
  if (value >= 1e6) return `${Number((value / 1e6).toPrecision(3))}M`;
  if (value >= 1e4) return `${Number((value / 1e3).toPrecision(3))}k`;
  return value.toLocaleString('en');
}

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;');
}

/** A point; each series has a shape of its own. */
function marker(series: number, x: number, y: number): string {
  const place = `class="f${series}"`;
  if (series === 0) return `<circle ${place} cx="${x}" cy="${y}" r="4"/>`;
  if (series === 1) return `<rect ${place} x="${x - 3.5}" y="${y - 3.5}" width="7" height="7"/>`;
  return `<path ${place} d="M${x} ${y - 4.5}l4.5 8h-9z"/>`;
}

const fixed = (value: number) => Number(value.toFixed(1));

function draw(chart: Chart, left: number, top: number): string {
  const points = chart.series.flatMap((series) => series.points);
  const x = axis(
    points.map(([value]) => value),
    PLOT.left,
    PLOT.right,
    true,
  );
  const y = axis(
    points.map(([, value]) => value),
    PLOT.bottom,
    PLOT.top,
    false,
  );
  const parts = [`<text class="title" x="${PLOT.left}" y="24">${escaped(chart.title)}</text>`];
  for (const tick of y.ticks) {
    const at = fixed(y.at(tick));
    parts.push(`<path class="grid" d="M${PLOT.left} ${at}H${PLOT.right}"/>`);
    parts.push(`<text class="end" x="${PLOT.left - 8}" y="${at + 4}">${short(tick)}</text>`);
  }
  for (const tick of x.ticks)
    parts.push(`<text class="mid" x="${fixed(x.at(tick))}" y="${PLOT.bottom + 18}">${short(tick)}</text>`);
  parts.push(`<path class="axis" d="M${PLOT.left} ${PLOT.bottom}H${PLOT.right}"/>`);
  parts.push(
    `<text class="mid" x="${(PLOT.left + PLOT.right) / 2}" y="${PLOT.bottom + 37}">${escaped(chart.xLabel)}</text>`,
  );
  // The first series is the one that the chart is about: it is drawn last, on top.
  for (const [at, series] of [...chart.series.entries()].reverse()) {
    const places = series.points.map(([px, py]) => [fixed(x.at(px)), fixed(y.at(py))] as const);
    parts.push(`<path class="line s${at}" d="M${places.map((place) => place.join(' ')).join('L')}"/>`);
    for (const [px, py] of places) parts.push(marker(at, px, py));
  }
  return `<g transform="translate(${left} ${top})">${parts.join('\n')}</g>`;
}

function style(): string {
  const colors = (theme: 0 | 1) =>
    COLORS.map((pair, at) => `.s${at}{stroke:${pair[theme]}}.f${at}{fill:${pair[theme]}}`).join('');
  return (
    `<style>text{font:12px system-ui,sans-serif;fill:#24292f}.title{font-weight:600;font-size:14px}.mid{text-anchor:middle}.end{text-anchor:end}` +
    `.page{fill:#fff}.grid{stroke:#d8dee4;fill:none}.axis{stroke:#57606a;fill:none}.line{fill:none;stroke-width:2}${colors(0)}` +
    `@media(prefers-color-scheme:dark){text{fill:#e6edf3}.page{fill:#0d1117}.grid{stroke:#30363d}.axis{stroke:#8b949e}${colors(1)}}</style>`
  );
}

/** Draws charts side by side as one SVG, axes logarithmic, with one legend: all charts have the same series. Fits light and dark pages. */
export function lineCharts(charts: readonly Chart[]): string {
  const width = WIDTH * Math.min(COLUMNS, charts.length);
  const height = LEGEND_HEIGHT + HEIGHT * Math.ceil(charts.length / COLUMNS);
  const legend = charts[0]!.series.map((series, at) => {
    const x = PLOT.left + at * 170;
    return `<path class="line s${at}" d="M${x} 22h28"/>${marker(at, x + 14, 22)}<text x="${x + 36}" y="26">${escaped(series.name)}</text>`;
  });
  const drawn = charts.map((chart, at) =>
    draw(chart, (at % COLUMNS) * WIDTH, LEGEND_HEIGHT + Math.floor(at / COLUMNS) * HEIGHT),
  );
  const description = charts.map(({ title, xLabel }) => `${title} by ${xLabel}`).join('; ');
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img" aria-label="${escaped(description)}">`,
    style(),
    `<rect class="page" width="${width}" height="${height}"/>`,
    ...legend,
    ...drawn,
    '</svg>\n',
  ].join('\n');
}
