import type { ObservedQuery, PublicationArrived, RefetchEnded, RefetchStarted, StaleCause } from '../core/events.ts';
import type { Position } from '../core/position.ts';
import type { Recorded } from './recorder.ts';

/**
 * Recorded events, joined by cause into stories: "mutation → publication → stale → refetch → changed or not". Pure; made anew from the whole list, which is bounded.
 */

/** What began a story. */
export type StoryKind =
  | 'mutation'
  | 'publication'
  /** Publications may have been missed. */
  | 'gap'
  /** A first join, of a channel that stands further than the data. */
  | 'join'
  /** Known before anybody observed, or announced while the answer was on its way. */
  | 'earlier'
  /** An optimistic write of a mutation that failed. */
  | 'rollback'
  /** Fetches that no news asked for: mounts, focus, polling. */
  | 'fetch'
  /** The connection and its channels. */
  | 'connection';

/** A fetch in a story. */
export interface StoryFetch {
  readonly started: RefetchStarted;
  readonly ended: RefetchEnded | null;
  /** It answers an older story as well, and counts there. */
  readonly isShared: boolean;
}

/** Everything that followed from one thing. */
export interface Story {
  /** Id of its first event: the same while the story goes on. */
  readonly id: number;
  readonly kind: StoryKind;
  readonly source: string;
  readonly at: number;
  /** Of its last event so far. */
  lastAt: number;
  /** All of its events, in order. */
  readonly steps: Recorded[];
  /** The mutation's path, the channel, the query's hash, or the connection's state. */
  name: string;
  /** Channels that it concerns. */
  readonly channels: Set<string>;
  readonly publications: PublicationArrived[];
  /** Hashes of the queries that it made stale, as far as they were named. */
  readonly stale: Map<string, ObservedQuery>;
  /** How many queries in all, at most once per telling. */
  staleCount: number;
  readonly fetches: StoryFetch[];
  /** The mutation failed. */
  hasFailed: boolean;
}

export interface Totals {
  readonly publications: number;
  readonly mutations: number;
  readonly refetches: number;
  readonly changed: number;
  /** Fetches by this library whose answer was equal to what was there. */
  readonly wasted: number;
  readonly failed: number;
}

export interface Timeline {
  /** Oldest first. */
  readonly stories: readonly Story[];
  readonly totals: Totals;
}

/** Events of the connection that follow each other within this time are one story. */
const CONNECTION_WINDOW_MS = 400;

/** Joins recorded events into stories. */
export function toTimeline(recorded: readonly Recorded[]): Timeline {
  const builder = new TimelineBuilder();
  // A publication may come before the answer to the mutation that caused it.
  for (const entry of recorded) builder.announce(entry);
  for (const entry of recorded) builder.add(entry);
  return { stories: builder.stories, totals: totalsOf(recorded) };
}

/** Whether a fetch brought nothing, and this library asked for it. */
export function isWasted(ended: RefetchEnded | null): boolean {
  return ended?.outcome === 'unchanged' && ended.fetch.reason !== 'app' && !ended.fetch.isFirst;
}

function totalsOf(recorded: readonly Recorded[]): Totals {
  const totals = { publications: 0, mutations: 0, refetches: 0, changed: 0, wasted: 0, failed: 0 };
  for (const { event } of recorded) {
    if (event.type === 'publication') totals.publications++;
    else if (event.type === 'mutation-started') totals.mutations++;
    else if (event.type === 'refetch-ended') {
      totals.refetches++;
      if (event.outcome === 'changed') totals.changed++;
      if (event.outcome === 'failed') totals.failed++;
      if (isWasted(event)) totals.wasted++;
    }
  }
  return totals;
}

class TimelineBuilder {
  readonly stories: Story[] = [];
  /** Mutations by the positions of what they announced. */
  readonly #announcedBy = new Map<string, object>();
  readonly #byMutation = new Map<object, Story>();
  readonly #byPosition = new Map<string, Story>();
  readonly #byMessage = new Map<object, Story>();
  readonly #byCause = new Map<StaleCause, Story>();
  /** Gaps by the very place where they began. */
  readonly #byGap = new Map<Position, Story>();
  /** By the fetch's first event: the stories that it answers. */
  readonly #byFetch = new Map<RefetchStarted, readonly Story[]>();
  readonly #connections = new Map<string, Story>();

  announce({ event }: Recorded): void {
    if (event.type !== 'mutation-answered') return;
    for (const { channel, position } of event.touched)
      if (position) this.#announcedBy.set(placeOf(channel, position), event.mutation);
  }

