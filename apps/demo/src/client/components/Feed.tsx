import type { UseQueryResult } from '@tanstack/react-query';
import { useRef } from 'react';
import { isRefusal } from '../trpc.ts';
import type { Post } from '../types.ts';
import { PostCard } from './PostCard.tsx';

interface FeedProps {
  readonly feed: Pick<UseQueryResult<readonly Post[], unknown>, 'data' | 'error' | 'refetch'>;
}

export function Feed({ feed: { data: posts, error, refetch } }: FeedProps) {
  const isNew = useArrivals(posts?.map((post) => post.id));
  // What one may not read any more is not shown any more, though the cache still has it.
  if (isRefusal(error)) return null;
  if (!posts && error)
    return (
      <p className="empty">
        This feed could not be loaded.{' '}
        <button type="button" className="link" onClick={() => void refetch()}>
          Try again
        </button>
      </p>
    );
  if (!posts) return <div className="feed-waiting" aria-busy="true" />;
  if (posts.length === 0) return <p className="empty">Nothing here yet. Write the first line.</p>;
  return (
    <ol className="feed">
      {posts.map((post) => (
        <li key={post.id}>
          <PostCard post={post} isNew={isNew(post.id)} />
        </li>
      ))}
    </ol>
  );
}

/** Which ids came after the list was first shown: those arrive with a short glow. */
export function useArrivals(ids: readonly number[] | undefined): (id: number) => boolean {
  const first = useRef<ReadonlySet<number> | null>(null);
  if (ids && !first.current) first.current = new Set(ids);
  const known = first.current;
  return (id) => known !== null && !known.has(id);
}
