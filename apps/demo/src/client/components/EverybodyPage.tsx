import { useQuery } from '@tanstack/react-query';
import { trpc } from '../trpc.ts';
import { Composer } from './Composer.tsx';
import { Feed } from './Feed.tsx';
import { FreshnessNote } from './FreshnessNote.tsx';

export function EverybodyPage() {
  const feed = useQuery(trpc.feed.everybody.queryOptions());
  return (
    <>
      <div className="page-head">
        <h1>Everybody</h1>
        <p className="muted">The whole town reads along.</p>
      </div>
      <Composer orgId={null} placeholder="Tell everybody something…" />
      <FreshnessNote queryKey={trpc.feed.everybody.queryKey()} />
      <Feed feed={feed} />
    </>
  );
}
