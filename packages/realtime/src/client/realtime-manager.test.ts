import { afterEach, describe, expect, it, vi } from 'vitest';
import { createTestRealtime } from '../testing/index.ts';
import { Connection } from './connection.ts';
import { RealtimeManager as NodeManager } from './node-realtime-manager.ts';
import { type ClientParts, RealtimeManager } from './realtime-manager.ts';
import type { RealtimeConfig } from './types.ts';

const SECRET_PART = 'user:password@internal.example';
const config = (over: Partial<RealtimeConfig> = {}): RealtimeConfig => ({
  wsUrl: 'ws://localhost:8000/connection/websocket',
  getToken: async () => null,
  onError: () => {},
  ...over,
});

/** The default instance, if there is one. */
function current(): RealtimeManager | undefined {
  try {
    return RealtimeManager.getInstance();
  } catch {
    return undefined; // none: nothing to end
  }
}
afterEach(() => current()?.dispose());

describe('the default instance', () => {
  it('does not exist before initialize(), and the error says what to do', () => {
    expect(() => RealtimeManager.getInstance()).toThrow(
      expect.objectContaining({ code: 'not_initialized', message: expect.stringContaining('initialize(') }),
    );
  });

  it('is one: initialize() again with the same wsUrl returns it, and takes the new callbacks', async () => {
    const realtime = createTestRealtime();
    const transport = vi.fn();
    const first = RealtimeManager.initialize(config({ transport }));
    const getToken = vi.fn(async () => null);
    expect(RealtimeManager.initialize(config({ getToken }))).toBe(first);
    expect(RealtimeManager.getInstance()).toBe(first);
    realtime.dispose();
  });

  it('uses the getToken of the last initialize(), also while it is connected', async () => {
    const realtime = createTestRealtime();
    const asked: string[] = [];
    const { manager } = realtime.createClient({
      tokenTtlSeconds: 60,
      getToken: async () => {
        asked.push('first');
        return realtime.broker.issueToken({ userId: '1', ttlSeconds: 60 });
      },
    });
    manager.subscribe('trpc:global', () => {}, { onLoss: () => {} });
    await realtime.settled();
    manager.configure({
      wsUrl: 'ws://test/connection/websocket',
      getToken: async () => {
        asked.push('second');
        return realtime.broker.issueToken({ userId: '1', ttlSeconds: 600 });
      },
    });
    await realtime.advance(61_000);
    expect(asked).toEqual(['first', 'second']);
    realtime.dispose();
  });

  it('is refused for another wsUrl until dispose(), without either URL in the error', () => {
    const first = RealtimeManager.initialize(config({ wsUrl: `wss://${SECRET_PART}/a` }));
    let message = '';
    try {
      RealtimeManager.initialize(config({ wsUrl: `wss://${SECRET_PART}/b` }));
    } catch (error) {
      expect(error).toMatchObject({ code: 'already_initialized' });
      message = (error as Error).message;
    }
    expect(message).toContain('dispose()');
    expect(message).not.toContain('internal.example');
    first.dispose();
    expect(() => RealtimeManager.getInstance()).toThrow();
    expect(RealtimeManager.initialize(config({ wsUrl: `wss://${SECRET_PART}/b` }))).not.toBe(first);
  });

  it('outlives a hot reload of the module', async () => {
    const first = RealtimeManager.initialize(config());
    vi.resetModules();
    const reloaded = await import('./realtime-manager.ts');
    expect(reloaded.RealtimeManager).not.toBe(RealtimeManager);
    expect(reloaded.RealtimeManager.getInstance()).toBe(first);
    expect(reloaded.RealtimeManager.initialize(config())).toBe(first);
  });

  it('is not ended by the dispose() of another instance', () => {
    const first = RealtimeManager.initialize(config());
    new RealtimeManager(config()).dispose();
    expect(RealtimeManager.getInstance()).toBe(first);
  });
});

