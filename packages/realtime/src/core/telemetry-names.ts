/** Under this name both sides make their spans and metrics. */
export const INSTRUMENTATION = '@op/realtime';

/** `trpc:org:7` → `trpc:org`: a name with few values. */
export function scopeOf(channel: string): string {
  return channel.split(':', 2).join(':');
}
