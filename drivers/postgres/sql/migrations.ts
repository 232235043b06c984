import type { Migration } from "../../_sql/migration.ts";

/** The schema, step by step; `schema.ts` describes the result for drizzle-kit, and a test compares the two. */
export function migrationsOf(schema: string): readonly Migration[] {
  return [{
    version: 2,
    minReader: 2,
    minWriter: 2,
    statements: [
      `create sequence if not exists ${schema}."position" cache 1`,
      `create table if not exists ${schema}."events" (
  position bigint primary key not null,
  tenant_id text collate "C" not null,
  stream_id text collate "C" not null,
  version integer not null,
  category text collate "C" not null,
  slot integer not null,
  id text collate "C" not null,
  type text collate "C" not null,
  schema_version integer not null,
  created_at timestamp(3) with time zone not null,
  data json,
  metadata json not null,
  codec json,
  tags json,
  published boolean not null
)`,
      `create unique index if not exists events_stream on ${schema}."events" (tenant_id, stream_id, version)`,
      `create unique index if not exists events_id on ${schema}."events" (tenant_id, id)`,
      `create index if not exists events_published on ${schema}."events" (position) where published`,
      `create table if not exists ${schema}."event_tags" (
  tag text collate "C" not null,
  position bigint not null,
  constraint event_tags_pkey primary key (tag, position)
)`,
      `create table if not exists ${schema}."consumers" (
  scope text collate "C" not null,
  name text collate "C" not null,
  version integer not null,
  lanes integer not null,
  filter text not null,
  position bigint not null,
  seen_at timestamp(3) with time zone,
  error_code text,
  error text,
  constraint consumers_pkey primary key (scope, name, version)
)`,
      `create table if not exists ${schema}."checkpoints" (
  scope text collate "C" not null,
  name text collate "C" not null,
  version integer not null,
  lane integer not null,
  position bigint not null,
  epoch bigint not null,
  owner text,
  leased_until timestamp(3) with time zone,
  crashes integer not null,
  stalled boolean not null,
  constraint checkpoints_pkey primary key (scope, name, version, lane)
)`,
      `create table if not exists ${schema}."parked" (
  scope text collate "C" not null,
  name text collate "C" not null,
  version integer not null,
  tenant_id text collate "C" not null,
  stream_id text collate "C" not null,
  slot integer not null,
  position bigint not null,
  attempts integer not null,
  due_at timestamp(3) with time zone,
  error text,
  failed_at timestamp(3) with time zone not null,
  constraint parked_pkey primary key (scope, name, version, tenant_id, stream_id)
)`,
      `create index if not exists parked_due on ${schema}."parked" (due_at)`,
      `create index if not exists parked_stream on ${schema}."parked" (tenant_id, stream_id)`,
      `create table if not exists ${schema}."migrations" (
  version integer primary key not null,
  min_reader integer not null,
  min_writer integer not null,
  applied_at timestamp(3) with time zone not null default now()
)`,
    ],
  }];
}
