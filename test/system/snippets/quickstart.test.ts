import { afterEach, expect, it } from 'vitest';
import { filesOf, snippetsOf } from '../../markdown.ts';
import { account } from '../../snippets/account.ts';
import { createSandbox } from '../run-command.ts';
import { createScriptFolder } from '../script-folder.ts';

/** What the quickstart leaves to the reader: a database, and a web server around its handler. Prints each reading of the list. */
const APP = `
export interface Post { readonly id: string; readonly orgId: string; readonly text: string }
const all: Post[] = [];
export async function userOf(req: Request) {
  const id = req.headers.get('x-user');
  return id ? { id } : null;
}
export const isMember = async (_userId: string, channel: string) => channel === 'trpc:org:7';
export async function assertMember(_userId: string, orgId: string) {
  if (orgId !== '7') throw new Error('not a member');
}
export const posts = {
  async list(orgId: string) { console.log('a reading;'); return all.filter((post) => post.orgId === orgId); },
  async create(orgId: string, text: string) { const post = { id: String(all.length), orgId, text }; all.push(post); return post; },
  async remove(id: string) { const [post] = all.splice(all.findIndex((post) => post.id === id), 1); return post!; },
};
`;
const SERVE = `
import { createServer } from 'node:http';
import { handle } from './server/handler';
createServer(async (incoming, outgoing) => {
  const chunks: Buffer[] = [];
  for await (const chunk of incoming) chunks.push(chunk as Buffer);
  const headers = new Headers(Object.entries(incoming.headers).map(([name, value]) => [name, String(value)] as [string, string]));
  const body = incoming.method === 'POST' ? { body: Buffer.concat(chunks) } : {};
  const answer = await handle(new Request('http://localhost' + incoming.url, { method: incoming.method ?? 'GET', headers, ...body }));
  outgoing.writeHead(answer.status, Object.fromEntries(answer.headers));
  for await (const chunk of answer.body ?? []) outgoing.write(chunk);
  outgoing.end();
}).listen(0, '127.0.0.1', function (this: import('node:net').Server) {
  console.log('at port ' + (this.address() as import('node:net').AddressInfo).port + '.');
});
`;
/** A window: a page's relative addresses and login, one observed query, and a post for each line of stdin. Says where a machine stalled for the 250 ms of an announcement. */
const WINDOW = `
const { fetch: plain } = globalThis;
globalThis.fetch = async (input, init) => {
  const headers = new Headers(init?.headers);
  headers.set('x-user', process.env.WINDOW_USER!);
  const answer = await plain(String(input).startsWith('/') ? process.env.SERVER_URL + String(input) : input, { ...init, headers });
  if (/"touch":\\[\\{"channel":"[^"]*"\\}/.test(await answer.clone().text())) console.log('announced without a position;');
  return answer;
};
const { QueryObserver } = await import('@tanstack/react-query');
const { queryClient, trpc, trpcClient } = await import('./client/realtime');
await import('./client/without-react');
new QueryObserver(queryClient, trpc.post.list.queryOptions({ orgId: '7' })).subscribe(({ data, error }) => {
  if (error) console.log('error ' + error.message);
  if (data) console.log('shows ' + data.map((post) => post.text).join(', ') + ';');
});
process.stdin.on('data', (line) => void trpcClient.post.create.mutate({ orgId: '7', text: String(line).trim() }));
`;

const cleanups: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

it('the quickstart runs as printed: what one window posts, each window fetches once', async (context) => {
  const broker = await createSandbox();
  cleanups.push(() => broker.close());
  await broker.run('dev', '--engine', 'embedded', '--detach');
  const folder = createScriptFolder({
    ...filesOf('docs/quickstart.md'),
    'server/app.ts': APP,
    'serve.ts': SERVE,
    'window.ts': WINDOW,
  });
  cleanups.push(() => folder.close());

  const server = folder.run('serve.ts', broker);
  await server.wrote('at port ');
  const [, port] = /at port (\d+)/.exec(server.text()) ?? [];
  const open = (user: string) =>
    folder.run('window.ts', broker, { WINDOW_USER: user, SERVER_URL: `http://127.0.0.1:${port}` });
  const [mei, amara] = [open('mei'), open('amara')];
  await Promise.all([mei.wrote('live'), amara.wrote('live')]);
  const readings = () => server.text().split('a reading;').length - 1;
  const before = readings();

  mei.child.stdin?.write('Buns at nine\n');
  await Promise.all([mei.wrote('shows Buns at nine;'), amara.wrote('shows Buns at nine;')]);
  amara.child.stdin?.write('I am there\n');
  await Promise.all([mei.wrote('at nine, I am there;'), amara.wrote('at nine, I am there;')]);
  const said = mei.text() + amara.text();
  // Two changes, two windows. An author that was not told the position of its own change may fetch once more (docs/freshness.md).
  const more = said.split('announced without a position;').length - 1;
  expect(readings() - before).toBeGreaterThanOrEqual(4);
  expect(readings() - before).toBeLessThanOrEqual(4 + more);
  expect(said).not.toContain('error');
  // The two components are run in a browser.
  account(context, 'run', ...snippetsOf('docs/quickstart.md').filter(({ file }) => file && !file.endsWith('.tsx')));
});
