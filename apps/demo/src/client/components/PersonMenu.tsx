import { useQuery } from '@tanstack/react-query';
import { useEffect, useRef } from 'react';
import { addressAs, becomePerson } from '../person.ts';
import { trpc } from '../trpc.ts';
import { Avatar } from './Avatar.tsx';
import { Icon } from './Icon.tsx';

/** Who this window is, and the switch to be somebody else, here or in another window. */
export function PersonMenu({ personId }: { readonly personId: string }) {
  const { data: people = [] } = useQuery(trpc.people.list.queryOptions());
  const menu = useRef<HTMLDetailsElement>(null);
  const self = people.find((person) => person.id === personId);

  useEffect(() => {
    const close = (event: Event) => {
      if (event instanceof KeyboardEvent ? event.key === 'Escape' : !menu.current?.contains(event.target as Node))
        menu.current?.removeAttribute('open');
    };
    document.addEventListener('pointerdown', close);
    document.addEventListener('keydown', close);
    return () => {
      document.removeEventListener('pointerdown', close);
      document.removeEventListener('keydown', close);
    };
  }, []);

  return (
    <details className="menu" ref={menu}>
      <summary aria-label={`You are ${self?.name ?? personId}. Switch`}>
        <Avatar id={personId} name={self?.name ?? ''} size="small" />
        <span className="menu-name">{self?.name ?? ''}</span>
        <Icon name="chevron" />
      </summary>
      <div className="menu-panel">
        <p className="menu-title">Be somebody else</p>
        <ul>
          {people
            .filter((person) => person.id !== personId)
            .map((person) => (
              <li key={person.id}>
                <button type="button" onClick={() => becomePerson(person.id)}>
                  <Avatar id={person.id} name={person.name} size="small" />
                  {person.name}
                </button>
                <a
                  href={addressAs(person.id)}
                  target="_blank"
                  rel="noopener"
                  aria-label={`Open a window as ${person.name}`}
                  title={`Open a window as ${person.name}`}
                >
                  <Icon name="window" />
                </a>
              </li>
            ))}
        </ul>
      </div>
    </details>
  );
}
