import { initTRPC, TRPCError } from '@trpc/server';
import fc from 'fast-check';
import { SignJWT } from 'jose';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import WebSocket from 'ws';
import { z } from 'zod';
import { API_KEY, brokerKinds, type RunningBroker, SECRET } from '../../../test/brokers.ts';
import { TrpcApp } from '../../../test/trpc-app.ts';
import { type ChannelName, Channels } from '../../core/channel.ts';
import { createRealtime } from '../../server/create-realtime.ts';
import type { Realtime } from '../../server/realtime.ts';
import { ANNOUNCE_HEADER, openEnvelope } from '../metadata.ts';
import { parseMeta } from '../parse-meta.ts';
import { initRealtime, realtimeContext, realtimeRouter } from './index.ts';

const USERS = ['ada', 'bob', 'cy'] as const;
const ORGS = ['1', '2', '3'] as const;

/** An app whose members may read their organisations' posts. Its users say who they are in a header. */
function makeApp(realtime: Realtime, members: ReadonlySet<string>) {
  const { base, watches } = initRealtime({ realtime, stampTimeoutMs: 5000 });
  const t = initTRPC.context<{ userId: string }>().create();
  const procedure = t.procedure.use(base);
  const router = t.router({
    posts: procedure
      .input(z.object({ orgId: z.string() }))
      .use(watches(({ input }) => Channels.org(input.orgId)))
      .query(({ ctx, input }) => {
        if (!members.has(`${ctx.userId} ${input.orgId}`)) throw new TRPCError({ code: 'FORBIDDEN' });
        return [`a post of ${input.orgId}`];
      }),
    realtime: realtimeRouter({
      procedure,
      realtime,
      userId: ({ ctx }) => ctx.userId,
      canSubscribe: ({ ctx, channel }) => members.has(`${ctx.userId} ${channel.split(':')[2]}`),
    }),
  });
  const app = new TrpcApp(router, {
    createContext: ({ req, info }) => {
      const userId = new Headers(req?.headers as Headers).get('x-user') ?? '';
      return { userId, ...realtimeContext({ req, info, userId }) };
    },
  });
  const ask = async (userId: string, path: string, input?: unknown) => {
    const response = await app.get(path, input, { 'x-user': userId, [ANNOUNCE_HEADER]: '1' });
    return (await response.json()).result?.data;
  };
  return {
    connectionToken: async (userId: string): Promise<string> => (await ask(userId, 'realtime.getToken')).token,
    /** Whether the query answered, and the grant in its answer. */
    async query(userId: string, orgId: string) {
      const opened = openEnvelope(await ask(userId, 'posts', { orgId }));
      return { answered: opened !== null, grant: parseMeta(opened?.wire)?.channels[0]?.grant ?? null };
    },
    async askForTokens(userId: string, orgId: string): Promise<string | undefined> {
      return (await ask(userId, 'realtime.getChannelTokens', { channels: [Channels.org(orgId)] }))[0]?.token;
    },
  };
}

/** What becomes of an attempt to join, in the protocol itself: no client of ours is in between. */
function tryToJoin(wsUrl: string, connectionToken: string, channel: ChannelName, token?: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = new WebSocket(wsUrl);
    const end = (outcome: string) => {
      socket.close();
      resolve(outcome);
    };
    socket.on('error', reject);
    socket.on('close', (code) => resolve(`closed ${code}`));
    socket.on('open', () => socket.send(JSON.stringify({ id: 1, connect: { token: connectionToken } })));
    socket.on('message', (frame) => {
      for (const line of String(frame).split('\n')) {
        const reply = line.trim() === '' ? {} : JSON.parse(line);
        if (reply.id === 1 && reply.error) end(`not connected ${reply.error.code}`);
        else if (reply.id === 1)
          socket.send(JSON.stringify({ id: 2, subscribe: { channel, ...(token && { token }) } }));
        else if (reply.id === 2) end(reply.error ? `refused ${reply.error.code}` : 'joined');
      }
    });
  });
}

