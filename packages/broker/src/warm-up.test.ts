import { afterEach, describe, expect, it, vi } from 'vitest';
import { VirtualClock } from '../test/virtual-clock.ts';
import { startBroker } from './broker.ts';
import type { Clock } from './core/clock.ts';
import { Session } from './core/session.ts';
import { HttpEdge } from './edges/http-server.ts';
import { beginWarmUp } from './warm-up.ts';

afterEach(() => vi.restoreAllMocks());

/** Each look at the time takes as long as it is told. Counts the timers that wait; none of them ever fires. */
class CountingClock implements Clock {
  waiting = 0;
  started = 0;
  #nowMs = 1_700_000_000_000;
  readonly #msPerLook: number;

  constructor(msPerLook: number) {
    this.#msPerLook = msPerLook;
  }

  now(): number {
    this.#nowMs += this.#msPerLook;
    return this.#nowMs;
  }

  after(): () => void {
    this.started++;
    this.waiting++;
    let isWaiting = true;
    return () => {
      if (isWaiting) this.waiting--;
      isWaiting = false;
    };
  }
}

const nobody = () => true;

describe('a warm-up', () => {
  it('brings clients all the way: they connect, recover, are published to, and are gone at the end', async () => {
    const established = vi.spyOn(Session.prototype, 'established');
    const sessions = new Set<Session>();
    const replies: string[] = [];
    vi.spyOn(Session.prototype, 'reply').mockImplementation(function (this: Session, reply) {
      sessions.add(this);
      const text = this.peer.encoding.encodeReply(reply);
      replies.push(text);
      this.peer.push(text, true);
    });
    const clock = new CountingClock(1);
    const { rounds, failure } = await beginWarmUp(clock, nobody).over;
    expect(failure).toBeUndefined();
    expect(rounds).toBeGreaterThan(1);
    expect(established).toHaveBeenCalledTimes(rounds * 25);
    expect(replies.some((reply) => reply.includes('"error"'))).toBe(false);
    expect(replies.filter((reply) => reply.includes('"recovered":true'))).toHaveLength((rounds - 1) * 25);
    const [engine] = new Set([...sessions].map((session) => session.engine));
    expect(engine?.hub.sessions.size).toBe(0);
    expect(engine?.hub.subscriptionCount).toBe(0);
    expect(engine?.metrics.publications).toBe(rounds * (13 + 1 + 5));
    expect([...sessions].every((session) => !session.isOpen)).toBe(true);
    expect(clock.started).toBeGreaterThan(0);
    expect(clock.waiting).toBe(0);
  });

  it('ends when its time is up', async () => {
    expect(await beginWarmUp(new CountingClock(1501), nobody).over).toEqual({ rounds: 0, failure: undefined });
  });

  it('is over at some time also where the clock stands still', async () => {
    const { awaited, over } = beginWarmUp(new CountingClock(0), nobody);
    await awaited;
    expect(await over).toEqual({ rounds: 100, failure: undefined });
  });

  it('keeps a start waiting for 300 ms and goes on after that', async () => {
    const clock = new VirtualClock();
    let goesOn = true;
    const { awaited, over } = beginWarmUp(clock, () => goesOn);
    clock.advance(300);
    await awaited;
    goesOn = false;
    expect((await over).rounds).toBeLessThan(100);
  });

  it('ends with the first client, and when it is told to', async () => {
    let looks = 0;
    expect(await beginWarmUp(new CountingClock(0), () => ++looks < 3).over).toMatchObject({ rounds: 2 });
    const stopped = beginWarmUp(new CountingClock(0), nobody);
    stopped.stop();
    await stopped.awaited;
    expect((await stopped.over).rounds).toBeLessThan(2);
  });

  it('leaves nothing to be seen on the broker that starts', async () => {
    const broker = await startBroker({
      port: 0,
      warmUp: true,
      httpApi: { key: 'key' },
      channel: { namespaces: { warm: {} } },
      prometheus: { enabled: true },
    });
    const call = async (method: string) => {
      const answer = await fetch(`${broker.apiUrl}/${method}`, {
        method: 'POST',
        headers: { 'X-API-Key': 'key' },
        body: '{}',
      });
      return answer.json();
    };
    expect(await call('info')).toMatchObject({
      result: { nodes: [{ num_clients: 0, num_users: 0, num_channels: 0 }] },
    });
    expect(await call('channels')).toEqual({ result: { channels: {} } });
    const metrics = await (await fetch(`${new URL(broker.apiUrl).origin}/metrics`)).text();
    expect(metrics).toContain('type="publication"} 0\n');
    expect(metrics).not.toContain('method="publish"');
    expect(metrics).not.toContain('centrifugo_client_num_server_disconnects{');
    await broker.close();
  });

  it('that fails does not stop the start', async () => {
    const listen = vi.spyOn(HttpEdge.prototype, 'listen');
    listen.mockRejectedValueOnce(new RangeError('no loopback'));
    const clock = new CountingClock(0);
    expect(await beginWarmUp(clock, nobody).over).toMatchObject({ failure: expect.any(RangeError) });
    expect(clock.waiting).toBe(0);
    listen.mockRejectedValueOnce(new RangeError('no loopback'));
    const broker = await startBroker({ port: 0, warmUp: true });
    expect((await fetch(`http://127.0.0.1:${broker.port}/health`)).status).toBe(200);
    await broker.close();
  });

  it('that is cut off by the network comes to an end', async () => {
    vi.spyOn(HttpEdge.prototype, 'take').mockImplementation((socket) => {
      socket.destroy();
    });
    expect(await beginWarmUp(new CountingClock(200), nobody).over).toMatchObject({ failure: undefined });
  });
});
