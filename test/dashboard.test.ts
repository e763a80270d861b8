import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startBroker } from '../packages/broker/src/index.ts';
import { ROOT, readDocument } from './markdown.ts';

interface Panel {
  readonly type: string;
  readonly title: string;
  readonly gridPos: { readonly x: number; readonly y: number; readonly w: number; readonly h: number };
  readonly fieldConfig?: { readonly defaults: { readonly noValue?: string } };
  readonly targets?: readonly { readonly expr: string }[];
}
const { panels }: { panels: readonly Panel[] } = JSON.parse(
  readFileSync(join(ROOT, 'deploy/grafana/dashboard.json'), 'utf8'),
);
const graphs = panels.filter(({ type }) => type !== 'row');
const metrics = new Set(
  graphs.flatMap(({ targets = [] }) =>
    targets.flatMap(
      ({ expr }) =>
        expr.replace(/\bby \([^)]*\)/g, '').match(/\b(?:centrifugo|op_realtime|messaging)_\w+(?=[[)])/g) ?? [],
    ),
  ),
);

/** OpenTelemetry's names as Prometheus has them: dots become underscores, seconds and totals are said. */
const OURS = [
  'packages/realtime/src/server/telemetry.ts',
  'packages/realtime/src/outbox/relay-telemetry.ts',
  'packages/realtime/src/telemetry/instruments.ts',
].flatMap((path) =>
  [...readFileSync(join(ROOT, path), 'utf8').matchAll(/'((?:op\.realtime|messaging\.client)\.[\w.]+)'/g)].flatMap(
    ([, name = '']) => {
      const base = name.replaceAll('.', '_');
      return [`${base}_total`, `${base}_seconds_bucket`];
    },
  ),
);

describe('the dashboard', () => {
  let broker: Awaited<ReturnType<typeof startBroker>>;
  beforeAll(async () => {
    broker = await startBroker({ port: 0, httpApi: { key: 'key' }, prometheus: { enabled: true } });
    await fetch(`${broker.apiUrl}/info`, { method: 'POST', headers: { 'X-API-Key': 'key' }, body: '{}' });
  });
  afterAll(() => broker.close());

  it('asks for metrics that exist', async () => {
    const exported = await (await fetch(new URL('/metrics', broker.apiUrl))).text();
    const declared = new Set(
      [...exported.matchAll(/^# TYPE (\w+) (\w+)/gm)].flatMap(([, name = '', type]) =>
        type === 'summary' || type === 'histogram' ? [name, `${name}_sum`, `${name}_count`] : [name],
      ),
    );
    expect(metrics.size).toBeGreaterThan(20);
    expect([...metrics].filter((name) => !declared.has(name) && !OURS.includes(name))).toEqual([]);
  });

  it('says what is missing where there is no data', () => {
    for (const { title, fieldConfig } of graphs) expect(fieldConfig?.defaults.noValue, title).toMatch(/^Nothing yet: /);
  });

  it('has no panel on another', () => {
    const places = panels.map(({ gridPos: { x, y, w, h } }) => ({ x, y, right: x + w, bottom: y + h }));
    for (const [at, one] of places.entries())
      for (const other of places.slice(at + 1))
        expect(one.right <= other.x || other.right <= one.x || one.bottom <= other.y || other.bottom <= one.y).toBe(
          true,
        );
  });

  it('shows metrics that the page about them explains', () => {
    const page = readDocument('docs/observability.md');
    for (const name of metrics)
      if (!name.startsWith('centrifugo_')) {
        const told = [...page.matchAll(/`((?:op\.realtime|messaging\.client)\.[\w.]+)`/g)].map(([, each = '']) =>
          each.replaceAll('.', '_'),
        );
        expect(
          told.some((each) => name.startsWith(each)),
          name,
        ).toBe(true);
      }
  });
});
