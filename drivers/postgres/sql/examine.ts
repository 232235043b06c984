import { getTableConfig, PgTable } from "drizzle-orm/pg-core";
import {
  examinedColumns,
  type ExaminedObject,
  type ExaminerStatements,
} from "../../_sql/examiner.ts";
import { page } from "./read.ts";
import { postgresTables } from "./schema.ts";
import { literal, statement } from "./text.ts";

/** Lists what a schema must have, by its unquoted name. */
export function objectsOf(name: string): readonly ExaminedObject[] {
  const tables = Object.values(postgresTables(name)).filter((table) => table instanceof PgTable);
  return [
    ["sequence", "position"],
    ...tables.map(getTableConfig).flatMap((table): ExaminedObject[] => [
      ["table", table.name],
      ...table.columns.map(({ name }): ExaminedObject => [
        "column",
        `${table.name}.${name}`,
        table.name,
      ]),
      ...(table.primaryKeys.length > 0 || table.columns.some(({ primary }) => primary)
        ? [["index", `${table.name}_pkey`, table.name] as const]
        : []),
      ...table.indexes.map(({ config }): ExaminedObject => ["index", config.name!, table.name]),
    ]),
  ];
}

/**
 * Writes the statements of an examiner.
 *
 * @param name The schema's name.
 * @param schema The same, quoted.
 */
export function examinerOf(name: string, schema: string): ExaminerStatements {
  return {
    objects: statement(objects(name), ["objects"]),
    versions: statement(
      `select nullif(max(version), 0)::text as version, greatest(max(min_reader), max(min_writer))::text as needed
from ${schema}."migrations"`,
      ["version", "needed"],
    ),
    state: statement(state(schema), ["state"]),
    events: statement(events(schema), [...examinedColumns, "cut"]),
    tags: statement(tags(schema), ["last", "surplus"]),
    types: statement(types(schema), ["types"]),
  };
}

/** Lists what is there; an index that was never completed, as by a failed `create index concurrently`, is not. */
function objects(name: string): string {
  return `select coalesce(json_agg(object), '[]')::text as objects from (
  select case relkind when 'S' then 'sequence ' when 'r' then 'table ' when 'p' then 'table ' else 'index ' end || relname as object
  from pg_class left join pg_index on indexrelid = pg_class.oid
  where relnamespace = (select oid from pg_namespace where nspname = ${literal(name)})
    and relkind in ('S', 'r', 'p', 'i', 'I') and coalesce(indisvalid, true)
  union all
  select 'column ' || relname || '.' || attname from pg_class join pg_attribute on attrelid = pg_class.oid
  where relnamespace = (select oid from pg_namespace where nspname = ${literal(name)})
    and relkind in ('r', 'p') and attnum > 0 and not attisdropped
) as found`;
}

/** Compares consumers with the log, and looks up parked streams by `events_stream`. */
function state(schema: string): string {
  const table = literal(`${schema}."events"`);
  const rows = (select: string) =>
    `(select coalesce(json_agg(found), '[]') from (${select} limit 100) as found)`;
  return `with log as (
  select coalesce(
    (select position from ${schema}."consumers" where scope = 'fence' and name = '' and version = 0),
    (select last_value - (not is_called)::int from ${schema}."position")
  ) as head, coalesce((select max(position) from ${schema}."events"), 0) as last
), end_of_log as (
  select greatest(head, last) as position from log
), may as (
  select privilege from unnest(array['update', 'delete', 'truncate']) as privilege
  where has_table_privilege(${table}, privilege)
)
select json_build_object(
  'head', log.head, 'last', log.last,
  'ahead', ${
    rows(`select scope, name, version, lane, position from (
      select scope, name, version, lane, position from ${schema}."checkpoints"
      union all
      select scope, name, version, null, greatest(position, replay) from ${schema}."consumers" where scope <> 'fence'
    ) as reached where position > (select position from end_of_log) order by scope, name, version, lane`)
  },
  'orphans', ${
    rows(
      `select scope, name, version, tenant_id as "tenantId", stream_id as "streamId" from ${schema}."parked" p
    where not exists (select from ${schema}."events" e where e.tenant_id = p.tenant_id and e.stream_id = p.stream_id)`,
    )
  },
  'leases', ${
    rows(
      `select scope, name, version, lane, ${
        milliseconds("leased_until")
      } as "leasedUntil" from ${schema}."checkpoints"
    where leased_until < clock_timestamp() - interval '1 day'`,
    )
  },
  'writer', (
    select json_build_object('name', coalesce('process ' || l.pid, 'a prepared transaction'), 'since', ${
    milliseconds("a.xact_start")
  })
    from pg_locks l left join pg_stat_activity a on a.pid = l.pid
    where l.locktype = 'relation' and l.relation = ${table}::regclass and l.mode = 'RowExclusiveLock' and l.granted
      and l.database = (select oid from pg_database where datname = current_database())
      and l.pid is distinct from pg_backend_pid()
    order by a.xact_start limit 1
  ),
  'now', ${milliseconds("clock_timestamp()")},
  'role', (
    select json_build_object('name', rolname, 'may', (select coalesce(json_agg(privilege), '[]') from may), 'revoke',
      case when not rolsuper then format('revoke %s on %s from %I', (select string_agg(privilege, ', ') from may), ${table}, rolname) end)
    from pg_roles where rolname = current_user
  )
)::text as state from log`;
}

