import { expect } from 'vitest';
import { inSeconds, untilUnixSeconds } from '../clients/tokens.ts';
import { type Scenario, scenarios } from '../scenario.ts';

/** What happens by itself after a while, with every delay at about a second. Only the order and the fact are asserted, never a duration. */
export const timerScenarios: readonly Scenario[] = scenarios('timers', 'short', {
  'connect tells the ping interval in seconds': async (t) => {
    const wire = await t.open();
    const reply = await wire.call({ connect: { token: await t.token({ sub: t.user() }) } });
    expect(reply.connect).toMatchObject({ ping: 1, pong: true });
  },
  'pings come and pongs keep the connection': async (t) => {
    const wire = await t.open({ pong: false });
    await wire.call({ connect: { token: await t.token({ sub: t.user() }) } });
    for (let pings = 0; pings < 3; pings++) {
      expect(await wire.next()).toEqual({});
      wire.sendText('{}');
    }
    expect(wire.isClosed).toBe(false);
  },
  'a missing pong closes with 3012': async (t) => {
    const wire = await t.open({ pong: false });
    await wire.call({ connect: { token: await t.token({ sub: t.user() }) } });
    expect(await wire.closeCode()).toEqual({ code: 3012, reason: 'no pong' });
    expect(wire.lines.at(-1)).toBe('{}');
  },
  'other traffic is no pong': async (t) => {
    const wire = await t.open({ pong: false });
    await wire.call({ connect: { token: await t.token({ sub: t.user() }) } });
    expect(await wire.next()).toEqual({});
    await wire.call({ subscribe: { channel: t.channel('plain') } });
    expect(await wire.closeCode()).toEqual({ code: 3012, reason: 'no pong' });
  },
  'a second pong for one ping closes with 3501': async (t) => {
    const wire = await t.open({ pong: false });
    await wire.call({ connect: { token: await t.token({ sub: t.user() }) } });
    expect(await wire.next()).toEqual({});
    wire.sendText('{}');
    wire.sendText('{}');
    expect(await wire.closeCode()).toEqual({ code: 3501, reason: 'bad request' });
  },
  'a client that never connects is closed with 3502': async (t) => {
    const wire = await t.open();
    expect(await wire.closeCode()).toEqual({ code: 3502, reason: 'stale' });
    expect(wire.lines).toEqual([]);
  },
  'a client whose connect was refused with an error is closed with 3502': async (t) => {
    const wire = await t.open();
    const reply = await wire.call({ connect: { token: await t.token({ sub: t.user(), exp: 1_500_000_000 }) } });
    expect(reply.error).toMatchObject({ code: 109 });
    expect(await wire.closeCode()).toEqual({ code: 3502, reason: 'stale' });
  },
  'a connection that is not refreshed is closed with 3005 after the grace delay': async (t) => {
    const wire = await t.connect({ sub: t.user(), exp: inSeconds(2) });
    expect(JSON.parse(wire.lines[0]!)).toMatchObject({ connect: { expires: true, ttl: expect.any(Number) } });
    expect(await wire.closeCode()).toEqual({ code: 3005, reason: 'connection expired' });
  },
  'a connection that is refreshed lives on': async (t) => {
    const wire = await t.connect({ sub: t.user(), exp: inSeconds(2) });
    const reply = await wire.call({ refresh: { token: await t.token({ sub: t.user(), exp: inSeconds(3600) }) } });
    expect(reply.refresh).toMatchObject({ expires: true, ttl: expect.any(Number) });
    const other = await t.connect({ sub: t.user(), exp: inSeconds(2) });
    await other.closeCode(); // the other one's time is up, and so would this one's be
    await wire.settle();
    expect(wire.isClosed).toBe(false);
  },
  'a refresh works within the grace delay': async (t) => {
    const exp = inSeconds(2);
    const wire = await t.connect({ sub: t.user(), exp });
    await untilUnixSeconds(exp + 0.2);
    const reply = await wire.call({ refresh: { token: await t.token({ sub: t.user(), exp: inSeconds(3600) }) } });
    expect(reply.refresh).toMatchObject({ expires: true });
  },
  'API refresh gives a connection an end': async (t) => {
    const wire = await t.connect();
    await t.api('refresh', { user: t.user(), expire_at: inSeconds(2) });
    expect(await wire.push()).toMatchObject({ refresh: { expires: true } });
    expect(await wire.closeCode()).toEqual({ code: 3005, reason: 'connection expired' });
  },
  'a subscription that is not refreshed ends with 2501': async (t) => {
    const wire = await t.connect();
    const channel = t.channel('closed');
    const token = await t.token({ sub: t.user(), channel, exp: inSeconds(2) });
    expect(await wire.call({ subscribe: { channel, token } })).toMatchObject({ subscribe: { expires: true } });
    expect(await wire.push()).toEqual({ channel, unsubscribe: { code: 2501, reason: 'subscription expired' } });
    await t.api('publish', { channel, data: 1 });
    await wire.settle();
    expect(wire.unread).toEqual([]);
  },
  'a subscription that is refreshed lives on': async (t) => {
    const wire = await t.connect();
    const [channel, other] = [t.channel('closed'), t.channel('closed', 'other')];
    const tokenFor = (name: string, seconds: number) =>
      t.token({ sub: t.user(), channel: name, exp: inSeconds(seconds) });
    await wire.call({ subscribe: { channel, token: await tokenFor(channel, 2) } });
    await wire.call({ subscribe: { channel: other, token: await tokenFor(other, 2) } });
    const reply = await wire.call({ sub_refresh: { channel, token: await tokenFor(channel, 3600) } });
    expect(reply).toMatchObject({ sub_refresh: { expires: true } });
    expect(await wire.push()).toMatchObject({ channel: other });
    await t.api('publish', { channel, data: 1 });
    expect(await wire.publication(channel)).toEqual({ data: 1 });
  },
  'an API subscription with an expiry ends with 2501': async (t) => {
    const wire = await t.connect();
    const channel = t.channel('closed');
    await t.api('subscribe', { user: t.user(), channel, expire_at: inSeconds(2) });
    expect(await wire.push()).toMatchObject({ channel, subscribe: {} });
    // Nobody can refresh a server-side subscription from the client: the whole connection ends.
    const end = await Promise.race([wire.closed, wire.push()]);
    expect(end).toEqual({ code: 3006, reason: 'subscription expired' });
  },
  'presence lasts as long as the connection, not longer': async (t) => {
    const [staying, leaving] = [await t.subscriber(t.channel('joining')), await t.subscriber(t.channel('joining'))];
    await staying.take((message) => JSON.stringify(message).includes('join'), 'a join');
    leaving.close();
    await staying.take((message) => JSON.stringify(message).includes('leave'), 'a leave');
    const { result } = await t.api('presence_stats', { channel: t.channel('joining') });
    expect(result).toEqual({ num_clients: 1, num_users: 1 });
  },
  'a quiet positioned subscription survives the checks of its position': async (t) => {
    const channel = t.channel('recovery');
    const wire = await t.subscriber(channel);
    await t.publish(channel, 1, 2, 3);
    for (let offset = 1; offset <= 3; offset++) expect(await wire.publication(channel)).toMatchObject({ offset });
    const stale = await t.open(); // its end marks that a second has passed
    await stale.closeCode();
    await t.publish(channel, 4);
    expect(await wire.publication(channel)).toEqual({ data: 4, offset: 4 });
  },
});
