import { asc } from 'drizzle-orm';
import { users } from '../database/schema.ts';
import { procedure, router } from './init.ts';

export const peopleRouter = router({
  /** Everybody who can be chosen in the switch. */
  list: procedure.query(({ ctx }) =>
    ctx.db
      .select({ id: users.id, name: users.name, occupation: users.occupation })
      .from(users)
      .orderBy(asc(users.name)),
  ),
});
