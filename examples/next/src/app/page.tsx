import { dehydrate, HydrationBoundary } from '@tanstack/react-query';
import { getServerSide } from '../trpc/server.ts';
import { Notes } from './Notes.tsx';

// The page holds grants of its user: made anew for each request, kept by nobody.
export const dynamic = 'force-dynamic';

export default async function Page() {
  const { queryClient, trpc } = getServerSide();
  await queryClient.prefetchQuery(trpc.notes.list.queryOptions());
  return (
    <HydrationBoundary state={dehydrate(queryClient)}>
      <Notes />
    </HydrationBoundary>
  );
}
