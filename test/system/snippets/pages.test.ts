import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { RealtimeManager } from '../../../packages/realtime/src/client/index.node.ts';
import type { ChannelName } from '../../../packages/realtime/src/core/channel.ts';
import { openEnvelope } from '../../../packages/realtime/src/trpc/metadata.ts';
import { parseMeta } from '../../../packages/realtime/src/trpc/parse-meta.ts';
import { freePort } from '../../free-port.ts';
import { filesOf, snippetIn, snippetsOf } from '../../markdown.ts';
import { account } from '../../snippets/account.ts';
import { createFolder, createStage, openTab, type Stage, takeTab, untilSaid } from './stage.ts';

let stage: Stage;
beforeAll(async () => {
  stage = await createStage();
});
afterAll(() => stage?.close());

/** Whether somebody hears the channel, so that what is published next is heard. */
const heard = (channel: ChannelName) =>
  expect.poll(async () => (await stage.realtime.presenceStats(channel)).clients).toBeGreaterThan(0);

describe('README.md', () => {
  const page = 'README.md';

  it('says what a query depends on and a mutation touches', async (context) => {
    const snippet = snippetIn(page, 'watches(');
    const { posts } = await stage.open(page).play(snippet);
    const caller = posts.createCaller({});
    expect(await caller.list({ orgId: '7' })).toEqual(['their posts']);
    const types: string[] = [];
    openTab(stage).subscribe('trpc:org:7', ({ type }) => types.push(type));
    await heard('trpc:org:7');
    await caller.create({ orgId: '7' });
    await expect.poll(() => types).toEqual(['channel-invalidation']);
    account(context, 'run', snippet);
  });

  it('names channels as it says', async (context) => {
    const snippet = snippetIn(page, 'pollVotes');
    const [line = '', call = '', expected = ''] = /^(AppChannels.*\)); \/\/ '(.*)'$/m.exec(snippet.code) ?? [];
    expect(line).not.toBe('');
    await stage.open(page).play(snippet, { after: `console.log(${call});` });
    expect(stage.said).toEqual([expected]);
    account(context, 'run', snippet);
  });

  it('makes a token that the broker takes', async (context) => {
    const snippet = snippetIn(page, 'In the resolver of realtime.getToken');
    const { result } = await stage
      .open(page)
      .play(snippet, { before: "const userId = '5';", after: 'export { result };' });
    const manager = new RealtimeManager({ wsUrl: stage.broker.url, getToken: async () => result.token });
    await new Promise<void>((onJoin) => manager.subscribe('trpc:user:5', () => {}, { onJoin: () => onJoin() }));
    manager.dispose();
    account(context, 'run', snippet);
  });
});

it('README.md declares what a query depends on and what a mutation touches', async (context) => {
  const page = 'README.md';
  const snippet = snippetIn(page, 'watches(');
  const { posts } = await stage.open(page).play(snippet);
  const heardTypes: string[] = [];
  openTab(stage).subscribe('trpc:org:7', ({ type }) => heardTypes.push(type));
  await heard('trpc:org:7');
  const caller = posts.createCaller({});
  expect(await caller.list({ orgId: '7' })).toEqual(['their posts']);
  expect(heardTypes).toEqual([]);
  expect(await caller.create({ orgId: '7' })).toBe('a new post');
  await expect.poll(() => heardTypes).toEqual(['channel-invalidation']);
  account(context, 'run', snippet);
});

describe('PROTOCOL.md', () => {
  const page = 'PROTOCOL.md';

  it('prints a publication that the broker takes and a tab understands', async (context) => {
    const snippet = snippetIn(page, 'idempotency_key');
    const heardTypes: string[] = [];
    const tab = openTab(stage);
    tab.subscribe('trpc:org:7', ({ type }) => heardTypes.push(type));
    await heard('trpc:org:7');
    const answer = await fetch(`${stage.broker.apiUrl}/publish`, {
      method: 'POST',
      headers: { 'x-api-key': process.env.CENTRIFUGO_API_KEY ?? '' },
      body: snippet.code,
    });
    expect(await answer.json()).toHaveProperty('result.offset');
    await expect.poll(() => heardTypes).toEqual(['query-invalidation']);
    account(context, 'run', snippet);
  });

  it('prints an answer whose metadata the client reads', (context) => {
    const snippet = snippetIn(page, '~op/rt');
    const opened = openEnvelope(JSON.parse(snippet.code));
    expect(opened?.data).toEqual({ the: 'data' });
    expect(parseMeta(opened?.wire)).toMatchObject({ requestId: 'f3-12', channels: [{ channel: 'trpc:org:7' }] });
    account(context, 'run', snippet);
  });
});

