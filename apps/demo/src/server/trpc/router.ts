import { chaosRouter } from './chaos.ts';
import { feedRouter } from './feed.ts';
import { router } from './init.ts';
import { organisationRouter } from './organisation.ts';
import { peopleRouter } from './people.ts';
import { postRouter } from './post.ts';
import { realtimeRouter } from './realtime.ts';
import { userRouter } from './user.ts';

export const appRouter = router({
  chaos: chaosRouter,
  feed: feedRouter,
  organisation: organisationRouter,
  people: peopleRouter,
  post: postRouter,
  realtime: realtimeRouter,
  user: userRouter,
});

export type AppRouter = typeof appRouter;
