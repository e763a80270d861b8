import { type Broker, type BrokerOptions, startBroker } from '@op/realtime-broker';
import { afterEach, describe, expect, it } from 'vitest';
import { appVariables, KEY, SECRET } from '../../../test/clinic.ts';
import { FakeApi } from '../../../test/fake-api.ts';
import { recordingTerminal } from '../../../test/recording-terminal.ts';
import { encodeChannelId } from '../../core/channel.ts';
import { createRealtime } from '../../server/create-realtime.ts';
import { main } from '../main.ts';
import { tail } from './tail.ts';

const closing: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

async function broker(
  port = 0,
  trpc: NonNullable<NonNullable<BrokerOptions['channel']>['namespaces']>[string] = {},
): Promise<Broker> {
  const started = await startBroker({
    port,
    httpApi: { key: KEY },
    client: { token: { hmacSecretKey: SECRET } },
    channel: { namespaces: { trpc: { historySize: 10, historyTtlMs: 60_000, forceRecovery: true, ...trpc } } },
  });
  closing.push(() => started.close());
  return started;
}

async function run(env: Record<string, string | undefined>, ...args: string[]) {
  const terminal = recordingTerminal({ env });
  const code = await main(args, terminal);
  const [out, err] = [terminal.stdout(), terminal.stderr()];
  for (const value of [KEY, SECRET, env.CENTRIFUGO_API_KEY, env.CENTRIFUGO_API_URL])
    if (value) expect(out + err).not.toContain(value);
  return { code, out, err };
}

const claimsOf = (token: string): unknown => JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString());
const nowSeconds = () => Math.floor(Date.now() / 1000);

describe('op-realtime token', () => {
  it.each([
    ['007', '007'],
    ['12345678901234567890', '12345678901234567890'],
    ['-x', '-x'],
    ['a=b', 'a=b'],
    ['auth0|42', encodeChannelId('auth0|42')],
    ['é', encodeChannelId('é')],
  ])(
    'signs for the user %s, just as typed, and prints nothing else',
    async (user, channelId) => {
      const { code, out, err } = await run(appVariables(1), 'token', `--user=${user}`);
      expect({ code, err }).toEqual({ code: 0, err: '' });
      expect(out).toMatch(/^[\w-]+\.[\w-]+\.[\w-]+$/);
      expect(claimsOf(out)).toMatchObject({
        sub: user,
        subs: { 'trpc:global': {}, [`trpc:user:${channelId}`]: {} },
      });
    },
    30_000,
  );

  it('signs for a connection or for a channel, each with its usual life or the one that is asked for', async () => {
    const claims = async (...args: string[]) =>
      claimsOf((await run(appVariables(1), 'token', '--user', '7', ...args)).out) as Record<string, number>;
    const lifeOf = ({ exp = 0, iat = 0 }: Record<string, number>) => exp - iat;
    expect(await claims()).toMatchObject({ subs: { 'trpc:global': {}, 'trpc:user:7': {} } });
    expect(lifeOf(await claims())).toBe(86_400);
    expect(await claims('--channel', 'trpc:org:1')).toMatchObject({ channel: 'trpc:org:1' });
    expect(lifeOf(await claims('--channel', 'trpc:org:1'))).toBe(600);
    expect(lifeOf(await claims('--ttl', '90'))).toBe(90);
    expect(lifeOf(await claims('--ttl', '2h'))).toBe(7200);
    expect((await claims()).iat).toBeLessThanOrEqual(nowSeconds());
  });

  it('tells a person what it is, beside the result', async () => {
    const terminal = recordingTerminal({ env: appVariables(1), isWatched: true });
    await main(['token', '--user', '7\u001b[2J', '--channel', 'trpc:org:1'], terminal);
    expect(terminal.stderr()).toBe('Channel token for trpc:org:1, user 7\\u001b[2J, for 10 min.');
    expect(terminal.stdout().split('.')).toHaveLength(3);
  });

  it.each([
    ['nobody', ['token'], 2, 'Say --user <id>.'],
    ['an empty user', ['token', '--user', ''], 2, '--user needs a value'],
    ['a channel of another form', ['token', '--user', '7', '--channel', 'org:7'], 2, 'Did you mean trpc:org:7?'],
    ['a life that is none', ['token', '--user', '7', '--ttl', 'soon'], 2, '--ttl must be a time such as 600'],
    ['a life of nothing', ['token', '--user', '7', '--ttl', '0'], 2, '--ttl must be'],
    ['a life without end', ['token', '--user', '7', '--ttl', '9999d'], 2, 'at most a year'],
  ])('answers %s with what is wrong', async (_, args, code, message) => {
    expect(await run(appVariables(1), ...args)).toEqual({ code, out: '', err: expect.stringContaining(message) });
  });

  it('names the variable that is missing, and who examines the rest', async () => {
    const { code, out, err } = await run({ CENTRIFUGO_API_KEY: 'x' }, 'token', '--user', '7');
    expect({ code, out }).toEqual({ code: 1, out: '' });
    expect(err).toBe('error CENTRIFUGO_TOKEN_SECRET is not set. What is wrong: op-realtime doctor');
  });
});