describe('the pages of the packages', () => {
  it('what the server says, a tab hears', async (context) => {
    const page = 'packages/realtime/README.md';
    const subscribing = snippetIn(page, 'unsubscribe =');
    const publishing = snippetIn(page, 'realtime.publish');
    const opened = stage.open(page);
    openTab(stage);
    await opened.play(subscribing);
    await heard('trpc:user:123');
    await opened.play(publishing);
    await untilSaid(stage, 'Received: [object Object]');
    account(context, 'run', subscribing, publishing);
  });

  it('a broker starts in a program', async (context) => {
    const page = 'packages/broker/README.md';
    const snippet = snippetIn(page, 'startBroker');
    await stage.open(page).play(snippet);
    expect(stage.said.join()).toMatch(/^ws:\/\/\S+ http:\/\/\S+$/);
    account(context, 'run', snippet);
  });
});

it('docs/capacity.md spreads as it says', async (context) => {
  const page = 'docs/capacity.md';
  const snippet = snippetIn(page, 'perSubscriberMs');
  // One tab here does the work of 150,000: less than 100 ms is not spread, and more than 10 s only as this page says.
  const code = snippet.code.replace('perSubscriberMs: 1,', 'perSubscriberMs: 150_000,');
  const { realtime } = await stage.open(page).play({ ...snippet, code });
  const messages: object[] = [];
  openTab(stage).subscribe('trpc:global', (message) => messages.push(message));
  await heard('trpc:global');
  await realtime.publish('trpc:global', { type: 'channel-invalidation' });
  await expect.poll(() => messages).toEqual([{ type: 'channel-invalidation', spreadMs: 150_000 }]);
  account(context, 'run', snippet);
});

it('docs/cli.md examines a set-up in a program', async (context) => {
  const page = 'docs/cli.md';
  const snippet = snippetIn(page, 'diagnose');
  const { findings } = await stage.open(page).play(snippet, { after: 'export { findings };' });
  expect(findings.length).toBeGreaterThan(20);
  // The broker is on this machine, the page's origin is not: the one thing that is wrong here.
  expect(stage.said).toEqual([expect.stringContaining('env.agreement')]);
  account(context, 'run', snippet);
});

describe('docs/client.md', () => {
  const page = 'docs/client.md';

  it('configures a manager that asks the app for both kinds of token', async (context) => {
    const trpc = `
      import { realtime } from '@op/realtime/server';
      const query = async () => ({ token: await realtime.createConnectionToken({ userId: '3' }) });
      export const trpc = { realtime: { getToken: { query } } };
    `;
    const opened = stage.open(page, { 'trpc.ts': trpc });
    vi.stubGlobal('document', { cookie: 'session=1' });
    const { fetch: plain } = globalThis;
    vi.stubGlobal('fetch', async (url: string | URL, init: RequestInit) => {
      if (url !== '/api/channel-tokens') return plain(url, init);
      const channels: string[] = JSON.parse(String(init.body));
      const tokens = channels.map(async (channel) => [
        channel,
        await stage.realtime.createChannelToken({ userId: '3', channel: channel as never }),
      ]);
      return Response.json(Object.fromEntries(await Promise.all(tokens)));
    });
    const { manager } = (await opened.run('realtime.ts')) as { manager: RealtimeManager };
    await new Promise<void>((resolve) => manager.subscribe('trpc:org:7', () => {}, { onJoin: () => resolve() }));
    expect(stage.said.join('\n')).toContain('connected');
    vi.unstubAllGlobals();
    account(context, 'run', snippetIn(page, 'realtime.ts'));
  });

  it('sends and hears events', async (context) => {
    const opened = stage.open(page);
    openTab(stage);
    const { events } = await opened.run('events.ts');
    await heard('trpc:org:7');
    await stage.realtime.publish('trpc:org:7', events.create('typing', { userId: 'mei' }));
    await untilSaid(stage, 'mei');
    account(context, 'run', snippetIn(page, 'events.ts'));
  });
});

