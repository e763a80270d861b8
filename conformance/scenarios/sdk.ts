import { type Centrifuge, type Options, type Subscription, UnauthorizedError } from 'centrifuge';
import { expect } from 'vitest';
import { inSeconds } from '../clients/tokens.ts';
import { within } from '../clients/wire-client.ts';
import { type Scenario, type ScenarioContext, scenarios } from '../scenario.ts';

/** The events of the official client, kept, to be waited for in order. */
class Events {
  readonly seen: { name: string; context: Record<string, unknown> }[] = [];
  #waiters: (() => void)[] = [];

  // biome-ignore lint/suspicious/noExplicitAny: the two emitters of the client share no type, and events are looked at as records
  constructor(emitter: { on(event: any, listener: (context: any) => void): unknown }, names: readonly string[]) {
    for (const name of names)
      emitter.on(name, (context: Record<string, unknown>) => {
        this.seen.push({ name, context });
        for (const waiter of this.#waiters.splice(0)) waiter();
      });
  }

  /** Takes the first event of this name, and all before it. */
  next(name: string): Promise<Record<string, unknown>> {
    return within(
      (async () => {
        for (;;) {
          const index = this.seen.findIndex((event) => event.name === name);
          if (index >= 0) return this.seen.splice(0, index + 1).at(-1)!.context;
          await new Promise<void>((resolve) => this.#waiters.push(resolve));
        }
      })(),
      `the event ${name}; seen: ${this.seen.map((event) => event.name).join(', ')}`,
    );
  }
}

const ofClient = (client: Centrifuge): Events =>
  new Events(client, [
    'connecting',
    'connected',
    'disconnected',
    'error',
    'subscribing',
    'subscribed',
    'unsubscribed',
    'publication',
    'join',
    'leave',
  ]);
const ofSubscription = (subscription: Subscription): Events =>
  new Events(subscription, ['subscribing', 'subscribed', 'unsubscribed', 'publication', 'join', 'leave', 'error']);

async function connected(
  t: ScenarioContext,
  claims: Record<string, unknown> = {},
  options: Partial<Options> = {},
): Promise<{ client: Centrifuge; events: Events }> {
  const client = t.sdk({ token: await t.token({ sub: t.user(), ...claims }), ...options });
  const events = ofClient(client);
  client.connect();
  await events.next('connected');
  return { client, events };
}

const reconnect = { code: 3011, reason: 'force reconnect' };

export const sdkScenarios: readonly Scenario[] = [
  ...scenarios('official client', 'standard', {
    'connects, subscribes, receives and ends': async (t) => {
      const { client, events } = await connected(t);
      const subscription = client.newSubscription(t.channel('plain'));
      const seen = ofSubscription(subscription);
      subscription.subscribe();
      expect(await seen.next('subscribed')).toMatchObject({
        wasRecovering: false,
        recovered: false,
        positioned: false,
      });
      await t.publish(t.channel('plain'), { n: 1 });
      expect(await seen.next('publication')).toMatchObject({ data: { n: 1 } });
      subscription.unsubscribe();
      expect(await seen.next('unsubscribed')).toMatchObject({ code: 0 });
      client.disconnect();
      expect(await events.next('disconnected')).toMatchObject({ code: 0 });
    },
    'server-side subscriptions tell their events on the client': async (t) => {
      const channel = t.channel('trpc');
      const client = t.sdk({ token: await t.token({ sub: t.user(), subs: { [channel]: { data: { d: 1 } } } }) });
      const events = ofClient(client);
      client.connect();
      expect(await events.next('subscribed')).toMatchObject({
        channel,
        data: { d: 1 },
        positioned: true,
        recoverable: true,
        wasRecovering: false,
        recovered: false,
        streamPosition: { offset: 0, epoch: expect.any(String) },
      });
      await t.publish(channel, 'x');
      expect(await events.next('publication')).toMatchObject({ channel, data: 'x', offset: 1 });
    },
    'a reconnect recovers what was missed': async (t) => {
      const channel = t.channel('trpc');
      const { client, events } = await connected(t, { subs: { [channel]: {} } });
      await t.publish(channel, 1);
      await events.next('publication');
      client.disconnect();
      await events.next('disconnected');
      await t.publish(channel, 2, 3);
      client.connect();
      expect(await events.next('subscribed')).toMatchObject({
        wasRecovering: true,
        recovered: true,
        hasRecoveredPublications: true,
        streamPosition: { offset: 1 },
      });
      expect(await events.next('publication')).toMatchObject({ data: 2, offset: 2 });
      expect(await events.next('publication')).toMatchObject({ data: 3, offset: 3 });
    },
    'a client-side subscription recovers after a forced reconnect': async (t) => {
      const channel = t.channel('recovery');
      const { client } = await connected(t);
      const subscription = client.newSubscription(channel);
      const seen = ofSubscription(subscription);
      subscription.subscribe();
      await seen.next('subscribed');
      await t.api('disconnect', { user: t.user(), disconnect: reconnect });
      expect(await seen.next('subscribing')).toMatchObject({ code: 1 });
      expect(await seen.next('subscribed')).toMatchObject({ wasRecovering: true, recovered: true });
    },
    'since recovers from a position of old': async (t) => {
      const channel = t.channel('recovery');
      const { epoch } = await t.publish(channel, 1, 2, 3);
      const { client } = await connected(t);
      const subscription = client.newSubscription(channel, { since: { offset: 1, epoch } });
      const seen = ofSubscription(subscription);
      subscription.subscribe();
      expect(await seen.next('subscribed')).toMatchObject({ recovered: true, hasRecoveredPublications: true });
      expect(await seen.next('publication')).toMatchObject({ data: 2 });
      expect(await seen.next('publication')).toMatchObject({ data: 3 });
    },
    'more missed than the history holds: not recovered': async (t) => {
      const channel = t.channel('recovery');
      const { epoch } = await t.publish(channel, 1, 2, 3, 4, 5, 6, 7);
      const { client } = await connected(t);
      const subscription = client.newSubscription(channel, { since: { offset: 1, epoch } });
      const seen = ofSubscription(subscription);
      subscription.subscribe();
      expect(await seen.next('subscribed')).toMatchObject({
        wasRecovering: true,
        recovered: false,
        hasRecoveredPublications: false,
        streamPosition: { offset: 7, epoch },
      });
    },
    'after 3014 new tokens are fetched and nothing is recovered': async (t) => {
      const channel = t.channel('trpc');
      let fetched = 0;
      const client = t.sdk({
        getToken: async () => {
          fetched++;
          return t.token({ sub: t.user(), subs: { [channel]: {} } });
        },
      });
      const events = ofClient(client);
      client.connect();
      await events.next('subscribed');
      await t.api('disconnect', { user: t.user(), disconnect: { code: 3014, reason: 'state invalidated' } });
      await events.next('connecting');
      expect(await events.next('subscribed')).toMatchObject({ wasRecovering: true, recovered: false });
      expect(fetched).toBe(2);
    },
    'an expired token is fetched anew': async (t) => {
      let fetched = 0;
      const client = t.sdk({
        token: await t.token({ sub: t.user(), exp: 1_500_000_000 }),
        getToken: async () => {
          fetched++;
          return t.token({ sub: t.user() });
        },
      });
      const events = ofClient(client);
      client.connect();
      await events.next('connected');
      expect(fetched).toBe(1);
    },
    'an unauthorized getToken is final': async (t) => {
      const client = t.sdk({
        getToken: async () => {
          throw new UnauthorizedError('no');
        },
      });
      const events = ofClient(client);
      client.connect();
      expect(await events.next('disconnected')).toMatchObject({ code: 1, reason: 'unauthorized' });
    },
    'an invalid token is final': async (t) => {
      const client = t.sdk({ token: 'garbage' });
      const events = ofClient(client);
      client.connect();
      expect(await events.next('disconnected')).toMatchObject({ code: 3500, reason: 'invalid token' });
    },
    'a refused subscription is final for it alone': async (t) => {
      const { client } = await connected(t);
      const [refused, allowed] = [
        client.newSubscription(t.channel('closed')),
        client.newSubscription(t.channel('plain')),
      ];
      const [seenRefused, seenAllowed] = [ofSubscription(refused), ofSubscription(allowed)];
      refused.subscribe();
      allowed.subscribe();
      expect(await seenRefused.next('unsubscribed')).toMatchObject({ code: 103, reason: 'permission denied' });
      await seenAllowed.next('subscribed');
    },
    'a subscription token is fetched for its channel': async (t) => {
      const channel = t.channel('closed');
      const asked: string[] = [];
      const { client } = await connected(t);
      const subscription = client.newSubscription(channel, {
        getToken: async (context) => {
          asked.push(context.channel);
          return t.token({ sub: t.user(), channel: context.channel });
        },
      });
      const seen = ofSubscription(subscription);
      subscription.subscribe();
      await seen.next('subscribed');
      expect(asked).toEqual([channel]);
    },
    'a channel of the token too is refused as a client-side subscription': async (t) => {
      const channel = t.channel('plain');
      const { client } = await connected(t, { subs: { [channel]: {} } });
      const subscription = client.newSubscription(channel);
      const seen = ofSubscription(subscription);
      subscription.subscribe();
      expect(await seen.next('unsubscribed')).toMatchObject({ code: 105, reason: 'already subscribed' });
    },
    'API unsubscribe ends a client-side subscription for good': async (t) => {
      const channel = t.channel('plain');
      const { client } = await connected(t);
      const subscription = client.newSubscription(channel);
      const seen = ofSubscription(subscription);
      subscription.subscribe();
      await seen.next('subscribed');
      await t.api('unsubscribe', { user: t.user(), channel });
      expect(await seen.next('unsubscribed')).toMatchObject({ code: 2000, reason: 'server unsubscribe' });
    },
    'API subscribe adds a server-side subscription': async (t) => {
      const channel = t.channel('closed');
      const { events } = await connected(t);
      await t.api('subscribe', { user: t.user(), channel, data: { hi: 1 } });
      expect(await events.next('subscribed')).toMatchObject({ channel, data: { hi: 1 } });
      await t.publish(channel, 1);
      expect(await events.next('publication')).toMatchObject({ channel, data: 1 });
    },
    'disconnect codes say whether to come back': async (t) => {
      const { events } = await connected(t);
      await t.api('disconnect', { user: t.user(), disconnect: { code: 4000, reason: 'again' } });
      expect(await events.next('connecting')).toMatchObject({ code: 4000, reason: 'again' });
      await events.next('connected');
      await t.api('disconnect', { user: t.user(), disconnect: { code: 4500, reason: 'final' } });
      expect(await events.next('disconnected')).toMatchObject({ code: 4500, reason: 'final' });
    },
    'publishes, reads history and presence': async (t) => {
      const channel = t.channel('open');
      const { client } = await connected(t, { info: { name: 'Ann' } });
      const subscription = client.newSubscription(channel);
      const seen = ofSubscription(subscription);
      subscription.subscribe();
      await seen.next('subscribed');
      await subscription.publish({ n: 1 });
      expect(await seen.next('publication')).toMatchObject({
        data: { n: 1 },
        info: { user: t.user(), connInfo: { name: 'Ann' } },
      });
      expect(await subscription.history({ limit: 10 })).toMatchObject({
        offset: 1,
        publications: [{ data: { n: 1 }, offset: 1 }],
      });
      const { clients } = await subscription.presence();
      expect(Object.values(clients)).toMatchObject([
        { client: expect.any(String), user: t.user(), connInfo: { name: 'Ann' } },
      ]);
      expect(await subscription.presenceStats()).toEqual({ numClients: 1, numUsers: 1 });
    },
    'joins and leaves are told': async (t) => {
      const channel = t.channel('joining');
      const { client } = await connected(t);
      const subscription = client.newSubscription(channel);
      const seen = ofSubscription(subscription);
      subscription.subscribe();
      await seen.next('subscribed');
      await seen.next('join');
      const other = await t.connect({ sub: t.user('b') });
      await other.call({ subscribe: { channel } });
      expect(await seen.next('join')).toMatchObject({ channel, info: { user: t.user('b') } });
      other.close();
      expect(await seen.next('leave')).toMatchObject({ channel, info: { user: t.user('b') } });
    },
    'an rpc nobody answers is rejected with 108': async (t) => {
      const { client } = await connected(t);
      await expect(client.rpc('x', {})).rejects.toMatchObject({ code: 108 });
    },
    'a send ends the connection with 3508': async (t) => {
      const { client, events } = await connected(t);
      await client.send({});
      expect(await events.next('disconnected')).toMatchObject({ code: 3508 });
    },
    '100 subscriptions at once': async (t) => {
      const { client } = await connected(t);
      const all = Array.from({ length: 100 }, (_, index) => client.newSubscription(t.channel('plain', `n${index}`)));
      await Promise.all(
        all.map((subscription) => {
          subscription.subscribe();
          return within(subscription.ready(), 'a subscription');
        }),
      );
    },
  }),
  ...scenarios('official client', 'short', {
    'a connection token is refreshed without a reconnect': async (t) => {
      let fetched = 0;
      const client = t.sdk({
        getToken: async () => {
          fetched++;
          return t.token({ sub: t.user(), exp: inSeconds(fetched === 1 ? 2 : 3600) });
        },
      });
      const events = ofClient(client);
      client.connect();
      await events.next('connected');
      const other = await t.connect({ sub: t.user('b'), exp: inSeconds(3) });
      await other.closeCode(); // by then the first token's time and grace are over
      expect(fetched).toBe(2);
      expect(events.seen.map((event) => event.name)).toEqual([]);
    },
    'a subscription token is refreshed without a new subscription': async (t) => {
      const channel = t.channel('closed');
      let fetched = 0;
      const { client } = await connected(t);
      const subscription = client.newSubscription(channel, {
        getToken: async () => {
          fetched++;
          return t.token({ sub: t.user(), channel, exp: inSeconds(fetched === 1 ? 2 : 3600) });
        },
      });
      const seen = ofSubscription(subscription);
      subscription.subscribe();
      await seen.next('subscribed');
      const other = await t.connect({ sub: t.user('b'), exp: inSeconds(3) });
      await other.closeCode();
      expect(fetched).toBe(2);
      expect(seen.seen.map((event) => event.name)).toEqual([]);
    },
    'a silent network is noticed and healed': async (t) => {
      const { client, events } = await connected(t, {}, { maxServerPingDelay: 200 });
      const socket = (client as unknown as { _transport: { _transport: { pause(): void } } })._transport._transport;
      socket.pause(); // nothing is read any more, so the server's pings go unanswered
      expect(await events.next('connecting')).toMatchObject({ code: expect.any(Number) });
      await events.next('connected');
    },
  }),
];