  add(entry: Recorded): void {
    const { event } = entry;
    switch (event.type) {
      case 'mutation-started':
      case 'mutation-answered':
      case 'mutation-ended': {
        const story = this.#ofMutation(event.mutation, entry, event.mutation.path);
        if (event.type === 'mutation-answered') for (const { channel } of event.touched) story.channels.add(channel);
        if (event.type === 'mutation-ended') story.hasFailed = event.failed;
        this.#step(story, entry);
        return;
      }
      case 'publication': {
        const story = this.#ofPublication(event, entry);
        story.publications.push(event);
        story.channels.add(event.channel);
        this.#step(story, entry);
        return;
      }
      case 'gap': {
        const story = this.#begin('gap', event.channel, entry);
        story.channels.add(event.channel);
        this.#byGap.set(event.from, story);
        this.#step(story, entry);
        return;
      }
      case 'stale': {
        const story = this.#ofCause(event.cause, entry);
        for (const query of event.queries) story.stale.set(query.hash, query);
        story.staleCount = Math.max(story.staleCount, event.count, story.stale.size);
        this.#step(story, entry);
        return;
      }
      case 'refetch-started': {
        const stories = [...new Set(event.causes.map((cause) => this.#ofCause(cause, entry)))];
        if (!stories.length) stories.push(this.#begin('fetch', event.query.hash, entry));
        this.#byFetch.set(event, stories);
        for (const [at, story] of stories.entries()) {
          story.fetches.push({ started: event, ended: null, isShared: at > 0 });
          this.#step(story, entry);
        }
        return;
      }
      case 'refetch-ended': {
        for (const story of this.#byFetch.get(event.fetch) ?? []) {
          const at = story.fetches.findIndex(({ started }) => started === event.fetch);
          const fetch = story.fetches[at];
          if (fetch) story.fetches[at] = { ...fetch, ended: event };
          this.#step(story, entry);
        }
        return;
      }
      case 'status':
      case 'joined':
      case 'lost': {
        const story = this.#ofConnection(entry);
        if (event.type === 'status') story.name = event.state;
        else story.channels.add(event.channel);
        this.#step(story, entry);
      }
    }
  }

  #ofMutation(mutation: object, entry: Recorded, path: string): Story {
    let story = this.#byMutation.get(mutation);
    if (!story) {
      story = this.#begin('mutation', path, entry);
      this.#byMutation.set(mutation, story);
    }
    return story;
  }

  #ofPublication({ channel, position, message }: PublicationArrived, entry: Recorded): Story {
    const place = position && placeOf(channel, position);
    const mutation = place === null ? undefined : this.#announcedBy.get(place);
    const story =
      (mutation && this.#byMutation.get(mutation)) ??
      (place === null ? undefined : this.#byPosition.get(place)) ??
      this.#begin('publication', channel, entry);
    if (place !== null) this.#byPosition.set(place, story);
    if (message) this.#byMessage.set(message, story);
    return story;
  }

  #ofCause(cause: StaleCause, entry: Recorded): Story {
    const known = this.#byCause.get(cause) ?? this.#find(cause);
    const story = known ?? this.#begin(cause.type, nameOf(cause), entry);
    if ('channel' in cause) story.channels.add(cause.channel);
    this.#byCause.set(cause, story);
    if (!known && cause.type === 'mutation') this.#byMutation.set(cause.mutation, story);
    return story;
  }

  #find(cause: StaleCause): Story | undefined {
    if (cause.type === 'mutation') return this.#byMutation.get(cause.mutation);
    if (cause.type === 'gap') return this.#byGap.get(cause.from);
    if (cause.type !== 'publication') return undefined;
    const { channel, position, message } = cause;
    return this.#byMessage.get(message) ?? (position ? this.#byPosition.get(placeOf(channel, position)) : undefined);
  }

  #ofConnection(entry: Recorded): Story {
    const last = this.#connections.get(entry.source);
    if (last && entry.event.at - last.lastAt <= CONNECTION_WINDOW_MS) return last;
    const story = this.#begin('connection', '', entry);
    this.#connections.set(entry.source, story);
    return story;
  }

  #begin(kind: StoryKind, name: string, { id, source, event: { at } }: Recorded): Story {
    const story: Story = {
      id,
      kind,
      source,
      at,
      lastAt: at,
      steps: [],
      name,
      channels: new Set(),
      publications: [],
      stale: new Map(),
      staleCount: 0,
      fetches: [],
      hasFailed: false,
    };
    this.stories.push(story);
    return story;
  }

  #step(story: Story, entry: Recorded): void {
    story.steps.push(entry);
    story.lastAt = Math.max(story.lastAt, entry.event.at);
  }
}

function nameOf(cause: StaleCause): string {
  if (cause.type === 'mutation') return cause.mutation.path;
  return 'channel' in cause ? cause.channel : '';
}

function placeOf(channel: string, { epoch, offset }: Position): string {
  return `${channel} ${epoch} ${offset}`;
}
