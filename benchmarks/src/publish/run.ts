import { once } from 'node:events';
import { mkdirSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import { Channels, createRealtime } from '@op/realtime/server';
import { API_KEY, TOKEN_SECRET } from '../broker/settings.ts';
import { startTarget, type TargetName, versionOf } from '../broker/targets.ts';
import { describeMachine } from '../measure/machine.ts';
import { percentile, spread } from '../measure/statistics.ts';

const RESULTS = fileURLToPath(new URL('../../results/', import.meta.url));
const CALLS_PER_ROUND = 2000;

/** What `realtime.publish` costs over a bare keep-alive `fetch` to the same API, and how many requests a burst takes. */
export async function benchPublish({ rounds }: { readonly rounds: number }): Promise<void> {
  const targetName: TargetName = process.env.CENTRIFUGO_BIN ? 'centrifugo' : 'embedded';
  const target = await startTarget(targetName);
  const apiUrl = `http://127.0.0.1:${target.port}/api`;
  const realtime = createRealtime({ apiUrl, apiKey: API_KEY, tokenSecret: TOKEN_SECRET });
  const channel = Channels.org(1);
  const message = { type: 'query-invalidation', queryKey: ['posts', 'list'] } as const;
  const body = JSON.stringify({ channel, data: message });
  const headers = { 'content-type': 'application/json', 'x-api-key': API_KEY };

  const bare = async () => {
    const response = await fetch(`${apiUrl}/publish`, { method: 'POST', headers, body });
    await response.json();
  };
  const ours = () => realtime.publish(channel, message);

  try {
    await p50s(bare, ours);
    const ratios: number[] = [];
    const micros: { bare: number[]; ours: number[] } = { bare: [], ours: [] };
    for (let round = 0; round < rounds; round++) {
      const [a, b] = await p50s(bare, ours);
      micros.bare.push(a);
      micros.ours.push(b);
      ratios.push(b / a);
    }
    const requests = await requestsForBurst(1000);
    const ratio = spread(ratios);
    const overheadPercent = (ratio.median - 1) * 100;
    process.stdout.write(`publish to ${versionOf(targetName)}, one after the other, p50 over ${rounds} rounds\n`);
    process.stdout.write(`  bare fetch        ${spread(micros.bare).median.toFixed(0)} µs\n`);
    process.stdout.write(`  realtime.publish  ${spread(micros.ours).median.toFixed(0)} µs\n`);
    process.stdout.write(
      `  overhead ${overheadPercent.toFixed(1)} % (ratio ${ratio.min.toFixed(3)}..${ratio.max.toFixed(3)}), target ≤ 10 %\n`,
    );
    process.stdout.write(`  1,000 publishes in one tick: ${requests} requests, target ≤ 10\n`);
    mkdirSync(RESULTS, { recursive: true });
    const result = {
      machine: describeMachine(),
      target: versionOf(targetName),
      rounds,
      ratio,
      micros,
      requestsForThousand: requests,
    };
    writeFileSync(`${RESULTS}publish.json`, `${JSON.stringify(result, null, 2)}\n`);
  } finally {
    await target.stop();
  }
}

/** Median times of one call each in microseconds. The two take turns, call by call, so that what else the machine does meets both. */
async function p50s(one: () => Promise<unknown>, other: () => Promise<unknown>): Promise<[number, number]> {
  const times: [number[], number[]] = [[], []];
  for (let at = 0; at < CALLS_PER_ROUND * 2; at++) {
    const turn = at % 2 ? 1 : 0;
    const start = performance.now();
    await (turn ? other : one)();
    times[turn].push((performance.now() - start) * 1000);
  }
  return [percentile(times[0], 50), percentile(times[1], 50)];
}

async function requestsForBurst(count: number): Promise<number> {
  let requests = 0;
  const server = createServer((request, response) => {
    requests++;
    let text = '';
    request.on('data', (part) => {
      text += part;
    });
    request.on('end', () => {
      const { commands } = JSON.parse(text) as { commands?: unknown[] };
      const result = { offset: 1, epoch: 'e' };
      response.setHeader('content-type', 'application/json');
      response.end(JSON.stringify(commands ? { replies: commands.map(() => ({ publish: result })) } : { result }));
    });
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const realtime = createRealtime({
    apiUrl: `http://127.0.0.1:${port}/api`,
    apiKey: API_KEY,
    tokenSecret: TOKEN_SECRET,
  });
  await Promise.all(
    Array.from({ length: count }, (_, at) => realtime.publish(Channels.org(at), { type: 'channel-invalidation' })),
  );
  server.closeAllConnections();
  server.close();
  return requests;
}
