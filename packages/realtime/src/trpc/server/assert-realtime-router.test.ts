import { initTRPC } from '@trpc/server';
import { expect, it } from 'vitest';
import { z } from 'zod';
import { Channels } from '../../core/channel.ts';
import { ConfigError } from '../../core/errors.ts';
import { assertRealtimeRouter, base, touches, watches } from './index.ts';

const t = initTRPC.create();
const watched = watches(() => Channels.global());
const touched = touches(() => Channels.global());
const schema = z.object({ a: z.number().optional() });

const right = {
  plain: t.procedure.output(schema).query(() => ({})),
  after: t.procedure
    .use(watched)
    .output(schema)
    .query(() => ({})),
  withBase: t.procedure
    .use(base)
    .output(schema)
    .use(watched)
    .query(() => ({})),
  mutation: t.procedure
    .use(touched)
    .output(schema)
    .mutation(() => ({})),
};

it('accepts every order that works', () => {
  expect(() => assertRealtimeRouter(t.router({ ...right, nested: t.router(right) }))).not.toThrow();
});

it('names the procedures whose validator would see the metadata', () => {
  const router = t.router({
    ...right,
    before: t.procedure
      .output(schema)
      .use(watched)
      .query(() => ({})),
    nested: t.router({
      deep: t.procedure
        .output(schema)
        .use(touched)
        .mutation(() => ({})),
    }),
    joined: t.procedure
      .output(schema)
      .concat(t.procedure.use(watched))
      .query(() => ({})),
  });
  expect(() => assertRealtimeRouter(router)).toThrow(ConfigError);
  expect(() => assertRealtimeRouter(router)).toThrow(/Wrong order in: before, nested\.deep, joined\.$/);
});
