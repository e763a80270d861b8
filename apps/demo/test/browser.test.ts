import { createTRPCClient, httpLink } from '@trpc/client';
import type { Page } from 'playwright';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { findChromium, hasLane } from '../../../test/lanes.ts';
import { playTimely } from '../../../test/page-log.ts';
import type { AppRouter } from '../src/server/trpc/router.ts';
import { type DemoProcess, START_PATIENCE, startDemoProcess } from './demo-process.ts';
import { launchWindows, untilLive, untilShown, type Windows, write } from './windows.ts';

describe.skipIf(!hasLane('chromium', findChromium()))('the demo in a browser', () => {
  let demo: DemoProcess;
  let windows: Windows;

  beforeAll(async () => {
    [demo, windows] = await Promise.all([startDemoProcess(), launchWindows()]);
  }, START_PATIENCE.timeout);
  afterAll(async () => {
    await Promise.all([windows?.close(), demo?.stop()]);
  });
  beforeEach(({ onTestFailed }) => {
    onTestFailed(() => {
      process.stderr.write(`\nthe demo:\n${demo.output()}\n`);
    });
  });
  afterEach(async () => {
    await windows.closeAll();
    expect(windows.takeProblems()).toEqual([]);
  });

  /** The API as this person, without a browser. */
  const api = (personId: string) =>
    createTRPCClient<AppRouter>({
      links: [httpLink({ url: `${demo.url}/trpc`, headers: { 'x-demo-user': personId } })],
    });

  const openLive = async (path: string) => {
    const page = await windows.open(demo.url, path);
    await untilLive(page);
    return page;
  };

  const feedRequests = (page: Page) => windows.logOf(page).requests('feed.everybody');
  const untilQuiet = (page: Page) => windows.logOf(page).quiet();
  const unread = (page: Page) => page.getByTestId('unread');

  it('asks who one is, and shows a change made in one browser in another', async () => {
    const mei = await windows.open(demo.url, '/');
    await mei.getByRole('button', { name: 'Mei Tanaka' }).click();
    await untilLive(mei);
    const amara = await openLive('/?as=amara');
    await untilShown(amara, 'Street market this Saturday');

    await write(mei, 'The bakery has cardamom buns today, @amara.');
    await untilShown(amara, 'cardamom buns');
    await untilShown(mei, 'cardamom buns');
    await amara.getByText('mentions you').waitFor();

    const post = amara.locator('.post', { hasText: 'cardamom buns' });
    await post.getByRole('button', { name: /Applause/ }).click();
    await mei.locator('.post', { hasText: 'cardamom buns' }).getByRole('button', { name: 'Applause, 1' }).waitFor();
    await post.getByRole('button', { name: /Answer/ }).click();
    await amara.getByLabel('Your answer').fill('Save two for me!');
    await amara.getByLabel('Your answer').press('Enter');
    await mei.getByText('Save two for me!').first().waitFor();
    await mei.getByText('answered you').first().waitFor();
  });

  it('asks again where the window remembers somebody unknown', async () => {
    const page = await windows.open(demo.url, '/?as=nobody');
    await page.getByRole('heading', { name: 'Who are you in this window?' }).waitFor();
  });

  it('lets two windows of one browser be two people', async () => {
    const jonas = await openLive('/?as=jonas');
    const ines = await windows.openBeside(jonas, demo.url, '/?as=ines');
    await untilLive(ines);
    await jonas.reload();
    await jonas.getByText('Jonas Lindqvist', { exact: true }).first().waitFor();
    await ines.getByText('Inês Duarte', { exact: true }).first().waitFor();
    await write(ines, 'Two windows, two people.');
    await untilShown(jonas, 'Two windows, two people.');
    await write(jonas, 'And back again.');
    await untilShown(ines, 'And back again.');
  });

  it('shows an organisation feed to its members, and takes it away in the other window of one who leaves', async () => {
    const leila = await openLive('/o/choir?as=leila');
    const other = await windows.openBeside(leila, demo.url, '/o/choir?as=leila');
    const jonas = await openLive('/o/choir?as=jonas');
    await Promise.all([untilLive(other), ...[leila, other, jonas].map((page) => untilShown(page, 'winter programme'))]);

    await write(jonas, 'Rehearsal moves to the chapel.');
    await Promise.all([leila, other].map((page) => untilShown(page, 'moves to the chapel')));

    await leila.getByRole('button', { name: 'Leave' }).click();
    await other.getByRole('button', { name: 'Join' }).waitFor();
    await other.locator('.feed').waitFor({ state: 'detached' });
    await expect.poll(() => other.getByText('chapel').count()).toBe(0);
    await jonas.locator('.members').getByText('Leila').waitFor({ state: 'detached' });

    // Nor does anything come later: the grant is still valid, the subscription is not.
    await write(jonas, 'And begins at seven.');
    await untilShown(jonas, 'begins at seven');
    expect(await other.getByText('begins at seven').count()).toBe(0);

    await leila.getByRole('button', { name: 'Join' }).click();
    await Promise.all([leila, other].map((page) => untilShown(page, 'begins at seven')));
    await write(jonas, 'Welcome back.');
    await Promise.all([leila, other].map((page) => untilShown(page, 'Welcome back.')));
  });

  it('misses nothing when the broker is killed and comes back', async () => {
    const mei = await openLive('/?as=mei');
    const amara = await openLive('/o/food-coop?as=amara');
    await untilShown(amara, 'leeks, late apples');
    await write(mei, 'Before the broker dies.');

    await api('mei').chaos.setBroker.mutate({ isUp: false });
    await mei.locator('.pill[data-state=reconnecting]').waitFor();
    await amara.locator('.pill[data-state=reconnecting]').waitFor();
    // Committed, though nobody can be told.
    await api('ines').post.create.mutate({ orgId: null, body: 'Said while nobody could hear.' });
    await api('ines').post.create.mutate({ orgId: 'food-coop', body: 'The spelt has arrived, @amara.' });
    expect(await mei.getByText('nobody could hear').count()).toBe(0);

    await api('mei').chaos.setBroker.mutate({ isUp: true });
    await Promise.all([untilLive(mei), untilLive(amara)]);
    await untilShown(mei, 'Said while nobody could hear.');
    await untilShown(amara, 'The spelt has arrived');
    await amara.getByText('mentions you in Riverside Food Co-op').first().waitFor();
    await write(mei, 'After the broker came back.');
    await amara.getByRole('link', { name: 'Everybody' }).click();
    await untilShown(amara, 'After the broker came back.');
    // The browser itself reports each refused attempt; nothing else may be reported.
    const problems = windows.takeProblems().filter((line) => !/WebSocket connection to .* failed/.test(line));
    expect(problems).toEqual([]);
  });

  it("keeps one person's notifications from another, in the window, over the API and over the socket", async () => {
    const tomasz = await openLive('/?as=tomasz');
    const mei = await openLive('/?as=mei');
    await write(mei, 'A word in your ear, @tomasz.');
    await tomasz.getByText('mentions you').first().waitFor();
    const before = await unread(mei).textContent();

    await api('jonas').post.create.mutate({ orgId: null, body: 'Only for @tomasz.' });
    await untilShown(mei, 'Only for @tomasz.');
    expect(await unread(mei).textContent()).toBe(before);

    // By hand: with one's own token, and with whatever the API hands out.
    const refused = await mei.evaluate(joinByHand, {
      wsUrl: await wsUrlOf(mei),
      token: (await api('mei').realtime.getToken.query()).token,
      channels: ['trpc:user:tomasz', 'trpc:org:choir'],
    });
    expect(refused).toEqual([103, 103]);
    const channels = ['trpc:user:tomasz', 'trpc:org:choir'];
    expect(await api('mei').realtime.getChannelTokens.query({ channels })).toEqual([]);
  });

  it('shows in its chaos drawer what a cut socket and a slow API do, and recovers from both', async () => {
    const mei = await openLive('/?as=mei');
    await untilShown(mei, 'Street market this Saturday');
    await mei.locator('.pill').click();
    const log = mei.getByLabel('What this window did');
    await mei.getByRole('button', { name: 'Cut' }).click();
    await mei.locator('.pill[data-state=reconnecting]').waitFor();
    await log.getByText('reconnecting').first().waitFor();
    await mei.getByText(/^As of \d\d:\d\d:\d\d/).waitFor();
    await api('jonas').post.create.mutate({ orgId: null, body: 'Sent while the cable was out.' });
    expect(await mei.getByText('the cable was out').count()).toBe(0);
    await mei.getByRole('button', { name: 'Plug in' }).click();
    await untilLive(mei);
    await untilShown(mei, 'Sent while the cable was out.');
    await mei.getByText(/^As of/).waitFor({ state: 'detached' });

    await mei.getByRole('button', { name: '0.5 s' }).click();
    await mei.locator('.segments [aria-pressed=true]', { hasText: '0.5 s' }).waitFor();
    await write(mei, 'Slow, but it arrives.');
    await untilShown(mei, 'Slow, but it arrives.');
    await mei.getByRole('button', { name: 'off' }).click();
    await mei.locator('.segments [aria-pressed=true]', { hasText: 'off' }).waitFor();
  });

  it('fetches once at start, then exactly once per change, in every window', { timeout: 240_000 }, async () => {
    const found = await playTimely(async (take) => {
      const pages = await Promise.all(['/?as=mei', '/?as=amara'].map((path) => windows.open(demo.url, path)));
      await Promise.all(pages.map(untilLive));
      await Promise.all(pages.map((page) => untilShown(page, 'Street market this Saturday')));
      await Promise.all(pages.map(untilQuiet));
      const atStart = pages.map(feedRequests);

      const change = `One change, take ${take}.`;
      await write(pages[0]!, change);
      await Promise.all(pages.map((page) => untilShown(page, change)));
      await Promise.all(pages.map(untilQuiet));
      const afterChange = pages.map(feedRequests);

      await api('jonas').organisation.join.mutate({ orgId: 'food-coop' });
      await api('jonas').organisation.leave.mutate({ orgId: 'food-coop' });
      await Promise.all(pages.map(untilQuiet));
      const afterOthers = pages.map(feedRequests);

      await windows.closeAll();
      return { logs: pages.map(windows.logOf), found: { atStart, afterChange, afterOthers } };
    });
    expect(found).toEqual({
      // Joining asks for nothing again: the answers say what they already contain.
      atStart: [1, 1],
      // The author's window hears of the change from the answer and from the broker, and refetches once.
      afterChange: [2, 2],
      afterOthers: [2, 2],
    });
  });

  it('catches up with one refetch after a time without network', async () => {
    const amara = await openLive('/?as=amara');
    await untilShown(amara, 'Street market this Saturday');
    await untilQuiet(amara);
    const jonas = await openLive('/?as=jonas');
    await amara.context().setOffline(true);
    await amara.locator('.pill:not([data-state=connected])').waitFor();
    const before = feedRequests(amara);
    const told = () => windows.logOf(jonas).publications('trpc:global');
    const alreadyTold = told();
    for (const body of ['Said first.', 'Said second.', 'Said third.'])
      await api('mei').post.create.mutate({ orgId: null, body });
    // Announced, not only written: what is announced after the return would be news of its own.
    await expect.poll(told).toBe(alreadyTold + 3);
    expect(await amara.getByText('Said first.').count()).toBe(0);

    await amara.context().setOffline(false);
    await untilLive(amara);
    await untilShown(amara, 'Said third.');
    await untilQuiet(amara);
    expect(feedRequests(amara) - before).toBe(1);
    // The browser reports what it could not send; nothing else may be reported.
    const problems = windows
      .takeProblems()
      .filter((line) => !/ERR_INTERNET_DISCONNECTED|WebSocket is closed/.test(line));
    expect(problems).toEqual([]);
  });

  it('keeps one socket per window, also when the pages change', async () => {
    const mei = await windows.open(demo.url, '/?as=mei');
    const sockets: string[] = [];
    mei.on('websocket', (socket) => sockets.push(socket.url()));
    await mei.reload();
    await untilLive(mei);
    for (const name of ['Organisations', 'Harbour Tool Library', 'Northside Repair Café', 'Everybody']) {
      await mei.getByRole('navigation').getByRole('link', { name }).click();
      await mei.getByRole('heading', { level: 1, name }).waitFor();
    }
    await mei.goBack();
    await mei.getByRole('heading', { level: 1, name: 'Northside Repair Café' }).waitFor();
    await untilShown(mei, 'One kettle taught us humility');
    expect(sockets).toHaveLength(1);
  });

  /** Where the page's own connection goes, as its code says. */
  async function wsUrlOf(page: Page): Promise<string> {
    const opened = page.waitForEvent('websocket');
    await page.reload();
    return (await opened).url();
  }
});

/** Runs in the page: connects with bare frames and tries to join; answers the error code per channel, 0 where it was let in. */
async function joinByHand(input: { wsUrl: string; token: string; channels: string[] }): Promise<number[]> {
  const socket = new WebSocket(input.wsUrl);
  await new Promise((resolve) => socket.addEventListener('open', resolve));
  const codes = new Map<number, number>();
  const done = new Promise<void>((resolve, reject) => {
    socket.addEventListener('close', (event) => reject(new Error(`closed with ${event.code}`)));
    socket.addEventListener('message', (event) => {
      for (const line of String(event.data).split('\n')) {
        const reply = JSON.parse(line || '{}') as { id?: number; error?: { code: number } };
        if (reply.id) codes.set(reply.id, reply.error?.code ?? 0);
      }
      if (codes.size === input.channels.length + 1) resolve();
    });
  });
  const commands = [
    { id: 1, connect: { token: input.token } },
    ...input.channels.map((channel, at) => ({ id: at + 2, subscribe: { channel } })),
  ];
  socket.send(commands.map((command) => JSON.stringify(command)).join('\n'));
  await done;
  return input.channels.map((_, at) => codes.get(at + 2) ?? -1);
}
