import { type Answers, carryFreshness } from '@op/realtime/query';
import { QueryClient } from '@tanstack/react-query';

/** The query client of both sides: what it knows about its data travels with the page. */
export function makeQueryClient(answers?: Answers): QueryClient {
  const freshness = carryFreshness(answers ? { answers } : {});
  return new QueryClient({
    defaultOptions: {
      // The binding refetches what went stale, so nothing goes stale by time alone.
      queries: { staleTime: Number.POSITIVE_INFINITY },
      dehydrate: { serializeData: freshness.serializeData },
      hydrate: { deserializeData: freshness.deserializeData },
    },
  });
}
