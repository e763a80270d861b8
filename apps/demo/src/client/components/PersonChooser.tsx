import { useQuery } from '@tanstack/react-query';
import { becomePerson } from '../person.ts';
import { trpc } from '../trpc.ts';
import { Avatar } from './Avatar.tsx';
import { Brand } from './Brand.tsx';

/** The first thing that a window shows: no passwords, one click. */
export function PersonChooser() {
  const people = useQuery(trpc.people.list.queryOptions());
  return (
    <main className="chooser">
      <Brand />
      <h1>Who are you in this window?</h1>
      <p className="muted">Open a second window and be somebody else there. What one writes, the other sees.</p>
      <ul className="chooser-people">
        {people.data?.map((person) => (
          <li key={person.id}>
            <button type="button" className="chooser-person" onClick={() => becomePerson(person.id)}>
              <Avatar id={person.id} name={person.name} size="large" />
              <span>
                <strong>{person.name}</strong>
                <span className="muted">{person.occupation}</span>
              </span>
            </button>
          </li>
        ))}
      </ul>
      {people.isError && <p className="problem">The list of people could not be loaded. Is the demo still running?</p>}
    </main>
  );
}
