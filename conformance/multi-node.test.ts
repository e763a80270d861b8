import { createRealtime, type Realtime } from '@op/realtime/server';
import pg from 'pg';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { eventually } from '../test/eventually.ts';
import { hasLane, LANES } from '../test/lanes.ts';
import { findPostgres } from '../test/postgres.ts';
import { type Balancer, startBalancer } from './cluster/balancer.ts';
import { type Cluster, runningNodes, startDatabase, startNodes, startStore } from './cluster/cluster.ts';
import { type Seen, Tab } from './cluster/tab.ts';
import { findCentrifugo } from './drivers/centrifugo.ts';
import { SECRETS } from './environments.ts';

/** Several Centrifugo nodes as `deploy/` sets them up, and the library's own client and server on them. */

const source = findCentrifugo();
const binary = source?.kind === 'binary' ? source.path : undefined;
const urls = source?.kind === 'url' ? source.urls : [];
const redisServer = LANES.redis.find();
const postgresFolder = findPostgres();
const hasRedis = hasLane('redis', redisServer);
const hasPostgres = hasLane('postgres', postgresFolder);
const skip = (what: string) => process.stderr.write(`\nlane multi-node SKIPPED: ${what}\n`);

if (!binary && urls.length < 2)
  skip(
    'needs CENTRIFUGO_BIN, or CENTRIFUGO_TEST_URL with several nodes. Only the stores start, with the settings of deploy/',
  );
if (urls.length > 1)
  skip('nodes that run elsewhere are not killed, and their presence is not asked for. CENTRIFUGO_BIN runs these parts');

interface Kind {
  readonly name: string;
  readonly runs: boolean;
  /** Whether presence is for all nodes. */
  readonly sharesPresence: boolean;
  start(): Promise<Cluster>;
}

const PRESENCE = { CENTRIFUGO_CHANNEL_NAMESPACES_TRPC_PRESENCE: 'true' };

/** The store ends after its nodes. */
const withStore = async (store: { close(): Promise<void> }, start: () => Promise<Cluster>): Promise<Cluster> => {
  const cluster = await start().catch(async (error: unknown) => {
    await store.close();
    throw error;
  });
  return {
    nodes: cluster.nodes,
    close: async () => {
      await cluster.close();
      await store.close();
    },
  };
};

const KINDS: readonly Kind[] = [
  {
    name: 'Redis',
    runs: !!binary && hasRedis,
    sharesPresence: true,
    async start() {
      const redis = await startStore(redisServer!);
      const addresses = { ...PRESENCE, CENTRIFUGO_ENGINE_REDIS_ADDRESS: redis.url };
      return withStore(redis, () => startNodes(binary!, 'redis', addresses));
    },
  },
  {
    name: 'PostgreSQL',
    runs: !!binary && hasPostgres,
    sharesPresence: false,
    async start() {
      const database = await startDatabase(postgresFolder!);
      const addresses = {
        CENTRIFUGO_BROKER_POSTGRES_DSN: database.url,
        CENTRIFUGO_CONTROLLER_POSTGRES_DSN: database.url,
      };
      return withStore(database, () => startNodes(binary!, 'postgres', addresses));
    },
  },
  {
    name: 'CENTRIFUGO_TEST_URL',
    runs: urls.length > 1,
    sharesPresence: false,
    start: async () => runningNodes(urls),
  },
];

const apiOf = (apiUrl: string) =>
  createRealtime({
    apiUrl,
    apiKey: SECRETS.api,
    tokenSecret: SECRETS.token,
    subscriberCountMaxAgeMs: 1,
    timeoutMs: 20_000,
    spread: () => 0,
  });

let runs = 0;
/** A channel of its own for each test, also on servers that live longer than it. */
const ownChannel = () => `trpc:org:multi-node-${process.pid}-${Date.now()}-${runs++}` as const;
const event = (data: number) => ({ type: 'event', name: 'number', data }) as const;
const upTo = (count: number) => Array.from({ length: count }, (_, at) => at + 1);

