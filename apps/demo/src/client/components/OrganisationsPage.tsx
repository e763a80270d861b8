import type { Organisation } from '../types.ts';
import { Avatar } from './Avatar.tsx';
import { Link } from './Link.tsx';

export function OrganisationsPage({ organisations }: { readonly organisations: readonly Organisation[] }) {
  return (
    <>
      <div className="page-head">
        <h1>Organisations</h1>
        <p className="muted">Each has a feed that only its members see.</p>
      </div>
      <ul className="cards">
        {organisations.map(({ id, name, purpose, memberCount, isMember }) => (
          <li key={id}>
            <Link to={{ name: 'organisation', orgId: id }} className="card">
              <Avatar id={id} name={name} size="large" shape="square" />
              <span className="card-text">
                <strong>{name}</strong>
                <span className="muted">{purpose}</span>
              </span>
              <span className="card-fact muted">
                {memberCount} {memberCount === 1 ? 'member' : 'members'}
                {isMember && <span className="card-mark">yours</span>}
              </span>
            </Link>
          </li>
        ))}
      </ul>
    </>
  );
}