it('docs/devtools.md observes what happens', async (context) => {
  const page = 'docs/devtools.md';
  const snippet = snippetIn(page, 'refetch-ended');
  const opened = stage.open(page);
  const tab = openTab(stage);
  await opened.play(snippet);
  const gone = new Promise<void>((resolve) => tab.subscribe('trpc:org:7', () => {}, { onLoss: () => resolve() }));
  await heard('trpc:org:7');
  await stage.realtime.disconnect('123');
  await gone;
  await untilSaid(stage, 'trpc:org:7');
  account(context, 'run', snippet);
});

it('docs/devtools.md makes a plugin', async (context) => {
  const snippet = snippetIn('docs/devtools.md', 'realtimeDevtoolsPlugin()');
  const { plugins } = await stage.open('docs/devtools.md').play(snippet);
  expect(plugins).toMatchObject([{ id: 'op-realtime', name: 'Realtime', render: expect.any(Function) }]);
  account(context, 'run', snippet);
});

it('docs/observability.md reports, and stops', async (context) => {
  const page = 'docs/observability.md';
  const snippet = snippetIn(page, 'reportTelemetry');
  const opened = stage.open(page);
  openTab(stage);
  const { stop } = await opened.play(snippet, { after: 'export { stop };' });
  stop();
  account(context, 'run', snippet);
});

describe('docs/queries.md', () => {
  const page = 'docs/queries.md';

  it('carries data through a transformer', async (context) => {
    const snippet = snippetIn(page, 'carryFreshness');
    const { makeQueryClient, dehydrate } = await stage
      .open(page)
      .play(snippet, { after: "export { dehydrate } from '@tanstack/react-query';" });
    const client = makeQueryClient();
    const at = new Date(0);
    client.setQueryData(['posts'], { at });
    const [query] = JSON.parse(JSON.stringify(dehydrate(client))).queries;
    expect(client.getDefaultOptions().hydrate.deserializeData(query.state.data)).toEqual({ at });
    account(context, 'run', snippet);
  });

  it('makes a client within the process', async (context) => {
    const snippet = snippetIn(page, 'unstable_localLink');
    const { serverClient } = await stage.open(page).play(snippet);
    await expect(serverClient.missing.query()).rejects.toThrow('missing');
    account(context, 'run', snippet);
  });
});

it('docs/server-api.md publishes, and tells what went wrong elsewhere', async (context) => {
  const page = 'docs/server-api.md';
  const snippet = snippetIn(page, 'publish.ts');
  // Nobody is to be asked from here: an address of this machine at which nothing listens stands for the other broker.
  const code = snippet.code.replace('https://broker.example.com', `http://127.0.0.1:${await freePort()}`);
  vi.stubEnv('OTHER_KEY', 'a-key');
  await stage.open(page, { 'publish.ts': `const userId = '9';\n${code}` }).run('publish.ts');
  expect(stage.said[0]).toBe('1');
  expect(stage.said.slice(-1)).toEqual(['api_unavailable']);
  account(context, 'run', snippet);
});

it('docs/testing.md prints what it says', async (context) => {
  const page = 'docs/testing.md';
  const snippet = snippetIn(page, 'createTestRealtime');
  const promised = [...snippet.code.matchAll(/^console\.log\(seen.*\); \/\/ \[(.*)\]$/gm)].map(([, list = '']) =>
    list.slice(1, -1).split("', '").join(','),
  );
  expect(promised.length).toBe(2);
  await stage.open(page).play(snippet);
  expect(stage.said).toEqual([...promised, 'true']);
  account(context, 'run', snippet);
});

describe('docs/recipes/own-events.md', () => {
  const page = 'docs/recipes/own-events.md';

  it('hears what is said', async (context) => {
    const opened = stage.open(page);
    await opened.run('listen.ts');
    await untilSaid(stage, 'listening');
    await opened.run('say.ts');
    await seen(page);
    account(context, 'run', ...shown(page));
  });
});

/** Waits for what a page says that one will see. */
const seen = (page: string) =>
  untilSaid(stage, snippetsOf(page).find(({ run }) => run?.step === 'see')?.run?.expected ?? 'nothing');

/** What of a page runs without a shell: its files, and the lines that run them. */
const shown = (page: string) => snippetsOf(page).filter(({ file, run }) => file || run?.step === 'see');

