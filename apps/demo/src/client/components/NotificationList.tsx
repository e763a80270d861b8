import { useMutation, useQuery } from '@tanstack/react-query';
import { trpc } from '../trpc.ts';
import type { Notification } from '../types.ts';
import { Avatar } from './Avatar.tsx';
import { useArrivals } from './Feed.tsx';
import { Link } from './Link.tsx';
import { RelativeTime } from './RelativeTime.tsx';

/** What happened to this person: a column beside the page, or a page of its own. */
export function NotificationList({ isPage = false }: { readonly isPage?: boolean }) {
  const { data } = useQuery(trpc.user.notifications.queryOptions());
  const markRead = useMutation(trpc.user.markNotificationsRead.mutationOptions());
  const isNew = useArrivals(data?.items.map((item) => item.id));
  const Title = isPage ? 'h1' : 'h2';

  return (
    <section className={isPage ? 'notifications notifications-page' : 'notifications'} aria-label="Notifications">
      <div className="notifications-head">
        <Title>Notifications</Title>
        {data && data.unread > 0 && (
          <button type="button" className="link" disabled={markRead.isPending} onClick={() => markRead.mutate()}>
            Mark all read
          </button>
        )}
      </div>
      {data?.items.length === 0 && <p className="empty">Nothing yet.</p>}
      <ol>
        {data?.items.map((item) => (
          <li
            key={item.id}
            className={`notification ${item.readAt ? '' : 'notification-unread'} ${isNew(item.id) ? 'notification-new' : ''}`}
          >
            <Avatar id={item.actor.id} name={item.actor.name} size="small" />
            <p>
              <Link
                to={item.organisation ? { name: 'organisation', orgId: item.organisation.id } : { name: 'everybody' }}
                className="notification-text"
              >
                <strong>{item.actor.name}</strong> {describe(item)}
              </Link>
              {item.post && <span className="notification-quote">{item.post.body}</span>}
              <RelativeTime at={item.createdAt} />
            </p>
          </li>
        ))}
      </ol>
    </section>
  );
}

function describe({ kind, organisation }: Notification): string {
  const where = organisation ? ` in ${organisation.name}` : '';
  switch (kind) {
    case 'comment':
      return `answered you${where}`;
    case 'reaction':
      return `applauds you${where}`;
    case 'mention':
      return `mentions you${where}`;
    case 'join':
      return `joined ${organisation?.name ?? 'an organisation of yours'}`;
  }
}
