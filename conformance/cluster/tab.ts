import { RealtimeManager } from '@op/realtime/client';
import { Answers, bindQueryClient } from '@op/realtime/query';
import type { Realtime } from '@op/realtime/server';
import { QueryClient, QueryObserver } from '@tanstack/query-core';
import { toWireMeta } from '../../packages/realtime/src/trpc/metadata.ts';

type Channel = `trpc:${string}`;

/** What a tab saw of a channel: joins, losses, and the numbers that were published on it. */
export interface Seen {
  readonly numbers: number[];
  readonly offsets: number[];
  readonly joins: ('recovered' | 'fresh')[];
  readonly losses: string[];
}

/** A query as a tab shows it now. */
export interface Shown<T> {
  data(): T | undefined;
  state(): string;
}

/** A tab of a user: the library's own client, as an app uses it. */
export class Tab {
  readonly manager: RealtimeManager;
  readonly #closing: (() => unknown)[] = [];

  /** @param mayRead asked for every grant */
  constructor(publicUrl: string, userId: string, realtime: Realtime, mayRead: () => boolean = () => true) {
    this.manager = new RealtimeManager({
      wsUrl: `${publicUrl.replace(/^http/, 'ws')}/connection/websocket`,
      getToken: () => realtime.createConnectionToken({ userId }),
      getChannelTokens: async (channels) =>
        mayRead() ? realtime.createChannelTokens({ userId, channels: channels as Channel[] }) : {},
      retry: { minMs: 20, maxMs: 200 },
      onError: () => {}, // nodes are killed here
    });
  }

  /** Listens, and keeps what comes. */
  listen(channel: Channel): Seen {
    const seen: Seen = { numbers: [], offsets: [], joins: [], losses: [] };
    this.manager.subscribe(
      channel,
      (message, { position }) => {
        if (message.type !== 'event') return;
        seen.numbers.push(message.data as number);
        seen.offsets.push(position?.offset ?? Number.NaN);
      },
      {
        onJoin: ({ recovered }) => seen.joins.push(recovered ? 'recovered' : 'fresh'),
        onLoss: ({ kind }) => seen.losses.push(kind),
      },
    );
    return seen;
  }

  /** Shows a query that depends on the channel, stamped as a server does it. */
  show<T extends object>(channel: Channel, realtime: () => Realtime, read: () => T): Shown<T> {
    const answers = new Answers();
    const client = new QueryClient();
    const binding = bindQueryClient(client, this.manager, { answers });
    const queryFn = async (): Promise<T> => {
      const take = answers.called('shown', undefined);
      const stamp = (await realtime().positions([channel])).get(channel) ?? null;
      const data = read();
      const meta = toWireMeta({ requestId: true, channels: [{ channel, stamp, grant: null }], touched: [] });
      answers.set(data, take(meta));
      return data;
    };
    const observer = new QueryObserver(client, { queryKey: ['shown'], queryFn, staleTime: Number.POSITIVE_INFINITY });
    const end = observer.subscribe(() => {});
    this.#closing.push(
      end,
      () => binding.dispose(),
      () => client.clear(),
    );
    return { data: () => observer.getCurrentResult().data, state: () => binding.status(['shown']).state };
  }

  close(): void {
    for (const close of this.#closing) close();
    this.manager.dispose();
  }
}
