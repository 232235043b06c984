import type { ScanFilters, Statement, Statements } from "../../_sql/statement.ts";
import { checkpointsOf } from "./checkpoints.ts";
import { statement } from "./text.ts";

/** The statements of one prefix, those of libSQL alone included. */
export interface LibsqlStatements extends Statements {
  /** tenant, stream, category, expectation, id, type, schema version, time, data, metadata, codec, published, slot → one `Placed`. */
  readonly appendLone: Statement;
  /** tenant, JSON array of events → one `Placed` an event. */
  readonly appendMany: Statement;
  /** The same parameters, right after `appendMany`: stores the tags if it stored events. */
  readonly tag: Statement;
  /** → the last position that was given. */
  readonly head: Statement;
  /** tenant, stream: removes the stream's tags. */
  readonly untag: Statement;
  /** tenant, stream: removes its events. */
  readonly remove: Statement;
  /** tenant, stream: removes it where it is parked. */
  readonly unpark: Statement;
  /** → whether the tables are there. */
  readonly exists: Statement;
  /** → the one `SchemaVersion`. */
  readonly version: Statement;
  /** → the last position that was given, and the highest that an event or a checkpoint has. */
  readonly heads: Statement;
}

/** Writes the statements for a prefix. */
export function statementsOf(prefix: string): LibsqlStatements {
  const events = `"${prefix}events"`;
  const tags = `"${prefix}event_tags"`;
  const head =
    `select coalesce((select seq from sqlite_sequence where name = '${prefix}events'), 0)`;
  return {
    appendLone: statement(appendLone(events)),
    appendMany: statement(appendMany(events)),
    tag: statement(tag(events, tags)),
    explain: statement(explain(events)),
    load: statement(load(events, "asc")),
    loadBackwards: statement(load(events, "desc")),
    streams: statement(streams(events)),
    scan: (filters) => statement(scan(events, tags, filters)),
    checkpoints: checkpointsOf(prefix),
    head: statement(`${head} as head`),
    untag: statement(`delete from ${tags} where (tag, position) in (
  select tag.value, e.position from ${events} e, json_each(e.tags) as tag where e.tenant_id = ?1 and e.stream_id = ?2
)`),
    remove: statement(`delete from ${events} where tenant_id = ?1 and stream_id = ?2`),
    unpark: statement(`delete from "${prefix}parked" where tenant_id = ?1 and stream_id = ?2`),
    exists: statement(
      `select count(*) as found from sqlite_master where type = 'table' and name = '${prefix}migrations'`,
    ),
    version: statement(
      `select max(version) as version, max(min_reader) as min_reader, max(min_writer) as min_writer from "${prefix}migrations"`,
    ),
    heads: statement(
      `select (${head}) as head, max(
  coalesce((select max(position) from ${events}), 0), coalesce((select max(position) from "${prefix}checkpoints"), 0)
) as seen`,
    ),
  };
}

/**
 * Appends one event. Compares the stream's version (read from `events_stream`) with the expectation; a conflict returns
 * no row, raises nothing and leaves nothing. One writer at a time: there is no race to lose within a statement.
 *
 * The client compiles the statement each time, so its length is its price: a taken id is left to the unique index, whose
 * refusal undoes the statement but no transaction. `having` over the aggregate would be shorter by a tenth, but the
 * parser of the libSQL server refuses it without `group by`.
 */
function appendLone(events: string): string {
  return `insert into ${events}
  (tenant_id, stream_id, version, category, id, type, schema_version, created_at, data, metadata, codec, published, slot)
select ?1, ?2, v + 1, ?3, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12 = 'true', cast(?13 as integer)
from (select coalesce(max(version), 0) as v from ${events} where tenant_id = ?1 and stream_id = ?2)
where ?4 = '-1' or v = cast(?4 as integer) or (?4 = '-2' and v > 0)
returning version, position`;
}

/**
 * Appends several events to one stream or several, given as one JSON array. The expectations of all streams are one
 * guard over the whole: a guard for each would see the rows that the statement itself has put in.
 */
function appendMany(events: string): string {
  return `with input as materialized (
  select value ->> 'stream_id' as stream_id, value ->> 'category' as category, value ->> 'expected' as expected, value ->> 'i' as i,
    value ->> 'id' as id, value ->> 'type' as type, value ->> 'schema_version' as schema_version, value ->> 'created_at' as created_at,
    value -> 'data' as data, value -> 'metadata' as metadata, value -> 'codec' as codec, value -> 'tags' as tags, value ->> 'published' as published, value ->> 'slot' as slot
  from json_each(?2)
), cur as materialized (
  select stream_id, expected, coalesce((
    select max(e.version) from ${events} e where e.tenant_id = ?1 and e.stream_id = input.stream_id
  ), 0) as v
  from input where i = 1
), fit as materialized (
  select 1 as yes
  where not exists (select 1 from cur where not (expected = -1 or (expected = -2 and v > 0) or v = expected))
    and not exists (select 1 from input cross join ${events} e on e.tenant_id = ?1 and e.id = input.id)
)
insert into ${events}
  (tenant_id, stream_id, version, category, id, type, schema_version, created_at, data, metadata, codec, tags, published, slot)
select ?1, input.stream_id, cur.v + input.i, input.category, input.id, input.type, input.schema_version, input.created_at,
  input.data, input.metadata, input.codec, input.tags, input.published, input.slot
from fit cross join cur join input using (stream_id)
order by input.stream_id, input.i
returning stream_id, version, position`;
}