describe('op-realtime publish', () => {
  const MESSAGE = '{"type":"query-invalidation","queryKey":["user"]}';

  it('publishes, and says where the message stands', async () => {
    const { port } = await broker();
    expect(await run(appVariables(port), 'publish', 'trpc:org:1', MESSAGE)).toMatchObject({
      code: 0,
      err: '',
      out: expect.stringMatching(/^Published to trpc:org:1 as number 1 \(epoch \w+\)\.$/),
    });
    const { out } = await run(appVariables(port), 'publish', 'trpc:org:1', MESSAGE, '--json');
    expect(JSON.parse(out)).toEqual({ channel: 'trpc:org:1', position: { epoch: expect.any(String), offset: 2 } });
    const realtime = createRealtime({ apiUrl: appVariables(port).CENTRIFUGO_API_URL, apiKey: KEY });
    expect((await realtime.history('trpc:org:1', { limit: 9 })).publications.map(({ data }) => data)).toEqual([
      JSON.parse(MESSAGE),
      JSON.parse(MESSAGE),
    ]);
  });

  it.each([
    ['no message', ['publish', 'trpc:org:1'], '<json> is missing.'],
    ['no JSON', ['publish', 'trpc:org:1', '{type:1}'], 'single quotes'],
    ['JSON that is no message', ['publish', 'trpc:org:1', '[1]'], 'expected an object, got array'],
    ['an unknown type', ['publish', 'trpc:org:1', '{"type":"\\u001b[2J"}'], 'unknown type'],
    ['a channel of another form', ['publish', 'org:1', MESSAGE], 'Did you mean trpc:org:1?'],
    ['a message in pieces', ['publish', 'trpc:org:1', '{"type":', '"event"}'], 'a word too many'],
  ])('answers %s with 2 and what is wrong', async (_, args, message) => {
    const { code, out, err } = await run(appVariables(1), ...args);
    expect({ code, out }).toEqual({ code: 2, out: '' });
    expect(err).toContain(message);
    expect(err).not.toContain('\u001b');
  });

  it('names a wrong key without printing it, and a broker that is down', async () => {
    const { port } = await broker();
    const wrong = await run(
      { ...appVariables(port), CENTRIFUGO_API_KEY: 'a-key-of-another-broker' },
      'publish',
      'trpc:org:1',
      MESSAGE,
    );
    expect(wrong).toEqual({
      code: 1,
      out: '',
      err: expect.stringMatching(/refused the key.* What is wrong: op-realtime doctor$/),
    });
    expect(await run(appVariables(1), 'publish', 'trpc:org:1', MESSAGE)).toEqual({
      code: 1,
      out: '',
      err: expect.stringContaining('cannot be reached'),
    });
  });
});

