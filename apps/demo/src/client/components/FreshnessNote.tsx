import { useFreshness, useRealtimeStatus } from '@op/realtime/react';
import type { QueryKey } from '@tanstack/react-query';

/** Says since when what is shown may be out of date; silent while changes are heard. */
export function FreshnessNote({ queryKey }: { readonly queryKey: QueryKey }) {
  const { state, since } = useFreshness(queryKey);
  const connection = useRealtimeStatus();
  const isCut = connection.state === 'reconnecting' || connection.state === 'polling' || connection.state === 'failed';
  if (state === 'live' || !isCut) return null;
  return (
    <p className="freshness">
      As of {new Date(since || connection.since).toLocaleTimeString('en-GB')}. What changes meanwhile will appear once
      the connection is back.
    </p>
  );
}
