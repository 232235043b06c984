import { getTableConfig, SQLiteTable } from "drizzle-orm/sqlite-core";
import {
  examinedColumns,
  type ExaminedObject,
  type ExaminerStatements,
} from "../../_sql/examiner.ts";
import { jsonColumns, pageBytes } from "../../_sql/wire.ts";
import { libsqlTables } from "./schema.ts";
import { statement } from "./text.ts";

/** Lists what the tables of a prefix must have. Primary keys cannot be dropped. */
export function objectsOf(prefix: string): readonly ExaminedObject[] {
  const tables = Object.values(libsqlTables(prefix)).filter((table) =>
    table instanceof SQLiteTable
  );
  return tables.map(getTableConfig).flatMap(({ name, columns, indexes }): ExaminedObject[] => {
    const plain = name.slice(prefix.length);
    return [
      ["table", plain],
      ...columns.map((column): ExaminedObject => ["column", `${plain}.${column.name}`, plain]),
      ...indexes.map(({ config }): ExaminedObject => ["index", config.name, plain]),
    ];
  });
}

/** Writes the statements of an examiner. */
export function examinerOf(prefix: string): ExaminerStatements {
  const events = `"${prefix}events"`;
  const tags = `"${prefix}event_tags"`;
  return {
    objects: statement(objects(prefix), ["objects"]),
    versions: statement(
      `select max(version) as version, max(max(min_reader), max(min_writer)) as needed from "${prefix}migrations"`,
      ["version", "needed"],
    ),
    state: statement(state(prefix), ["state"]),
    events: statement(eventsOf(events, tags), [...examinedColumns, "cut"]),
    tags: statement(tagsOf(events, tags), ["last", "surplus"]),
    types: statement(typesOf(events), ["types"]),
  };
}

/** Lists what is there. The prefix has no character that a pattern or a text would treat in its own way. */
function objects(prefix: string): string {
  const own = `substr(m.name, 1, ${prefix.length}) = '${prefix}'`;
  return `select json_group_array(object) as objects from (
  select 'table ' || substr(m.name, ${
    prefix.length + 1
  }) as object from sqlite_master m where m.type = 'table' and ${own}
  union all
  select 'index ' || m.name from sqlite_master m where m.type = 'index' and ${own}
  union all
  select 'column ' || substr(m.name, ${prefix.length + 1}) || '.' || c.name
  from sqlite_master m join pragma_table_info(m.name) c where m.type = 'table' and ${own}
)`;
}

/** Compares consumers with the log, and looks up parked streams by `events_stream`. */
function state(prefix: string): string {
  const rows = (members: readonly string[], select: string) => {
    const object = members.map((member) => `'${member}', "${member}"`).join(", ");
    return `(select json_group_array(json_object(${object})) from (${select} limit 100))`;
  };
  const lane = ["scope", "name", "version", "lane"];
  return `with log as (
  select coalesce((select seq from sqlite_sequence where name = '${prefix}events'), 0) as head,
    coalesce((select max(position) from "${prefix}events"), 0) as last
)
select json_object(
  'head', log.head, 'last', log.last,
  'ahead', ${
    rows(
      [...lane, "position"],
      `select scope, name, version, lane, position from (
      select scope, name, version, lane, position from "${prefix}checkpoints"
      union all
      select scope, name, version, null, max(position, replay) from "${prefix}consumers"
    ) where position > (select max(head, last) from log) order by scope, name, version, lane`,
    )
  },
  'orphans', ${
    rows(
      ["scope", "name", "version", "tenantId", "streamId"],
      `select scope, name, version, tenant_id as "tenantId", stream_id as "streamId" from "${prefix}parked" p
    where not exists (select 1 from "${prefix}events" e where e.tenant_id = p.tenant_id and e.stream_id = p.stream_id)`,
    )
  },
  'leases', ${
    rows(
      [...lane, "leasedUntil"],
      `select scope, name, version, lane, leased_until as "leasedUntil" from "${prefix}checkpoints"
    where leased_until < ${now} - 24 * 3600000`,
    )
  },
  'writer', null, 'now', ${now}, 'role', null
) as state from log`;
}

