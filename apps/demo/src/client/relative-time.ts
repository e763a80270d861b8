const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;

/** How long ago, as short as it can be said: `now`, `5 min`, `3 h`, `yesterday`, `4 days`, `21 Nov`. */
export function relativeTime(then: Date, now: Date): string {
  const agoMs = now.getTime() - then.getTime();
  if (agoMs < MINUTE_MS) return 'now';
  if (agoMs < HOUR_MS) return `${Math.floor(agoMs / MINUTE_MS)} min`;
  if (agoMs < DAY_MS) return `${Math.floor(agoMs / HOUR_MS)} h`;
  if (agoMs < 2 * DAY_MS) return 'yesterday';
  if (agoMs < 7 * DAY_MS) return `${Math.floor(agoMs / DAY_MS)} days`;
  return then.toLocaleDateString('en-GB', { day: 'numeric', month: 'short' });
}
