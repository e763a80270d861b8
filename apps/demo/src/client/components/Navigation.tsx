import type { Organisation } from '../types.ts';
import { Avatar } from './Avatar.tsx';
import { Icon } from './Icon.tsx';
import { Link } from './Link.tsx';

interface NavigationProps {
  readonly organisations: readonly Organisation[];
  readonly unread: number;
}

/** A column on wide screens, a bar at the bottom of narrow ones. */
export function Navigation({ organisations, unread }: NavigationProps) {
  return (
    <nav className="navigation" aria-label="Main">
      <Link to={{ name: 'everybody' }} className="navigation-link">
        <Icon name="everybody" /> Everybody
      </Link>
      <Link to={{ name: 'organisations' }} className="navigation-link">
        <Icon name="organisations" /> Organisations
      </Link>
      <Link to={{ name: 'notifications' }} className="navigation-link">
        <Icon name="notifications" /> Notifications
        {unread > 0 && (
          <span className="badge" data-testid="unread">
            {unread}
          </span>
        )}
      </Link>
      <div className="navigation-own">
        <p className="navigation-title">Yours</p>
        {organisations
          .filter((organisation) => organisation.isMember)
          .map((organisation) => (
            <Link
              key={organisation.id}
              to={{ name: 'organisation', orgId: organisation.id }}
              className="navigation-link"
            >
              <Avatar id={organisation.id} name={organisation.name} size="small" shape="square" />
              {organisation.name}
            </Link>
          ))}
      </div>
    </nav>
  );
}
