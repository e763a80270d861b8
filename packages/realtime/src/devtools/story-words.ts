import type { RealtimeEvent, StaleCause } from '../core/events.ts';
import type { Message } from '../core/message.ts';
import type { Position } from '../core/position.ts';
import { durationWords } from './duration-words.ts';
import type { IconName } from './element.ts';
import { queryLabel } from './query-label.ts';
import { isWasted, type Story } from './timeline.ts';

/** How a step or a result is to be seen. */
type Tone = 'mutation' | 'publication' | 'stale' | 'fetch' | 'changed' | 'wasted' | 'failed' | 'quiet' | 'live';

/** One event of a story, for people. */
interface Words {
  readonly tone: Tone;
  readonly title: string;
  readonly details: readonly string[];
}

export function storyIcon({ kind }: Story): IconName {
  if (kind === 'mutation' || kind === 'rollback') return 'mutation';
  if (kind === 'publication') return 'publication';
  if (kind === 'fetch') return 'fetch';
  return kind === 'connection' ? 'connection' : 'gap';
}

export function storyTone({ kind }: Story): Tone {
  if (kind === 'mutation' || kind === 'rollback') return 'mutation';
  if (kind === 'publication') return 'publication';
  if (kind === 'connection' || kind === 'fetch') return 'quiet';
  return 'stale';
}

/** The name of a story, and in softer words where it comes from. */
export function storyTitle(story: Story): { readonly title: string; readonly note: string } {
  const { kind, name, publications, fetches } = story;
  switch (kind) {
    case 'mutation':
      return { title: name, note: story.hasFailed ? 'failed' : 'mutation of this tab' };
    case 'publication': {
      const message = publications[0]?.message;
      if (message?.type === 'event') return { title: message.name, note: 'event' };
      return { title: name, note: publications[0]?.recovered ? 'recovered' : 'from elsewhere' };
    }
    case 'gap':
      return { title: name, note: 'may have missed something' };
    case 'join':
      return { title: name, note: 'first join' };
    case 'earlier':
      return { title: 'Older than what was announced', note: '' };
    case 'rollback':
      return { title: 'Taken back', note: 'a mutation failed' };
    case 'fetch': {
      const started = fetches[0]?.started;
      return started
        ? { title: queryLabel(started.query.key), note: started.isFirst ? 'first fetch' : REASONS[started.reason] }
        : { title: name, note: '' };
    }
    case 'connection':
      return connectionTitle(story);
  }
}

function connectionTitle({ name, channels, steps }: Story): { title: string; note: string } {
  const count = channels.size;
  const note = count === 1 ? [...channels].join() : count ? `${count} channels` : '';
  if (name) return { title: name[0]?.toUpperCase() + name.slice(1), note };
  const isLost = steps.every(({ event }) => event.type === 'lost');
  return { title: isLost ? 'Left' : 'Joined', note };
}

const REASONS = {
  app: 'by the app: mounted, focused or asked for',
  poll: 'polled: nothing covers it',
  stale: 'stale',
  uncertain: 'its channel was away for long',
} as const;

/** What came of a story. */
export function storyResults({
  kind,
  steps,
  fetches,
}: Story): readonly { readonly tone: Tone; readonly text: string }[] {
  if (kind === 'connection') {
    const refused = steps.filter(({ event }) => event.type === 'lost' && event.kind === 'refused').length;
    return refused ? [{ tone: 'failed', text: `${refused} refused` }] : [];
  }
  const counts = { running: 0, changed: 0, unchanged: 0, wasted: 0, failed: 0, cancelled: 0 };
  for (const { ended } of fetches) {
    if (!ended) counts.running++;
    else if (isWasted(ended)) counts.wasted++;
    else counts[ended.outcome]++;
  }
  const tones: Record<keyof typeof counts, Tone> = {
    running: 'fetch',
    changed: 'changed',
    unchanged: 'quiet',
    wasted: 'wasted',
    failed: 'failed',
    cancelled: 'quiet',
  };
  const words: Record<keyof typeof counts, string> = {
    running: 'fetching',
    changed: 'changed',
    unchanged: 'unchanged',
    wasted: 'wasted',
    failed: 'failed',
    cancelled: 'cancelled',
  };
  return (Object.keys(counts) as (keyof typeof counts)[])
    .filter((key) => counts[key])
    .map((key) => ({ tone: tones[key], text: counts[key] > 1 ? `${counts[key]} ${words[key]}` : words[key] }));
}

/** A position for people: the offset; epochs are compared, not read. */
export function positionWords(position: Position | null): string {
  return position ? `@${position.offset}` : 'no position';
}

export function messageWords(message: Message | null): string {
  if (!message) return 'a message of an unknown type, skipped';
  if (message.type === 'channel-invalidation') return 'everything on the channel';
  if (message.type === 'event') return `event “${message.name}”, invalidates nothing`;
  return `${message.exact ? 'exactly' : 'queries under'} ${queryLabel(message.queryKey)}`;
}

