import type { Migration } from "../../_sql/migration.ts";

/** The schema, step by step; `schema.ts` describes the result for drizzle-kit, and a test compares the two. */
export function migrationsOf(prefix: string): readonly Migration[] {
  return [{
    version: 2,
    minReader: 2,
    minWriter: 2,
    statements: [
      `create table if not exists \`${prefix}events\` (
  position integer primary key autoincrement not null,
  tenant_id text not null,
  stream_id text not null,
  version integer not null,
  category text not null,
  slot integer not null,
  id text not null,
  type text not null,
  schema_version integer not null,
  created_at text not null,
  data text,
  metadata text not null,
  codec text,
  tags text,
  published integer not null,
  imported integer default 0 not null
)`,
      `create unique index if not exists \`${prefix}events_stream\` on \`${prefix}events\` (tenant_id, stream_id, version)`,
      `create unique index if not exists \`${prefix}events_id\` on \`${prefix}events\` (tenant_id, id)`,
      `create index if not exists \`${prefix}events_type\` on \`${prefix}events\` (tenant_id, type, position)`,
      `create index if not exists \`${prefix}events_published\` on \`${prefix}events\` (position) where published`,
      `create index if not exists \`${prefix}events_correlation\` on \`${prefix}events\` (tenant_id, (metadata ->> 'correlationId'))
  where (metadata ->> 'correlationId') <> id`,
      `create table if not exists \`${prefix}event_tags\` (
  tenant_id text not null,
  tag text not null,
  position integer not null,
  primary key (tenant_id, tag, position)
)`,
      `create table if not exists \`${prefix}consumers\` (
  scope text not null,
  name text not null,
  version integer not null,
  lanes integer not null,
  filter text not null,
  position integer not null,
  replay integer default 0 not null,
  seen_at integer,
  error_code text,
  error text,
  primary key (scope, name, version)
)`,
      `create table if not exists \`${prefix}checkpoints\` (
  scope text not null,
  name text not null,
  version integer not null,
  lane integer not null,
  position integer not null,
  epoch integer not null,
  owner text,
  leased_until integer,
  crashes integer not null,
  stalled integer not null,
  primary key (scope, name, version, lane)
)`,
      `create table if not exists \`${prefix}parked\` (
  scope text not null,
  name text not null,
  version integer not null,
  tenant_id text not null,
  stream_id text not null,
  slot integer not null,
  position integer not null,
  attempts integer not null,
  due_at integer,
  error text,
  fingerprint text,
  first_failed_at integer,
  failed_at integer not null,
  redriven integer default 0 not null,
  primary key (scope, name, version, tenant_id, stream_id)
)`,
      `create index if not exists \`${prefix}parked_due\` on \`${prefix}parked\` (due_at)`,
      `create index if not exists \`${prefix}parked_stream\` on \`${prefix}parked\` (tenant_id, stream_id)`,
      // These are made here though not all are used yet: an index made on a great log stops its writers.
      `create table if not exists \`${prefix}snapshots\` (
  tenant_id text not null,
  stream_id text not null,
  kind text not null,
  state_version integer not null,
  version integer not null,
  event_id text not null,
  latest_at text not null,
  data text,
  codec text,
  saved_at text not null,
  primary key (tenant_id, stream_id, kind, state_version)
)`,
      `create table if not exists \`${prefix}subject_keys\` (
  tenant_id text not null,
  subject text not null,
  id text not null,
  keys text,
  created_at text default (strftime('%Y-%m-%dT%H:%M:%fZ')) not null,
  forgotten_at text,
  primary key (tenant_id, subject)
)`,
      `create unique index if not exists \`${prefix}subject_keys_id\` on \`${prefix}subject_keys\` (id)`,
      `create table if not exists \`${prefix}scheduled\` (
  seq integer primary key autoincrement not null,
  tenant_id text not null,
  id text not null,
  stream_id text not null,
  due_at integer not null,
  type text not null,
  schema_version integer not null,
  data text,
  metadata text not null,
  codec text,
  tags text,
  published integer not null,
  attempts integer default 0 not null,
  error text,
  failed_at integer
)`,
      `create unique index if not exists \`${prefix}scheduled_id\` on \`${prefix}scheduled\` (tenant_id, id)`,
      `create index if not exists \`${prefix}scheduled_due\` on \`${prefix}scheduled\` (due_at, seq) where failed_at is null`,
      `create index if not exists \`${prefix}scheduled_stream\` on \`${prefix}scheduled\` (tenant_id, stream_id, due_at, seq)`,
      `create table if not exists \`${prefix}inbox\` (
  tenant_id text not null,
  name text not null,
  message_id text not null,
  handled_at text default (strftime('%Y-%m-%dT%H:%M:%fZ')) not null,
  primary key (tenant_id, name, message_id)
)`,
      `create index if not exists \`${prefix}inbox_handled\` on \`${prefix}inbox\` (name, handled_at)`,
      `create table if not exists \`${prefix}migrations\` (
  version integer primary key not null,
  min_reader integer not null,
  min_writer integer not null,
  applied_at text default (strftime('%Y-%m-%dT%H:%M:%fZ')) not null
)`,
    ],
  }];
}
