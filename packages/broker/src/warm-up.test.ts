import { afterEach, describe, expect, it, vi } from 'vitest';
import { VirtualClock } from '../test/virtual-clock.ts';
import { startBroker } from './broker.ts';
import type { Clock } from './core/clock.ts';
import { Session } from './core/session.ts';
import { warmUp } from './warm-up.ts';

afterEach(() => vi.restoreAllMocks());

/** Counts the timers that wait; each look at the time takes as long as it is told. */
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
    const clock = new CountingClock(0.1);
    const { rounds, failure } = await warmUp(clock);
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
    expect(await warmUp(new CountingClock(301))).toEqual({ rounds: 0, failure: undefined });
    const few = await warmUp(new CountingClock(1));
    expect(few.rounds).toBeLessThan(3);
  });

  it('is over at some time also where the clock stands still', async () => {
    expect(await warmUp(new VirtualClock())).toMatchObject({ failure: undefined });
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
    vi.spyOn(Session.prototype, 'established').mockImplementation(() => {
      throw new RangeError('broken');
    });
    const clock = new CountingClock(0);
    const { failure } = await warmUp(clock);
    expect(failure).toBeInstanceOf(RangeError);
    expect(clock.waiting).toBe(0);
    const broker = await startBroker({ port: 0, warmUp: true });
    expect((await fetch(`http://127.0.0.1:${broker.port}/health`)).status).toBe(200);
    await broker.close();
  });
});