describe('op-realtime tail', () => {
  function follow(port: number, options: { isJson?: boolean; user?: string } = {}) {
    const terminal = recordingTerminal({ env: appVariables(port) });
    const stop = new AbortController();
    const ended = tail({ channel: 'trpc:org:1', ...options }, terminal, stop.signal);
    const end = () => {
      stop.abort();
      return ended.catch(() => 1);
    };
    closing.push(end);
    return { terminal, ended, end };
  }
  const realtimeOn = (port: number) => createRealtime({ apiUrl: appVariables(port).CENTRIFUGO_API_URL, apiKey: KEY });
  const soon = { timeout: 25_000 };

  it('prints what is published, until it is stopped', async () => {
    const { port } = await broker();
    const { terminal, end } = follow(port);
    await expect.poll(terminal.stderr, soon).toMatch(/^Joined trpc:org:1 at number 0, epoch \w+\.$/);
    await realtimeOn(port).publish('trpc:org:1', { type: 'event', name: '\u009b2J', data: [1] });
    await expect
      .poll(terminal.stdout, soon)
      .toMatch(/^\d\d:\d\d:\d\d #1 \{"type":"event","name":"\\u009b2J","data":\[1\]\}$/);
    expect(await end()).toBe(0);
  });

  it('prints one JSON object per line for programs', async () => {
    const { port } = await broker();
    const { terminal } = follow(port, { isJson: true });
    await expect.poll(terminal.stderr, soon).toContain('Joined');
    await realtimeOn(port).publish('trpc:org:1', { type: 'channel-invalidation' }, { tags: { by: 'test' } });
    await expect.poll(terminal.stdout, soon).not.toBe('');
    expect(JSON.parse(terminal.stdout())).toEqual({
      kind: 'publication',
      channel: 'trpc:org:1',
      position: { epoch: expect.any(String), offset: 1 },
      recovered: false,
      tags: { by: 'test' },
      data: { type: 'channel-invalidation' },
    });
  });

  it('shows who joins and leaves, where the namespace tells', async () => {
    const { port } = await broker(0, { joinLeave: true, presence: true, allowPresenceForSubscriber: true });
    const first = follow(port);
    await expect.poll(first.terminal.stderr, soon).toContain('Joined');
    const second = follow(port, { user: 'mei', isJson: true });
    await expect.poll(first.terminal.stdout, soon).toMatch(/\+ user mei \(/);
    await second.end();
    await expect.poll(first.terminal.stdout, soon).toMatch(/- user mei \(/);
  });

  it('goes on after the connection was lost, with what was missed', async () => {
    const { port } = await broker();
    const { terminal } = follow(port);
    await expect.poll(terminal.stderr, soon).toContain('Joined');
    const realtime = realtimeOn(port);
    await realtime.disconnect('op-realtime-tail', { code: 4000, reason: 'come back' });
    await realtime.publish('trpc:org:1', { type: 'channel-invalidation' });
    await expect.poll(terminal.stdout, soon).toContain('#1 {"type":"channel-invalidation"}');
    await expect.poll(terminal.stderr, soon).toContain('Joined again; nothing was lost');
  });

  it('goes on after the broker was restarted, and says that something may be lost', async () => {
    const first = await broker();
    const { terminal } = follow(first.port);
    await expect.poll(terminal.stderr, soon).toContain('Joined');
    await first.close();
    await expect.poll(terminal.stderr, soon).toContain('The broker cannot be reached; trying again.');
    await broker(first.port);
    await expect.poll(terminal.stderr, soon).toMatch(/Joined again at number 0.*not to be had any more/);
    await realtimeOn(first.port).publish('trpc:org:1', { type: 'channel-invalidation' });
    await expect.poll(terminal.stdout, soon).toContain('#1 ');
  });

  it('waits for a broker that is not there yet, and says so once', async () => {
    const terminal = recordingTerminal({ env: appVariables(1) });
    const stop = new AbortController();
    const ended = tail({ channel: 'trpc:org:1' }, terminal, stop.signal);
    await expect.poll(terminal.stderr, soon).toBe('The broker cannot be reached; trying again.');
    stop.abort();
    expect(await ended).toBe(0);
  });

  it('ends where the broker refuses for good, and says who examines that', async () => {
    const { port } = await broker();
    const env = { ...appVariables(port), CENTRIFUGO_TOKEN_SECRET: 'a-secret-of-another-broker' };
    const refused = expect.objectContaining({
      code: 'refused',
      message: expect.stringMatching(/\(3500\)\. What is wrong: op-realtime doctor$/),
    });
    await expect(
      tail({ channel: 'trpc:org:1' }, recordingTerminal({ env }), new AbortController().signal),
    ).rejects.toEqual(refused);
    const other = await startBroker({ port: 0, client: { token: { hmacSecretKey: SECRET } } });
    closing.push(() => other.close());
    await expect(follow(other.port).ended).rejects.toMatchObject({
      message: expect.stringContaining('refuses the channel trpc:org:1 (102)'),
    });
  });
});

describe('op-realtime info', () => {
  it('shows what the broker says of its nodes', async () => {
    const { port } = await broker();
    const { code, out } = await run(appVariables(port), 'info');
    expect(code).toBe(0);
    expect(out).toMatch(
      /Node .*\(Centrifugo 6\.[\d.]+ OSS\)\nUptime +\d+ s\nConnections +0, of 0 users\nChannels +0\nSubscriptions +0$/,
    );
    const { out: json } = await run(appVariables(port), 'info', '--json');
    expect(JSON.parse(json)).toEqual({
      nodes: [expect.objectContaining({ connections: 0, version: expect.stringContaining('6.') })],
    });
  });

  it('shows several nodes, whatever their names hold', async () => {
    const api = await FakeApi.start();
    closing.push(() => api.close());
    const node = (name: unknown) => ({
      name,
      version: '6.9.1',
      num_clients: 2,
      num_users: 1,
      num_channels: 3,
      num_subs: 4,
      uptime: 93_784,
    });
    api.handler = () => ({ body: { result: { nodes: [node('a\u001b[2J'), node(7), 'none'] } } });
    const { out } = await run({ ...appVariables(1), CENTRIFUGO_API_URL: api.url }, 'info');
    expect(out).toContain('a\\u001b[2J (Centrifugo 6.9.1)\nUptime        1 d 2 h\nConnections   2, of 1 user\n');
    expect(out).toContain('Together      2 nodes, 4 connections');
  });

  it('says so where something else answers', async () => {
    const api = await FakeApi.start();
    closing.push(() => api.close());
    api.handler = () => ({ body: { result: {} } });
    expect(await run({ ...appVariables(1), CENTRIFUGO_API_URL: api.url }, 'info')).toEqual({
      code: 1,
      out: '',
      err: expect.stringContaining('not that of Centrifugo'),
    });
  });
});