it('docs/recipes/custom-channels.md grants one, refuses another, and carries the third in the token', async (context) => {
  const page = 'docs/recipes/custom-channels.md';
  const opened = stage.open(page);
  await opened.run('listen.ts');
  await untilSaid(stage, 'refused');
  await heard('trpc:poll-votes:42');
  await heard('trpc:tenant:acme');
  await opened.run('vote.ts');
  await seen(page);
  await untilSaid(stage, 'trpc:tenant:acme channel-invalidation');
  account(context, 'run', ...shown(page));
});

it('docs/recipes/presence.md says who is here', async (context) => {
  const page = 'docs/recipes/presence.md';
  const opened = stage.open(page);
  const { argv } = process;
  const managers: ReturnType<typeof takeTab>[] = [];
  for (const user of ['mei', 'amara']) {
    process.argv = [...argv.slice(0, 2), user];
    await opened.run('join.ts');
    await untilSaid(stage, `${user} joined`);
    managers.push(takeTab());
  }
  process.argv = argv;
  await opened.run('who.ts');
  await seen(page);
  for (const manager of managers) manager?.dispose();
  account(context, 'run', ...shown(page).filter(({ file }) => file !== 'Readers.tsx'));
  account(context, 'run', ...snippetsOf(page).filter(({ append }) => append)); // the stage's broker has these lines
});

it('docs/recipes/leaving.md hears by the official client what fetch published', async (context) => {
  const page = 'docs/recipes/leaving.md';
  const files = filesOf(page);
  const opened = stage.open(page, { 'listen.ts': `${files['listen.ts']}\nexport { client };` });
  const { client } = await opened.run('listen.ts');
  await untilSaid(stage, 'joined trpc:user:123');
  await opened.run('publish.ts');
  await untilSaid(stage, 'trpc:user:123 [object Object]');
  client.disconnect();
  account(context, 'run', ...shown(page));
});

it('docs/recipes/from-manual-invalidation.md invalidates what a message names, and everything after a loss', async (context) => {
  const page = 'docs/recipes/from-manual-invalidation.md';
  const code = `${filesOf(page)['by-hand.ts']}\nexport { QueryClient } from '@tanstack/react-query';`;
  const { invalidateByHand, QueryClient } = await stage.open(page, { 'by-hand.ts': code }).run('by-hand.ts');
  const queryClient = new QueryClient();
  const tab = openTab(stage);
  const isStale = (key: string) => queryClient.getQueryState([key])?.isInvalidated;
  for (const key of ['posts', 'people']) queryClient.setQueryData([key], 1);
  const stop = invalidateByHand(queryClient, '7');
  await heard('trpc:org:7');
  await stage.realtime.publish('trpc:org:7', { type: 'query-invalidation', queryKey: ['people'] });
  await expect.poll(() => isStale('people')).toBe(true);
  expect(isStale('posts')).toBe(false);
  expect(tab.status.state).toBe('connected');
  stop();
  account(context, 'run', ...shown(page));
});

it('docs/recipes/from-pusher-or-supabase.md keeps the handlers', async (context) => {
  const page = 'docs/recipes/from-pusher-or-supabase.md';
  const { bind, trigger } = await stage.open(page).run('adapter.ts');
  openTab(stage);
  const came: unknown[] = [];
  bind('private-org-7', 'created', (data: unknown) => came.push(data));
  await heard('trpc:org:7');
  await trigger('private-org-7', 'deleted', 1);
  await trigger('private-org-7', 'created', { id: 2 });
  await expect.poll(() => came).toEqual([{ id: 2 }]);
  expect(() => bind('private org', 'created', () => {})).toThrow('is no room');
  account(context, 'run', ...shown(page));
});

describe('docs/recipes/testing.md', async () => {
  const page = 'docs/recipes/testing.md';
  // Its tests are tests of this run.
  const folder = createFolder();
  afterAll(() => folder.remove());
  await folder.open(page).run('unread.test.ts');

  it('has as many tests as it says', (context) => {
    const { run, code } = snippetsOf(page).find((snippet) => snippet.run?.step === 'see')!;
    expect(code).toBe('npx vitest run');
    expect(`${filesOf(page)['unread.test.ts']?.match(/^it\(/gm)?.length} passed`).toBe(run?.expected);
    account(context, 'run', ...shown(page));
  });
});