describe.each(brokerKinds())('with the $name broker', (kind) => {
  let broker: RunningBroker;
  let realtime: Realtime;
  beforeAll(async () => {
    broker = await kind.start();
    realtime = createRealtime({ apiUrl: broker.apiUrl, apiKey: API_KEY, tokenSecret: SECRET });
  });
  afterAll(() => broker.close());

  const pairs = USERS.flatMap((user) => ORGS.map((org) => `${user} ${org}`));

  it('a channel can be joined if and only if the query that watches it answered', async () => {
    await fc.assert(
      fc.asyncProperty(fc.subarray(pairs), async (membership) => {
        const app = makeApp(realtime, new Set(membership));
        const grants = new Map<string, string | null>();
        for (const user of USERS)
          for (const org of ORGS) {
            const { answered, grant } = await app.query(user, org);
            expect([user, org, answered, grant !== null]).toEqual(
              membership.includes(`${user} ${org}`) ? [user, org, true, true] : [user, org, false, false],
            );
            grants.set(`${user} ${org}`, grant);
          }
        for (const user of USERS) {
          const token = await app.connectionToken(user);
          for (const org of ORGS) {
            const own = grants.get(`${user} ${org}`) ?? undefined;
            const channel = Channels.org(org);
            expect(await tryToJoin(broker.wsUrl, token, channel, own)).toBe(own ? 'joined' : 'refused 103');
            expect((await app.askForTokens(user, org)) !== undefined).toBe(own !== undefined);
            // A grant is for one user and one channel: with any other the connection ends.
            for (const [of, grant] of grants)
              if (grant && of !== `${user} ${org}`)
                expect(await tryToJoin(broker.wsUrl, token, channel, grant)).toBe('closed 3500');
          }
        }
      }),
      { numRuns: 4 },
    );
  });

  it.each([
    ['signed by another secret', 'forged', { exp: 4_000_000_000 }, 'refused 103'],
    ['expired', SECRET, { exp: 1 }, 'refused 109'],
    ['without a channel', SECRET, { exp: 4_000_000_000, channel: undefined }, 'refused 103'],
    ['for another channel', SECRET, { exp: 4_000_000_000, channel: 'trpc:org:9' }, 'closed 3500'],
    ['of another user', SECRET, { exp: 4_000_000_000, sub: 'bob' }, 'closed 3500'],
    ['good', SECRET, { exp: 4_000_000_000 }, 'joined'],
  ])('a grant that is %s', async (_name, secret, claims, outcome) => {
    const grant = await new SignJWT({ sub: 'ada', channel: 'trpc:org:1', ...claims })
      .setProtectedHeader({ alg: 'HS256' })
      .sign(new TextEncoder().encode(secret));
    const token = await realtime.createConnectionToken({ userId: 'ada' });
    expect(await tryToJoin(broker.wsUrl, token, Channels.org('1'), grant)).toBe(outcome);
  });

  it('a grant without a signature', async () => {
    const encode = (part: object) => btoa(JSON.stringify(part)).replaceAll('=', '');
    const none = `${encode({ alg: 'none' })}.${encode({ sub: 'ada', channel: 'trpc:org:1', exp: 4_000_000_000 })}.`;
    const token = await realtime.createConnectionToken({ userId: 'ada' });
    expect(await tryToJoin(broker.wsUrl, token, Channels.org('1'), none)).toBe('refused 103');
    expect(await tryToJoin(broker.wsUrl, none, Channels.org('1'))).toBe('closed 3500');
  });

  it("another user's channel", async () => {
    const token = await realtime.createConnectionToken({ userId: 'ada' });
    expect(await tryToJoin(broker.wsUrl, token, Channels.user('bob'))).toBe('refused 103');
    expect(await tryToJoin(broker.wsUrl, token, Channels.user('ada'))).toBe('refused 105');
  });
});