function milliseconds(instant: string): string {
  return `floor(extract(epoch from ${instant}) * 1000)::bigint`;
}

/**
 * Reads a page of the log by its primary key. The event before, by which holes and disorder show, is looked up in
 * `events_stream`, the cause in `events_id`, each tag in the primary key of the tags: one walk by position finds what a
 * second one by stream would, can go on at a position, and reads each row once.
 *
 * The bound above and the look-ups are written as in `read.ts`: as a range and as joins, the planner read and sorted the
 * whole rest of the log, and all tags of the tenant, for each page. A list that is unpacked counts as 100 rows: with a
 * condition on an expression as one, or the estimate passes `jit_above_cost`, and each page was compiled for 3 s.
 */
function events(schema: string): string {
  const cause = "e.metadata ->> 'causationId'";
  return page(
    `select position, tenant_id, stream_id, version, category, slot, id, type, schema_version, created_at,
    data::text as data, metadata::text as metadata, codec::text as codec, tags::text as tags, published, imported,
    case when version > 1 then (
      select p.position from ${schema}."events" p
      where p.tenant_id = e.tenant_id and p.stream_id = e.stream_id and p.version = e.version - 1 limit 1
    ) end as previous,
    case when tags is not null then (
      select json_agg(own.tag)::text from (
        select tag from json_array_elements_text(${
      listed("e")
    }) as tag where tag || '' = tag offset 0
      ) as own
      where (select true from ${schema}."event_tags" t where t.tenant_id = e.tenant_id and t.tag = own.tag and t.position = e.position) is null
    ) end as untagged,
    case when ${cause} is not null then (
      select json_build_array(c.position, c.metadata ->> 'correlationId')::text from ${schema}."events" c
      where c.tenant_id = e.tenant_id and c.id = ${cause} limit 1
    ) end as cause
  from ${schema}."events" e where position > $1::text::bigint and (position, 0) <= ($2::text::bigint, 0)
  order by position limit $3::text::bigint`,
    "position asc",
    examinedColumns,
  );
}

/** Walks the primary key of the tags, and looks up the event of each by its position. */
function tags(schema: string): string {
  return `with walked as materialized (
  select tenant_id, tag, position from ${schema}."event_tags"
  where (tenant_id, tag, position) > ($1::text, $2::text, $3::text::bigint)
  order by tenant_id, tag, position limit $4::text::bigint
)
select (
  select json_build_array(json_build_array(tenant_id, tag, position)) from walked
  order by tenant_id desc, tag desc, position desc limit 1
)::text as last, (
  select json_agg(json_build_array(tenant_id, tag, position)) from (
    select * from walked w where (
      select true from ${schema}."events" e where e.position = w.position and e.tenant_id = w.tenant_id
        and w.tag in (select json_array_elements_text(${listed("e")}))
    ) is null limit 100
  ) as surplus
)::text as surplus`;
}

/** Lists types by `events_type`: from one to the next, and of each the newest. */
function types(schema: string): string {
  return `with recursive kinds as (
  (select tenant_id, type from ${schema}."events" order by tenant_id, type limit 1)
  union all
  select next.* from kinds cross join lateral (
    select tenant_id, type from ${schema}."events" e where (e.tenant_id, e.type) > (kinds.tenant_id, kinds.type)
    order by tenant_id, type limit 1
  ) as next
), versions as (
  select type, max(newest.version) as version from kinds cross join lateral (
    select max(schema_version) as version from (
      select schema_version from ${schema}."events" e where e.tenant_id = kinds.tenant_id and e.type = kinds.type
      order by position desc limit 1000
    ) as latest
  ) as newest group by type
)
select coalesce(json_agg(json_build_object('type', type, 'schemaVersion', version) order by type), '[]')::text as types from versions`;
}

/** The tags of an event, as far as they are a list. */
function listed(event: string): string {
  return `case json_typeof(${event}.tags) when 'array' then ${event}.tags else '[]'::json end`;
}
