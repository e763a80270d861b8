import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type ChannelName, Channels } from '../core/channel.ts';
import { BrokerError } from '../core/errors.ts';
import type { ApiClient } from './api-client.ts';
import { callClock } from './deadline.ts';
import type { PublishCommand } from './publish-command.ts';
import { MAX_COMMANDS_PER_REQUEST, MAX_REQUESTS_IN_FLIGHT, PublishQueue } from './publish-queue.ts';

interface Request {
  readonly method: string;
  // biome-ignore lint/suspicious/noExplicitAny: bodies of three shapes
  readonly body: any;
}

/** Answers as Centrifugo does, when `gate` lets it. */
class MemoryApi implements ApiClient {
  readonly requests: Request[] = [];
  /** `channel data`, in the order of arrival. */
  readonly arrived: string[] = [];
  #inFlight = 0;
  maxInFlight = 0;
  readonly #gate: () => Promise<unknown>;

  constructor(gate: () => Promise<unknown> = async () => undefined) {
    this.#gate = gate;
  }

  async attempt(method: string, body: string): Promise<Record<string, unknown>> {
    const request = { method, body: JSON.parse(body) };
    this.requests.push(request);
    this.#inFlight += 1;
    this.maxInFlight = Math.max(this.maxInFlight, this.#inFlight);
    await this.#gate();
    this.#inFlight -= 1;
    if (method !== 'batch') return { result: this.#execute(method, request.body) };
    return {
      replies: request.body.commands.map((command: Record<string, Request['body']>) => {
        const [name = '', params] = Object.entries(command)[0] ?? [];
        return { [name]: this.#execute(name, params) };
      }),
    };
  }

  #execute(method: string, params: Request['body']): unknown {
    const channels: string[] = method === 'publish' ? [params.channel] : params.channels;
    const results = channels.map((channel) => {
      this.arrived.push(`${channel} ${params.data}`);
      return { epoch: 'e', offset: this.arrived.length };
    });
    return method === 'publish' ? results[0] : { responses: results.map((result) => ({ result })) };
  }

  call(): Promise<Record<string, unknown>> {
    return Promise.reject(new BrokerError(108, 'not used here'));
  }
}

const queueOver = (api: ApiClient) => new PublishQueue({ api, clock: callClock, timeoutMs: 10_000 });
const command = (channels: readonly ChannelName[], data: number): PublishCommand => ({
  channels,
  fields: '"idempotency_key":"k"',
  data: `${data}`,
});

describe('one tick', () => {
  it('with a single publish is a plain publish', async () => {
    const api = new MemoryApi();
    await queueOver(api).send(command([Channels.user('1')], 7));
    expect(api.requests).toMatchObject([{ method: 'publish', body: { channel: 'trpc:user:1', data: 7 } }]);
  });

  it('with a single publish to many is a plain broadcast', async () => {
    const api = new MemoryApi();
    await queueOver(api).send(command([Channels.user('1'), Channels.user('2')], 7));
    expect(api.requests).toMatchObject([
      { method: 'broadcast', body: { channels: ['trpc:user:1', 'trpc:user:2'], data: 7 } },
    ]);
  });

  it('shares a request, whose commands run side by side where no channel occurs twice', async () => {
    const api = new MemoryApi();
    const queue = queueOver(api);
    await Promise.all([queue.send(command([Channels.user('1')], 1)), queue.send(command([Channels.user('2')], 2))]);
    expect(api.requests).toMatchObject([
      {
        method: 'batch',
        body: {
          commands: [
            { publish: { channel: 'trpc:user:1', data: 1 } },
            { publish: { channel: 'trpc:user:2', data: 2 } },
          ],
          parallel: true,
        },
      },
    ]);
  });

  it.each([
    ['two publishes', [Channels.org('1')], [Channels.org('1')]],
    ['a publish and a broadcast', [Channels.org('1')], [Channels.org('2'), Channels.org('1')]],
  ])('runs the commands one after the other where %s have a channel in common', async (_, a, b) => {
    const api = new MemoryApi();
    const queue = queueOver(api);
    await Promise.all([queue.send(command(a, 1)), queue.send(command(b, 2))]);
    expect(api.requests).toHaveLength(1);
    expect(api.requests[0]?.body).not.toHaveProperty('parallel');
  });

  it('with 1,000 publishes is at most 10 requests', async () => {
    const api = new MemoryApi();
    const queue = queueOver(api);
    const replies = await Promise.all(
      Array.from({ length: 1000 }, (_, at) => queue.send(command([Channels.user(at % 100)], at))),
    );
    expect(replies.every(({ outcomes: [outcome] }) => outcome?.ok)).toBe(true);
    expect(api.requests.length).toBeLessThanOrEqual(10);
  });

  it('is still at most 10 requests where each of 1,000 callers awaited something of its own before', async () => {
    const api = new MemoryApi(() => new Promise((resolve) => setTimeout(resolve)));
    const queue = queueOver(api);
    await Promise.all(
      Array.from({ length: 1000 }, async (_, at) => {
        for (let awaited = 0; awaited < at % 50; awaited++) await null;
        await queue.send(command([Channels.user(at)], at));
      }),
    );
    expect(api.requests.length).toBeLessThanOrEqual(10);
  });

  it('closes a request when it is large', async () => {
    const api = new MemoryApi();
    const queue = queueOver(api);
    const data = `"${'x'.repeat(400_000)}"`;
    await Promise.all(
      [1, 2, 3, 4].map((id) => queue.send({ channels: [Channels.user(id)], fields: '"idempotency_key":"k"', data })),
    );
    expect(api.requests.map(({ body }) => body.commands?.length ?? 1)).toEqual([3, 1]);
  });
});

it('never has more than a few requests under way', async () => {
  const api = new MemoryApi(() => new Promise((resolve) => setTimeout(resolve)));
  const queue = queueOver(api);
  await Promise.all(
    Array.from({ length: MAX_COMMANDS_PER_REQUEST * (MAX_REQUESTS_IN_FLIGHT + 3) }, (_, at) =>
      queue.send(command([Channels.user(at)], at)),
    ),
  );
  expect(api.maxInFlight).toBe(MAX_REQUESTS_IN_FLIGHT);
});

it('keeps the order of each channel, however calls and answers are interleaved', async () => {
  const channels = [Channels.global(), Channels.org('1'), Channels.org('2')];
  await fc.assert(
    fc.asyncProperty(
      fc.scheduler(),
      fc.array(fc.subarray(channels, { minLength: 1 }), { minLength: 1, maxLength: 12 }),
      async (scheduler, targets) => {
        const api = new MemoryApi(() => scheduler.schedule(Promise.resolve(), 'answer'));
        const queue = queueOver(api);
        const sent: string[] = [];
        const replies: Promise<unknown>[] = [];
        const { task } = scheduler.scheduleSequence(
          targets.map((target, at) => async () => {
            for (const channel of target) sent.push(`${channel} ${at}`);
            replies.push(queue.send(command(target, at)));
          }),
        );
        await scheduler.waitFor(task);
        await scheduler.waitFor(Promise.all(replies));
        const on = (list: readonly string[], channel: string) => list.filter((one) => one.startsWith(`${channel} `));
        for (const channel of channels) expect(on(api.arrived, channel)).toEqual(on(sent, channel));
      },
    ),
    { numRuns: 300 },
  );
});
