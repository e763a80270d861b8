import { expect } from 'vitest';
import type { Message, WireClient } from '../clients/wire-client.ts';
import { type Scenario, type ScenarioContext, scenarios } from '../scenario.ts';

/** The offsets of the next `count` publications on this channel. */
async function offsets(wire: WireClient, channel: string, count: number): Promise<number[]> {
  const seen: number[] = [];
  for (let index = 0; index < count; index++) seen.push((await wire.publication(channel)).offset as number);
  return seen;
}

const upTo = (count: number): number[] => Array.from({ length: count }, (_, index) => index + 1);

/** Publishes to a channel that has one publication, one after the other, until it is stopped. */
function publishOn(t: ScenarioContext, channel: string, atMost = Number.POSITIVE_INFINITY) {
  let isStopped = false;
  let last = 1;
  const running = (async () => {
    while (!isStopped && last < atMost) {
      await t.api('publish', { channel, data: last + 1 });
      last++;
    }
  })();
  return {
    /** @returns the offset of the last publication */
    async stop(): Promise<number> {
      isStopped = true;
      await running;
      return last;
    },
  };
}

/** After what it has `seen` the wire gets what is missing of `from` to `last`, in order, and nothing more. */
async function expectRest(wire: WireClient, channel: string, seen: readonly number[], from: number, last: number) {
  const all = Array.from({ length: last - from + 1 }, (_, index) => from + index);
  expect([...seen, ...(await offsets(wire, channel, all.length - seen.length))]).toEqual(all);
  await wire.settle();
  expect(wire.unread).toEqual([]);
}

export const orderScenarios: readonly Scenario[] = scenarios('order', 'standard', {
  'publications come in the order of their offsets': async (t) => {
    const channel = t.channel('trpc');
    const wire = await t.connect({ sub: t.user(), subs: { [channel]: {} } });
    await t.publish(channel, ...upTo(50));
    expect(await offsets(wire, channel, 50)).toEqual(upTo(50));
  },
  'publishers in parallel have one order for all subscribers': async (t) => {
    const channel = t.channel('trpc');
    const claims = { sub: t.user(), subs: { [channel]: {} } };
    const wires = await Promise.all([t.connect(claims), t.connect(claims), t.connect(claims)]);
    await Promise.all(upTo(100).map((data) => t.api('publish', { channel, data })));
    const orders = await Promise.all(
      wires.map(async (wire) => {
        const order: unknown[] = [];
        for (let index = 0; index < 100; index++) {
          const { data, offset } = await wire.publication(channel);
          expect(offset).toBe(index + 1);
          order.push(data);
        }
        return order;
      }),
    );
    expect(orders[1]).toEqual(orders[0]);
    expect(orders[2]).toEqual(orders[0]);
    expect([...orders[0]!].sort((a, b) => Number(a) - Number(b))).toEqual(upTo(100));
  },
  "a client's publications in one frame keep their order": async (t) => {
    const channel = t.channel('open');
    const wire = await t.subscriber(channel);
    wire.send(...upTo(20).map((data) => ({ id: 100 + data, publish: { channel, data } })));
    for (const data of upTo(20)) expect(await wire.publication(channel)).toMatchObject({ data, offset: data });
  },
  'subscribing while others publish loses nothing and doubles nothing': async (t) => {
    const channel = t.channel('recovery');
    await t.publish(channel, 'first');
    const publisher = publishOn(t, channel);
    const joined: { wire: WireClient; from: number }[] = [];
    for (let index = 0; index < 15; index++) {
      const wire = await t.connect();
      const { subscribe } = await wire.call({ subscribe: { channel } });
      joined.push({ wire, from: ((subscribe as Message).offset as number) + 1 });
    }
    const last = await publisher.stop();
    for (const { wire, from } of joined) await expectRest(wire, channel, [], from, last);
  },
  'recovering while others publish loses nothing and doubles nothing': async (t) => {
    const channel = t.channel('trpc');
    const { epoch } = await t.publish(channel, 1);
    const publisher = publishOn(t, channel, 250);
    const joined: { wire: WireClient; seen: number[] }[] = [];
    for (let index = 0; index < 10; index++) {
      const wire = await t.connect();
      const token = await t.token({ sub: t.user(), channel });
      const { subscribe } = await wire.call({ subscribe: { channel, token, recover: true, offset: 1, epoch } });
      const { recovered, publications = [] } = subscribe as {
        recovered?: boolean;
        publications?: { offset: number }[];
      };
      expect(recovered).toBe(true);
      joined.push({ wire, seen: publications.map((publication) => publication.offset) });
    }
    const last = await publisher.stop();
    for (const { wire, seen } of joined) await expectRest(wire, channel, seen, 2, last);
  },
  'connecting with positions while others publish loses nothing and doubles nothing': async (t) => {
    const channel = t.channel('trpc');
    const { epoch } = await t.publish(channel, 1);
    const publisher = publishOn(t, channel, 250);
    const joined: { wire: WireClient; seen: number[] }[] = [];
    for (let index = 0; index < 10; index++) {
      const wire = await t.open();
      const token = await t.token({ sub: t.user(), subs: { [channel]: {} } });
      const reply = await wire.call({ connect: { token, subs: { [channel]: { recover: true, offset: 1, epoch } } } });
      const sub = (
        reply.connect as { subs: Record<string, { recovered?: boolean; publications?: { offset: number }[] }> }
      ).subs[channel]!;
      expect(sub.recovered).toBe(true);
      joined.push({ wire, seen: (sub.publications ?? []).map((publication) => publication.offset) });
    }
    const last = await publisher.stop();
    for (const { wire, seen } of joined) await expectRest(wire, channel, seen, 2, last);
  },
  'a publication reaches subscribers before the API answers': async (t) => {
    const channel = t.channel('plain');
    const wire = await t.subscriber(channel);
    const received = wire.publication(channel).then(() => 'received');
    await t.api('publish', { channel, data: 1 });
    expect(await received).toBe('received');
  },
  'an unsubscribe and a subscribe in one frame start anew': async (t) => {
    const channel = t.channel('recovery');
    const wire = await t.subscriber(channel);
    await t.publish(channel, 1);
    await wire.publication(channel);
    wire.send({ id: 50, unsubscribe: { channel } }, { id: 51, subscribe: { channel } });
    expect(await wire.reply(50)).toEqual({ unsubscribe: {} });
    expect(await wire.reply(51)).toMatchObject({ subscribe: { offset: 1 } });
    await t.publish(channel, 2);
    expect(await wire.publication(channel)).toEqual({ data: 2, offset: 2 });
  },
  "one connection's end does not disturb another of the same user": async (t) => {
    const channel = t.channel('plain');
    const [one, two] = [await t.subscriber(channel), await t.subscriber(channel)];
    one.sendText('nonsense');
    await one.closeCode();
    await t.api('publish', { channel, data: 1 });
    expect(await two.publication(channel)).toEqual({ data: 1 });
  },
  'a publication of 100 kB arrives whole': async (t) => {
    const channel = t.channel('plain');
    const wire = await t.subscriber(channel);
    const data = 'x'.repeat(100_000);
    await t.api('publish', { channel, data });
    expect(await wire.publication(channel)).toEqual({ data });
  },
});
