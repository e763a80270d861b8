import { useMutation, useQuery } from '@tanstack/react-query';
import { trpc } from '../trpc.ts';
import type { Organisation } from '../types.ts';
import { Avatar } from './Avatar.tsx';
import { Composer } from './Composer.tsx';
import { Feed } from './Feed.tsx';
import { FreshnessNote } from './FreshnessNote.tsx';

interface OrganisationPageProps {
  readonly orgId: string;
  /** Undefined while it loads. */
  readonly organisations: readonly Organisation[] | undefined;
}

export function OrganisationPage({ orgId, organisations }: OrganisationPageProps) {
  const organisation = organisations?.find(({ id }) => id === orgId);
  const join = useMutation(trpc.organisation.join.mutationOptions());
  const leave = useMutation(trpc.organisation.leave.mutationOptions());

  if (!organisations) return null;
  if (!organisation) return <p className="empty">There is no such organisation.</p>;
  const { name, purpose, memberCount, isMember } = organisation;
  const change = isMember ? leave : join;

  return (
    <>
      <div className="page-head page-head-organisation">
        <Avatar id={orgId} name={name} size="large" shape="square" />
        <div>
          <h1>{name}</h1>
          <p className="muted">{purpose}</p>
        </div>
        <button
          type="button"
          className={isMember ? 'button button-quiet' : 'button'}
          disabled={change.isPending}
          onClick={() => change.mutate({ orgId })}
        >
          {isMember ? 'Leave' : 'Join'}
        </button>
      </div>
      {change.error && <p className="problem">{change.error.message}</p>}
      {isMember ? (
        <MemberView orgId={orgId} name={name} />
      ) : (
        <p className="empty">
          {memberCount} {memberCount === 1 ? 'person reads and writes' : 'people read and write'} here. Join, and you do
          too.
        </p>
      )}
    </>
  );
}

function MemberView({ orgId, name }: { orgId: string; name: string }) {
  const feed = useQuery(trpc.feed.organisation.queryOptions({ orgId }));
  const members = useQuery(trpc.organisation.members.queryOptions({ orgId }));
  return (
    <>
      <ul className="members" aria-label="Members">
        {members.data?.map((member) => (
          <li key={member.id} title={`${member.name}: ${member.occupation}`}>
            <Avatar id={member.id} name={member.name} size="small" />
            {member.name.split(' ')[0]}
          </li>
        ))}
      </ul>
      <Composer orgId={orgId} placeholder={`Write to ${name}…`} />
      <FreshnessNote queryKey={trpc.feed.organisation.queryKey({ orgId })} />
      <Feed feed={feed} />
    </>
  );
}