describe.each(KINDS.filter(({ runs }) => runs))('nodes that share $name', ({ sharesPresence, start }) => {
  let cluster: Cluster;
  let apis: readonly Realtime[];
  const tabs: Tab[] = [];
  const tab = (...args: ConstructorParameters<typeof Tab>): Tab => {
    const opened = new Tab(...args);
    tabs.push(opened);
    return opened;
  };

  beforeAll(async () => {
    cluster = await start();
    apis = cluster.nodes.map(({ apiUrl }) => apiOf(apiUrl));
  });
  afterEach(() => {
    for (const opened of tabs.splice(0)) opened.close();
  });
  afterAll(() => cluster?.close());

  const joined = (all: readonly Seen[]) =>
    eventually(() => {
      for (const { joins } of all) expect(joins.length).toBeGreaterThan(0);
    });

  it('know all variables that they are given, and each other', async () => {
    for (const node of cluster.nodes) expect(node.logs()).not.toMatch(/unknown var in environment/);
    for (const { apiUrl } of cluster.nodes)
      await eventually(async () => {
        const headers = { 'X-API-Key': SECRETS.api };
        const response = await fetch(`${apiUrl}/info`, { method: 'POST', headers, body: '{}' });
        const info = (await response.json()) as { result: { nodes: unknown[] } };
        expect(info.result.nodes).toHaveLength(cluster.nodes.length);
      });
  });

  it('give what is published on any of them to the clients of all, in one order', async () => {
    const channel = ownChannel();
    const seen = cluster.nodes.map(({ publicUrl }, at) => tab(publicUrl, `ann-${at}`, apis[0]!).listen(channel));
    await joined(seen);
    for (const number of upTo(40)) await apis[number % apis.length]!.publish(channel, event(number));
    for (const { numbers, offsets } of seen) {
      await eventually(() => expect(numbers).toHaveLength(40));
      expect(numbers).toEqual(upTo(40));
      expect(offsets).toEqual(upTo(40));
    }
  });

  it('keep queries live from the first publication of a channel on, which with PostgreSQL has no epoch before it', async () => {
    const channel = ownChannel();
    const database = { value: 0 };
    const shown = cluster.nodes.map(({ publicUrl }, at) =>
      tab(publicUrl, `ann-${at}`, apis[0]!).show(
        channel,
        () => apis[1]!,
        () => ({ ...database }),
      ),
    );
    const allLive = (value: number) =>
      eventually(() => {
        for (const one of shown) expect([one.data(), one.state()]).toEqual([{ value }, 'live']);
      });
    await allLive(0);
    for (const value of upTo(3)) {
      database.value = value;
      await apis[value % apis.length]!.publish(channel, { type: 'channel-invalidation' });
      await allLive(value);
    }
  });

  it('tell the same position and history, whichever is asked', async () => {
    const channel = ownChannel();
    const published = await apis[0]!.publish(channel, event(1));
    await apis[1]!.publish(channel, event(2));
    const answers = await Promise.all(apis.map((api) => api.history(channel, { limit: -1 })));
    for (const { position, publications } of answers) {
      expect(position).toEqual({ epoch: published.position!.epoch, offset: 2 });
      expect(publications.map(({ data }) => (data as { data: number }).data)).toEqual([1, 2]);
    }
    for (const api of apis) expect((await api.positions([channel])).get(channel)).toEqual(answers[0]!.position);
  });

  it('count subscribers and connections over all nodes', async () => {
    const channel = ownChannel();
    const [first, second] = cluster.nodes;
    const opened = [first!, first!, second!].map(({ publicUrl }) => tab(publicUrl, 'ann', apis[0]!));
    await joined(opened.map((one) => one.listen(channel)));
    for (const api of apis) {
      await eventually(async () => expect(await api.subscriberCount(channel)).toBe(3));
      await eventually(async () => expect(await api.connectionCount()).toBeGreaterThanOrEqual(3));
      if (sharesPresence) expect(await api.presenceStats(channel)).toEqual({ clients: 3, users: 1 });
    }
  });

  it('end revoked subscriptions on all nodes, and no others', async () => {
    const channel = ownChannel();
    let isMember = true;
    const ann = cluster.nodes.map(({ publicUrl }) => tab(publicUrl, 'ann', apis[0]!, () => isMember).listen(channel));
    const bob = tab(cluster.nodes[1]!.publicUrl, 'bob', apis[0]!).listen(channel);
    await joined([...ann, bob]);
    isMember = false;
    await apis[0]!.revoke('ann', channel);
    for (const { losses } of ann) await eventually(() => expect(losses.length).toBeGreaterThan(0));
    for (const api of apis) await eventually(async () => expect(await api.subscriberCount(channel)).toBe(1));
    await apis[0]!.publish(channel, event(1));
    await eventually(() => expect(bob.numbers).toEqual([1]));
    expect(bob.losses).toEqual([]);
    expect(ann.flatMap(({ numbers }) => numbers)).toEqual([]);
  });
});