/** Stores the tags of what the statement before it stored; nothing where that was refused. */
function tag(events: string, tags: string): string {
  return `insert into ${tags} (tag, position)
select distinct tag.value, e.position
from json_each(?2) as input, json_each(input.value, '$.tags') as tag, ${events} e
where e.tenant_id = ?1 and e.id = input.value ->> 'id' and changes() > 0`;
}

/** Asks why an append was refused: the streams' versions (by `events_stream`) and the taken ids (by `events_id`). */
function explain(events: string): string {
  return `select (
  select json_group_array(coalesce((select max(version) from ${events} where tenant_id = ?1 and stream_id = asked.value), 0))
  from json_each(?2) as asked
) as versions, (
  select json_group_array(json_array(id, stream_id, version, position)) from ${events}
  where tenant_id = ?1 and id in (select value from json_each(?3))
) as known`;
}

const scalars = [
  "tenant_id",
  "stream_id",
  "version",
  "position",
  "id",
  "type",
  "schema_version",
  "created_at",
  "published",
];
const jsons = ["data", "metadata", "codec", "tags"];
const columns = [...scalars, ...jsons].join(", ");

/**
 * Aggregates a page, a JSON array a column; see `PageColumns`. What is JSON already is joined as it is: `json(data)`
 * would parse and write all of it again.
 */
function page(rows: string): string {
  const aggregates = [
    ...scalars.map((column) => `json_group_array(${column}) as ${column}`),
    ...jsons.map((column) =>
      `'[' || group_concat(coalesce(${column}, 'null'), ',') || ']' as ${column}`
    ),
  ];
  return `select ${aggregates.join(", ")}
from (
  ${rows}
) as page`;
}

/** Loads a page of a stream by `events_stream`. */
function load(events: string, direction: "asc" | "desc"): string {
  return page(`select ${columns} from ${events}
  where tenant_id = ?1 and stream_id = ?2 and version >= cast(?3 as integer) and version <= cast(?4 as integer)
  order by version ${direction} limit cast(?5 as integer)`);
}

/** Lists streams by walking `events_stream` at version 1, and looks up the last event of each. */
function streams(events: string): string {
  return `select json_group_array(stream_id) as stream_id, json_group_array(version) as version,
  json_group_array(created_at) as created_at, json_group_array(updated_at) as updated_at
from (
  select first.stream_id, last.version, first.created_at, last.created_at as updated_at
  from ${events} first join ${events} last on last.tenant_id = first.tenant_id and last.stream_id = first.stream_id
    and last.version = (select max(version) from ${events} where tenant_id = first.tenant_id and stream_id = first.stream_id)
  where first.tenant_id = ?1 and first.version = 1 and (?2 is null or first.category = ?2)
    and (?3 is null or first.stream_id > ?3)
  order by first.stream_id limit cast(?4 as integer)
) as page`;
}

/**
 * Reads a page of the log by its primary key; by `event_tags` where tags are asked for, by `events_published` where only
 * what is for the outbox, and by `events_stream`, in whose order versions and positions ascend alike, where one stream.
 */
function scan(events: string, tags: string, filters: ScanFilters): string {
  const conditions = ["position > cast(?1 as integer) and position <= cast(?2 as integer)"];
  // A parameter that no condition uses would be refused.
  conditions.push(filters.tenant ? "tenant_id = ?4" : "?4 is null");
  conditions.push(
    filters.categories ? "category in (select value from json_each(?5))" : "?5 is null",
  );
  conditions.push(filters.types ? "type in (select value from json_each(?6))" : "?6 is null");
  const tagged = `position in (
    select position from ${tags} where tag in (select value from json_each(?7))
    group by position having count(*) = json_array_length(?7)
  )`;
  conditions.push(filters.tags ? tagged : "?7 is null");
  conditions.push(filters.stream ? "stream_id = ?8" : "?8 is null");
  conditions.push(filters.lane ? "slot % (?9 ->> 1) = (?9 ->> 0)" : "?9 is null");
  if (filters.published) conditions.push("published");
  return page(`select ${columns} from ${events}
  where ${conditions.join("\n    and ")}
  order by ${filters.stream ? "version" : "position"} limit cast(?3 as integer)`);
}
