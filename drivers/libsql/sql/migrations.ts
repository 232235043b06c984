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
  published integer not null
)`,
      `create unique index if not exists \`${prefix}events_stream\` on \`${prefix}events\` (tenant_id, stream_id, version)`,
      `create unique index if not exists \`${prefix}events_id\` on \`${prefix}events\` (tenant_id, id)`,
      `create index if not exists \`${prefix}events_published\` on \`${prefix}events\` (position) where published`,
      `create table if not exists \`${prefix}event_tags\` (
  tag text not null,
  position integer not null,
  primary key (tag, position)
)`,
      `create table if not exists \`${prefix}consumers\` (
  scope text not null,
  name text not null,
  version integer not null,
  lanes integer not null,
  filter text not null,
  position integer not null,
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
  failed_at integer not null,
  primary key (scope, name, version, tenant_id, stream_id)
)`,
      `create index if not exists \`${prefix}parked_due\` on \`${prefix}parked\` (due_at)`,
      `create index if not exists \`${prefix}parked_stream\` on \`${prefix}parked\` (tenant_id, stream_id)`,
      `create table if not exists \`${prefix}migrations\` (
  version integer primary key not null,
  min_reader integer not null,
  min_writer integer not null,
  applied_at text default (strftime('%Y-%m-%dT%H:%M:%fZ')) not null
)`,
    ],
  }];
}
