/** A step of the database's history: statements that run once, in one transaction. Steps are only ever added. */
export interface Migration {
  readonly id: string;
  readonly statements: readonly string[];
}

const IDENTITY = 'bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY';
const CREATED_AT = 'created_at timestamptz NOT NULL DEFAULT now()';
const USER = 'text NOT NULL REFERENCES op_demo.users ON DELETE CASCADE';
const POST = 'bigint NOT NULL REFERENCES op_demo.posts ON DELETE CASCADE';

export const MIGRATIONS: readonly Migration[] = [
  {
    id: '0001-people-organisations-feeds',
    statements: [
      `CREATE TABLE op_demo.users (id text PRIMARY KEY, name text NOT NULL, occupation text NOT NULL)`,
      `CREATE TABLE op_demo.organisations (id text PRIMARY KEY, name text NOT NULL, purpose text NOT NULL, ${CREATED_AT})`,
      `CREATE TABLE op_demo.memberships (
        org_id text NOT NULL REFERENCES op_demo.organisations ON DELETE CASCADE,
        user_id ${USER}, ${CREATED_AT},
        PRIMARY KEY (org_id, user_id))`,
      `CREATE TABLE op_demo.posts (
        id ${IDENTITY},
        org_id text REFERENCES op_demo.organisations ON DELETE CASCADE,
        author_id ${USER}, body text NOT NULL, ${CREATED_AT})`,
      `CREATE INDEX posts_by_feed ON op_demo.posts (org_id, id)`,
      `CREATE TABLE op_demo.comments (id ${IDENTITY}, post_id ${POST}, author_id ${USER}, body text NOT NULL, ${CREATED_AT})`,
      `CREATE INDEX comments_by_post ON op_demo.comments (post_id, id)`,
      `CREATE TABLE op_demo.reactions (post_id ${POST}, user_id ${USER}, ${CREATED_AT}, PRIMARY KEY (post_id, user_id))`,
      `CREATE TABLE op_demo.notifications (
        id ${IDENTITY}, user_id ${USER}, actor_id ${USER}, kind text NOT NULL,
        post_id bigint REFERENCES op_demo.posts ON DELETE CASCADE,
        org_id text REFERENCES op_demo.organisations ON DELETE CASCADE,
        ${CREATED_AT}, read_at timestamptz)`,
      `CREATE INDEX notifications_by_user ON op_demo.notifications (user_id, id)`,
    ],
  },
];
