import { useQuery } from '@tanstack/react-query';
import { useEffect, useState } from 'react';
import { pageOf, usePath } from '../location.ts';
import { becomePerson } from '../person.ts';
import { trpc } from '../trpc.ts';
import { Brand } from './Brand.tsx';
import { ChaosDrawer } from './ChaosDrawer.tsx';
import { ConnectionPill } from './ConnectionPill.tsx';
import { EverybodyPage } from './EverybodyPage.tsx';
import { Link } from './Link.tsx';
import { Navigation } from './Navigation.tsx';
import { NotificationList } from './NotificationList.tsx';
import { OrganisationPage } from './OrganisationPage.tsx';
import { OrganisationsPage } from './OrganisationsPage.tsx';
import { PersonMenu } from './PersonMenu.tsx';

export function App({ personId }: { readonly personId: string }) {
  const [isChaosOpen, setIsChaosOpen] = useState(false);
  const toggleChaos = () => setIsChaosOpen((isOpen) => !isOpen);
  const page = pageOf(usePath());
  const { data: organisations } = useQuery(trpc.organisation.list.queryOptions());
  const { data: notifications } = useQuery(trpc.user.notifications.queryOptions());
  const unread = notifications?.unread ?? 0;

  // A window may remember somebody whom this database does not know.
  const { data: people } = useQuery(trpc.people.list.queryOptions());
  const isKnown = !people || people.some((person) => person.id === personId);
  useEffect(() => {
    if (!isKnown) becomePerson(null);
  }, [isKnown]);

  useEffect(() => {
    document.title = unread > 0 ? `(${unread}) Commons` : 'Commons';
  }, [unread]);

  return (
    <div className="frame">
      <header className="header">
        <Link to={{ name: 'everybody' }} className="header-brand">
          <Brand />
        </Link>
        <ConnectionPill isOpen={isChaosOpen} onToggle={toggleChaos} />
        <PersonMenu personId={personId} />
      </header>
      <Navigation organisations={organisations ?? []} unread={unread} />
      <main className="main">
        {page.name === 'everybody' && <EverybodyPage />}
        {page.name === 'organisations' && <OrganisationsPage organisations={organisations ?? []} />}
        {page.name === 'organisation' && (
          <OrganisationPage key={page.orgId} orgId={page.orgId} organisations={organisations} />
        )}
        {page.name === 'notifications' && <NotificationList isPage />}
      </main>
      {page.name !== 'notifications' && (
        <aside className="aside">
          <NotificationList />
        </aside>
      )}
      {isChaosOpen && <ChaosDrawer onClose={toggleChaos} />}
    </div>
  );
}
