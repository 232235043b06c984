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
  published boolean not null,
  imported boolean not null default false
)`,
      `create unique index if not exists events_stream on ${schema}."events" (tenant_id, stream_id, version)`,
      `create unique index if not exists events_id on ${schema}."events" (tenant_id, id)`,
      `create index if not exists events_type on ${schema}."events" (tenant_id, type, position)`,
      `create index if not exists events_published on ${schema}."events" (position) where published`,
      `create index if not exists events_correlation on ${schema}."events" (tenant_id, (metadata ->> 'correlationId'))
  where (metadata ->> 'correlationId') <> id`,
      `create table if not exists ${schema}."event_tags" (
  tenant_id text collate "C" not null,
  tag text collate "C" not null,
  position bigint not null,
  constraint event_tags_pkey primary key (tenant_id, tag, position)
)`,
      `create table if not exists ${schema}."consumers" (
  scope text collate "C" not null,
  name text collate "C" not null,
  version integer not null,
  lanes integer not null,
  filter text not null,
  position bigint not null,
  replay bigint not null default 0,
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
  fingerprint text,
  first_failed_at timestamp(3) with time zone,
  failed_at timestamp(3) with time zone not null,
  redriven integer not null default 0,
  constraint parked_pkey primary key (scope, name, version, tenant_id, stream_id)
)`,
      `create index if not exists parked_due on ${schema}."parked" (due_at)`,
      `create index if not exists parked_stream on ${schema}."parked" (tenant_id, stream_id)`,
      // These are made here though not all are used yet: an index made on a great log stops its writers.
      `create table if not exists ${schema}."snapshots" (
  tenant_id text collate "C" not null,
  stream_id text collate "C" not null,
  kind text collate "C" not null,
  state_version integer not null,
  version integer not null,
  event_id text collate "C" not null,
  latest_at timestamp(3) with time zone not null,
  data json,
  codec json,
  saved_at timestamp(3) with time zone not null,
  constraint snapshots_pkey primary key (tenant_id, stream_id, kind, state_version)
)`,
      `create table if not exists ${schema}."subject_keys" (
  tenant_id text collate "C" not null,
  subject text collate "C" not null,
  id text collate "C" not null,
  keys text,
  created_at timestamp(3) with time zone not null default now(),
  forgotten_at timestamp(3) with time zone,
  constraint subject_keys_pkey primary key (tenant_id, subject)
)`,
      `create unique index if not exists subject_keys_id on ${schema}."subject_keys" (id)`,
      `create table if not exists ${schema}."scheduled" (
  tenant_id text collate "C" not null,
  id text collate "C" not null,
  stream_id text collate "C" not null,
  due_at timestamp(3) with time zone not null,
  seq bigint not null generated always as identity,
  type text collate "C" not null,
  schema_version integer not null,
  data json,
  metadata json not null,
  codec json,
  tags json,
  published boolean not null,
  attempts integer not null default 0,
  error text,
  failed_at timestamp(3) with time zone,
  constraint scheduled_pkey primary key (tenant_id, id)
)`,
      `create index if not exists scheduled_due on ${schema}."scheduled" (due_at, seq) where failed_at is null`,
      `create index if not exists scheduled_stream on ${schema}."scheduled" (tenant_id, stream_id, due_at, seq)`,
      `create table if not exists ${schema}."inbox" (
  tenant_id text collate "C" not null,
  name text collate "C" not null,
  message_id text collate "C" not null,
  handled_at timestamp(3) with time zone not null default now(),
  constraint inbox_pkey primary key (tenant_id, name, message_id)
)`,
      `create index if not exists inbox_handled on ${schema}."inbox" (name, handled_at)`,
      `create table if not exists ${schema}."boundary" (nothing integer)`,
      `create table if not exists ${schema}."migrations" (
  version integer primary key not null,
  min_reader integer not null,
  min_writer integer not null,
  applied_at timestamp(3) with time zone not null default now()
)`,
    ],
  }];
}