function causeWords(cause: StaleCause): string {
  switch (cause.type) {
    case 'publication':
      return `because of ${cause.channel} ${positionWords(cause.position)}`;
    case 'mutation':
      return `because of the own mutation ${cause.mutation.path}; the publication need not be waited for`;
    case 'join':
      return `${cause.channel} stands further than the data`;
    case 'gap':
      return `publications of ${cause.channel} may have been missed`;
    case 'earlier':
      return 'announced while the answer was on its way, or before anybody looked';
    case 'rollback':
      return 'what was written by hand may be older than what it replaced';
  }
}

/** One event of a story in words. */
export function eventWords(event: RealtimeEvent, story: Story): Words {
  switch (event.type) {
    case 'status':
      return {
        tone:
          event.state === 'connected'
            ? 'live'
            : event.state === 'failed' || event.state === 'unauthorized'
              ? 'failed'
              : 'quiet',
        title: `Connection: ${event.state}`,
        details: event.reason ? [event.reason] : [],
      };
    case 'joined':
      return {
        tone: 'live',
        title: `Joined ${event.channel}`,
        details: [
          `${positionWords(event.position)}${event.wasRecovering ? (event.recovered ? ', nothing was missed' : ', what was missed cannot be recovered') : ''}`,
        ],
      };
    case 'lost':
      return {
        tone: event.kind === 'refused' ? 'failed' : 'quiet',
        title: `${event.kind === 'dropped' ? 'Lost' : event.kind === 'refused' ? 'Refused' : 'Left'} ${event.channel}`,
        details: event.reason ? [event.reason] : event.brokerCode ? [`code ${event.brokerCode}`] : [],
      };
    case 'publication': {
      const isEcho = story.kind === 'mutation';
      return {
        tone: 'publication',
        title: `${isEcho ? 'Echo' : 'Publication'} on ${event.channel} ${positionWords(event.position)}`,
        details: [
          messageWords(event.message),
          ...(event.recovered ? ['missed while away, and recovered'] : []),
          ...(isEcho ? ['announced by this very mutation'] : []),
        ],
      };
    }
    case 'mutation-started':
      return { tone: 'mutation', title: `${event.mutation.path} leaves`, details: [] };
    case 'mutation-answered':
      return {
        tone: 'mutation',
        title: 'Answered',
        details: event.touched.length
          ? event.touched.map(
              ({ channel, position, message }) =>
                `announced on ${channel} ${position ? positionWords(position) : '(position not known in time)'}: ${messageWords(message)}`,
            )
          : ['nothing was announced'],
      };
    case 'mutation-ended':
      return {
        tone: event.failed ? 'failed' : 'quiet',
        title: event.failed ? 'Failed, or its answer was lost' : 'Over',
        details: [],
      };
    case 'gap':
      return {
        tone: 'stale',
        title: `Gap on ${event.channel}`,
        details: [
          `known up to ${positionWords(event.from)}, goes on at ${event.to ? positionWords(event.to) : 'an unknown place'}${event.to && event.to.epoch !== event.from.epoch ? ' of another stream' : ''}`,
        ],
      };
    case 'stale': {
      const names = event.queries
        .slice(0, 5)
        .map((query) => `${queryLabel(query.key)}${query.isActive ? '' : ' (not in use: marked)'}`);
      const more = event.count - names.length;
      return {
        tone: 'stale',
        title: `${event.count} ${event.count === 1 ? 'query' : 'queries'} stale`,
        details: [...names, ...(more > 0 ? [`and ${more} more`] : []), causeWords(event.cause)],
      };
    }
    case 'refetch-started':
      return {
        tone: 'fetch',
        title: `Fetch ${queryLabel(event.query.key)}`,
        details: [
          event.isFirst ? 'first fetch' : REASONS[event.reason],
          ...(event.causes.length > 1 ? [`answers ${event.causes.length} pieces of news`] : []),
        ],
      };
    case 'refetch-ended':
      return refetchEndedWords(event);
  }
}

function refetchEndedWords(event: Extract<RealtimeEvent, { type: 'refetch-ended' }>): Words {
  const label = queryLabel(event.fetch.query.key);
  const took = `in ${durationWords(event.durationMs)}`;
  const fresh = event.freshAfterMs === null ? [] : [`fresh ${durationWords(event.freshAfterMs)} after the news`];
  if (isWasted(event))
    return {
      tone: 'wasted',
      title: `${label} unchanged: wasted`,
      details: [`the answer, ${took}, equals what was there`, ...fresh],
    };
  switch (event.outcome) {
    case 'changed':
      return {
        tone: 'changed',
        title: `${label} ${event.fetch.isFirst ? 'loaded' : 'changed'}`,
        details: [took, ...fresh],
      };
    case 'unchanged':
      return { tone: 'quiet', title: `${label} unchanged`, details: [took, ...fresh] };
    case 'failed':
      return { tone: 'failed', title: `${label} failed`, details: [took] };
    case 'cancelled':
      return {
        tone: 'quiet',
        title: `${label} cancelled`,
        details: ['another fetch took its place, or nobody wants it any more'],
      };
  }
}