describe.each(KINDS.filter(({ runs, name }) => runs && name !== 'CENTRIFUGO_TEST_URL'))(
  'a killed node among those that share $name',
  ({ start }) => {
    let cluster: Cluster;
    let balancer: Balancer;
    const tabs: Tab[] = [];
    beforeAll(async () => {
      cluster = await start();
      balancer = await startBalancer(cluster.nodes.map(({ publicUrl }) => Number(new URL(publicUrl).port)));
    });
    afterAll(async () => {
      for (const tab of tabs) tab.close();
      await balancer?.close();
      await cluster?.close();
    });

    it('leaves its clients to the others, which miss nothing; their queries end equal to the database', async () => {
      const channel = ownChannel();
      const queried = ownChannel();
      const [doomed, staying] = cluster.nodes.map(({ apiUrl }) => apiOf(apiUrl));
      const database = { value: 0 };
      await staying!.publish(channel, event(0)); // with PostgreSQL a stream has no epoch before: it would be joined a second time
      for (const user of ['ann', 'bob', 'cem', 'dee'])
        tabs.push(new Tab(`http://127.0.0.1:${balancer.port}`, user, staying!));
      const seen = tabs.map((tab) => tab.listen(channel));
      const shown = tabs.map((tab) =>
        tab.show(
          queried,
          () => staying!,
          () => ({ ...database }),
        ),
      );
      await eventually(() => {
        for (const { joins } of seen) expect(joins).toEqual(['fresh']);
        for (const { data } of shown) expect(data()).toEqual({ value: 0 });
        expect(balancer.open).toEqual([2, 2]);
      });
      const write = async (api: Realtime, number: number) => {
        database.value = number;
        await api.publish(channel, event(number));
        await api.publish(queried, { type: 'channel-invalidation' });
      };
      for (const number of upTo(20)) await write(number % 2 ? doomed! : staying!, number);
      const killed = cluster.nodes[0]!.kill!();
      for (const number of upTo(60).slice(20)) await write(staying!, number);
      await killed;
      await eventually(() => {
        for (const { numbers } of seen) expect(numbers).toHaveLength(60);
        expect(balancer.open).toEqual([0, 4]);
        for (const { data } of shown) expect(data()).toEqual({ value: 60 });
      });
      for (const { numbers } of seen) expect(numbers).toEqual(upTo(60));
      // Two had to move and recovered; the other two never lost their node.
      const joins = seen.map((one) => one.joins.join(' ')).sort();
      expect(joins).toEqual(['fresh', 'fresh', 'fresh recovered', 'fresh recovered']);
    });
  },
);

describe.skipIf(!hasRedis)('the Redis of deploy/', () => {
  it('starts with its settings, keeps what it is given, and evicts nothing', async () => {
    const redis = await startStore(redisServer!);
    try {
      expect(await redis.ask('CONFIG', 'GET', 'maxmemory-policy')).toContain('noeviction');
      expect(await redis.ask('CONFIG', 'GET', 'maxmemory')).toContain(String(512 * 1024 * 1024));
      expect(await redis.ask('CONFIG', 'GET', 'appendonly')).toContain('yes');
      // What Centrifugo keeps histories in.
      expect((await redis.ask('XADD', 'stream', '*', 'd', 'data'))[0]).toMatch(/^\d+-0$/);
    } finally {
      await redis.close();
    }
  });
});

describe.skipIf(!hasPostgres)('the PostgreSQL of deploy/', () => {
  it('starts with its settings, and has room for the connections of several nodes', async () => {
    const database = await startDatabase(postgresFolder!);
    try {
      const client = new pg.Client({ connectionString: database.url });
      await client.connect();
      const { rows } = await client.query('SHOW max_connections');
      await client.end();
      expect(rows).toEqual([{ max_connections: '200' }]);
    } finally {
      await database.close();
    }
  });
});