describe('the configuration', () => {
  it.each([
    ['no wsUrl (an unset variable)', { wsUrl: undefined as unknown as string }, /NEXT_PUBLIC_CENTRIFUGO_WS_URL/],
    ['an empty wsUrl', { wsUrl: '' }, /NEXT_PUBLIC_CENTRIFUGO_WS_URL/],
    ['an http URL', { wsUrl: `http://${SECRET_PART}/` }, /ws:\/\//],
    ['no getToken', { getToken: undefined as unknown as RealtimeConfig['getToken'] }, /getToken/],
  ])('is refused with %s, at initialize(), without the URL in the error', (_name, over, pattern) => {
    let caught: unknown;
    try {
      RealtimeManager.initialize(config(over));
    } catch (error) {
      caught = error;
    }
    expect(caught).toMatchObject({ code: 'invalid_config', message: expect.stringMatching(pattern) });
    expect((caught as Error).message).not.toContain('internal.example');
    expect(() => RealtimeManager.getInstance()).toThrow();
  });
});

describe('loading', () => {
  class SlowManager extends RealtimeManager {
    loads = 0;
    failures = 0;
    protected override async loadParts(): Promise<ClientParts> {
      this.loads++;
      if (this.failures-- > 0) throw new TypeError('Failed to fetch dynamically imported module');
      return { Connection };
    }
  }

  it('waits for the first need: making a manager, giving it grants and asking its status opens nothing', async () => {
    const realtime = createTestRealtime();
    const manager = new SlowManager(config({ clock: realtime.clock }));
    manager.addGrant(realtime.grant('1', 'trpc:org:1'));
    manager.onStatus(() => {});
    manager.reconnect();
    manager.isConnectionChannel('trpc:global');
    await realtime.advance(60_000);
    expect(manager.loads).toBe(0);
    expect(manager.status.state).toBe('idle');
    expect(realtime.clock.pending).toBe(0);
  });

  it('that fails is tried again, visible in the status, and loses no subscription', async () => {
    const realtime = createTestRealtime();
    const errors: string[] = [];
    const manager = new SlowManager(
      config({ clock: realtime.clock, websocket: class {}, onError: ({ code }) => errors.push(code) }),
    );
    manager.failures = 2;
    const states: string[] = [];
    manager.onStatus(({ state }) => states.push(state));
    const end = manager.subscribe('trpc:global', () => {});
    manager.subscribe('trpc:org:1', () => {});
    await realtime.settled();
    expect(manager.status).toMatchObject({ state: 'reconnecting', reason: { code: 'disconnected' } });
    end();
    await realtime.advance(10_000);
    expect(manager.loads).toBe(3);
    expect(errors).toEqual(['disconnected', 'disconnected']);
    expect(states).toEqual(['connecting', 'reconnecting', 'reconnecting', 'connecting', 'unauthorized']);
    manager.dispose();
  });

  it('ends as failed, with the reason, on a platform without a WebSocket', async () => {
    vi.stubGlobal('WebSocket', undefined);
    const realtime = createTestRealtime();
    const errors: string[] = [];
    const manager = new SlowManager(config({ clock: realtime.clock, onError: ({ code }) => errors.push(code) }));
    manager.subscribe('trpc:global', () => {});
    await realtime.advance(60_000);
    expect(manager.status).toMatchObject({ state: 'failed', reason: { code: 'invalid_config' } });
    expect(errors).toEqual(['invalid_config']);
    await expect(manager.rpc('x')).rejects.toMatchObject({ code: 'invalid_config' });
    manager.dispose();
    vi.unstubAllGlobals();
  });

  it('brings the WebSocket of ws on a Node without one, and leaves the own one alone', async () => {
    class Probe extends NodeManager {
      parts = () => this.loadParts();
    }
    const own = class {};
    vi.stubGlobal('WebSocket', own);
    expect((await new Probe(config()).parts()).websocket).toBeUndefined();
    vi.stubGlobal('WebSocket', undefined);
    const { WebSocket } = await import('ws');
    expect((await new Probe(config()).parts()).websocket).toBe(WebSocket);
    vi.unstubAllGlobals();
  });
});