const now = "cast((julianday('now') - 2440587.5) * 86400000 as integer)";

/**
 * Reads a page of the log by its primary key. The event before, by which holes and disorder show, is looked up in
 * `events_stream`, the cause in `events_id`, each tag in the primary key of the tags. JSON stays text, since one that is
 * malformed would fail the whole page; quoted, it takes up to twice its bytes.
 */
function eventsOf(events: string, tags: string): string {
  const bytes = jsonColumns.map((column) => `coalesce(octet_length(${column}), 0)`).join(" + ");
  const cause = "case when json_valid(e.metadata) then e.metadata ->> 'causationId' end";
  const expressions: Readonly<Record<string, string>> = {
    previous: `case when e.version > 1 then (
    select p.position from ${events} p
    where p.tenant_id = e.tenant_id and p.stream_id = e.stream_id and p.version = e.version - 1
  ) end`,
    untagged: `case when e.tags is not null then (
    select '' || json_group_array(tag.value) from json_each(${listed("e")}) as tag
    where not exists (select 1 from ${tags} t where t.tenant_id = e.tenant_id and t.tag = tag.value and t.position = e.position)
  ) end`,
    cause: `(
    select '' || json_array(c.position, case when json_valid(c.metadata) then c.metadata ->> 'correlationId' end)
    from ${events} c where c.tenant_id = e.tenant_id and c.id = ${cause}
  )`,
  };
  const columns = examinedColumns.map((name) => `${expressions[name] ?? `e.${name}`} as ${name}`);
  return `with found as materialized (
  select position, ${bytes} as bytes from ${events}
  where position > cast(?1 as integer) and position <= cast(?2 as integer) order by position limit cast(?3 as integer)
), kept as materialized (
  select position from (
    select position, bytes, sum(bytes) over (order by position rows unbounded preceding) as total from found
  ) where total <= ${pageBytes / 2} or total = bytes
)
select ${examinedColumns.map((name) => `json_group_array(${name}) as ${name}`).join(", ")},
  (select count(*) from kept) < (select count(*) from found) as cut
from (
  select ${columns.join(",\n  ")}
  from (select position from kept order by position) as k cross join ${events} e on e.position = k.position
)`;
}

/** Walks the primary key of the tags, and looks up the event of each by its position. */
function tagsOf(events: string, tags: string): string {
  return `with walked as materialized (
  select tenant_id, tag, position from ${tags}
  where (tenant_id, tag, position) > (?1, ?2, cast(?3 as integer))
  order by tenant_id, tag, position limit cast(?4 as integer)
)
select (
  select json_array(json_array(tenant_id, tag, position)) from walked
  order by tenant_id desc, tag desc, position desc limit 1
) as last, (
  select json_group_array(json_array(tenant_id, tag, position)) from (
    select * from walked w where not exists (
      select 1 from ${events} e where e.position = w.position and e.tenant_id = w.tenant_id
        and w.tag in (select value from json_each(${listed("e")}))
    ) limit 100
  )
) as surplus`;
}

/** Lists types by `events_type`: from one to the next, and of each the newest. */
function typesOf(events: string): string {
  const after = (column: string) =>
    `select ${column} from ${events} e where (e.tenant_id, e.type) > (kinds.tenant_id, kinds.type) order by tenant_id, type limit 1`;
  return `with recursive kinds as (
  select * from (select tenant_id, type from ${events} order by tenant_id, type limit 1)
  union all
  select (${after("tenant_id")}), (${after("type")}) from kinds where kinds.type is not null
), versions as (
  select type, max((
    select max(schema_version) from (
      select schema_version from ${events} e where e.tenant_id = kinds.tenant_id and e.type = kinds.type
      order by position desc limit 1000
    )
  )) as version from kinds where type is not null group by type
)
select json_group_array(json_object('type', type, 'schemaVersion', version)) as types from (select * from versions order by type)`;
}

/** The tags of an event, as far as they are a list. */
function listed(event: string): string {
  const tags = `${event}.tags`;
  return `case when json_valid(${tags}) and json_type(${tags}) = 'array' then ${tags} else '[]' end`;
}
