import { Channels, realtime } from '@op/realtime/server';
import { base, realtimeRouter, touches, watches } from '@op/realtime/trpc/server';
import { initTRPC } from '@trpc/server';
import { z } from 'zod';
import { addNote, readNotes } from './notes.ts';

export interface Context {
  readonly userId: string;
}

const t = initTRPC.context<Context>().create();
const procedure = t.procedure.use(base);

export const appRouter = t.router({
  realtime: realtimeRouter({
    procedure: t.procedure,
    realtime,
    userId: ({ ctx }) => ctx.userId,
    canSubscribe: ({ channel }) => channel === Channels.org('acme'),
  }),
  notes: {
    list: procedure.use(watches(() => Channels.org('acme'))).query(() => ({ notes: readNotes() })),
    add: procedure
      .input(z.object({ text: z.string().min(1).max(200) }))
      .use(touches(() => Channels.org('acme')))
      .mutation(({ input }) => addNote(input.text)),
  },
});

export type AppRouter = typeof appRouter;
