import type { ScanFilters } from "../../_sql/statement.ts";
import { matches } from "./match.ts";
import { eventColumns, jsonColumns, loadedColumns, pageBytes } from "../../_sql/wire.ts";

const columns = eventColumns.join(", ");

/** The bytes of JSON of an event. */
const bytes = jsonColumns.map((column) => `coalesce(octet_length(${column}::text), 0)`).join(" + ");

/**
 * Aggregates a page, a JSON array a column; see `PageColumns`. A running sum ends it before it holds too many bytes;
 * if each of its rows is followed by another, it was cut off. That adds a sixth to the time of a page of 1,000 small
 * events: 2.2 ms instead of 1.9.
 *
 * @param order The column that the rows are ordered by, and the direction.
 * @param wanted The columns to read.
 */
export function page(
  rows: string,
  order: string,
  wanted: readonly string[] = eventColumns,
  also: string = "",
  before: string = "",
): string {
  const columns = wanted.join(", ");
  const aggregates = wanted.map((column) =>
    // Without its zone the instant is ISO text in UTC, whatever the session's time zone and date style are.
    `json_agg(${
      column === "created_at" ? `${column} at time zone 'utc'` : column
    })::text as ${column}`
  );
  return `${before}select ${aggregates.join(", ")}, (count(next) = count(*))::text as cut${also}
from (
  select ${columns}, bytes, sum(bytes) over found as total, lead(1) over found as next from (
    select ${columns}, ${bytes} as bytes from (
  ${rows}
    ) as found
  ) as measured
  window found as (order by ${order} rows unbounded preceding)
) as page where total <= ${pageBytes} or total = bytes`;
}

/** Loads a page of a stream by `events_stream`. */
export function load(schema: string, direction: "asc" | "desc"): string {
  const order = `version ${direction}`;
  return page(
    `select ${columns} from ${schema}."events"
  where tenant_id = $1::text and stream_id = $2::text and version >= $3::text::bigint and version <= $4::text::bigint
  order by ${order} limit $5::text::bigint`,
    order,
    loadedColumns,
  );
}

/**
 * Loads the usable snapshot of a stream by its primary key, and the page of events after it, which begins there in
 * `events_stream`. One whose event is gone or another, as after a deletion, is passed over.
 */
export function loadSnapshot(schema: string): string {
  return page(
    `select ${columns} from ${schema}."events"
  where tenant_id = $1::text and stream_id = $2::text and version >= coalesce((select version + 1 from snap), 1) and version <= $3::text::bigint
  order by version limit $4::text::bigint`,
    "version asc",
    loadedColumns,
    ", (select row_to_json(snap)::text from snap) as snapshot",
    `with snap as materialized (
  select s.version, s.event_id, s.latest_at at time zone 'utc' as latest_at, s.data, s.codec from ${schema}."snapshots" s
  where s.tenant_id = $1::text and s.stream_id = $2::text and s.kind = $5::text and s.state_version = $6::text::integer
    and s.version <= $3::text::bigint and ($7::text is null or s.latest_at <= $7::text::timestamptz)
    and ${isCurrent(schema, "s")}
)
`,
  );
}

/** Whether the event at a snapshot's version is still the one that it stands at, by `events_stream`. */
function isCurrent(schema: string, snapshot: string): string {
  return `exists (select from ${schema}."events" e where e.tenant_id = $1::text and e.stream_id = $2::text
      and e.version = ${snapshot}.version and e.id = ${snapshot}.event_id)`;
}

/**
 * Keeps a snapshot in place of an earlier one, or of one whose event is gone: else that would keep those of a new stream
 * under its name out until it is as long.
 */
export function saveSnapshot(schema: string): string {
  return `with gone as (
  delete from ${schema}."snapshots" where tenant_id = $1::text and stream_id = $2::text and kind = $3::text and state_version < $4::text::integer - 1
)
insert into ${schema}."snapshots" as s (tenant_id, stream_id, kind, state_version, version, event_id, latest_at, data, codec, saved_at)
values ($1::text, $2::text, $3::text, $4::text::integer, $5::text::integer, $6::text, $7::text::timestamptz, $8::text::json, $9::text::json, $10::text::timestamptz)
on conflict (tenant_id, stream_id, kind, state_version) do update set
  version = excluded.version, event_id = excluded.event_id, latest_at = excluded.latest_at, data = excluded.data, codec = excluded.codec, saved_at = excluded.saved_at
where s.version < excluded.version or not ${isCurrent(schema, "s")}`;
}

/**
 * Lists streams by walking `events_stream` at version 1, from the given id, and looks up the last event of each.
 * No bound is optional: in a prepared plan, an optional condition is not used as a bound of an index.
 */
export function streams(schema: string): string {
  return `select json_agg(stream_id)::text as stream_id, json_agg(version)::text as version,
  json_agg(created_at at time zone 'utc')::text as created_at, json_agg(updated_at at time zone 'utc')::text as updated_at
from (
  select first.stream_id, last.version, first.created_at, last.created_at as updated_at
  from ${schema}."events" first cross join lateral (
    select version, created_at from ${schema}."events" e
    where e.tenant_id = first.tenant_id and e.stream_id = first.stream_id order by version desc limit 1
  ) as last
  where first.tenant_id = $1::text and first.version = 1 and ($2::text is null or first.category = $2::text)
    and first.stream_id > $3::text and first.stream_id >= $4::text and first.stream_id < $5::text
  order by first.stream_id limit $6::text::bigint
) as page`;
}

/**
 * Reads a page of the log by its primary key; by `event_tags` for tags, by `events_published` for published events, and
 * by `events_stream` for one stream, whose versions and positions ascend in the same order.
 *
 * The planner must walk the index in order and stop at the limit. If a filter was a join (`type in (select …)`), or if
 * the planner estimated that a condition matches one row in 200, as it does without statistics, it read and sorted the
 * whole rest of the log for each page: of 300,000 events in 34 to 199 ms, now in 1.4 ms. So conditions that it can only
 * misjudge are hidden from it. The lane's numbers are read in `select`s of their own, once a page: parsing JSON for
 * each row halved the speed.
 */
export function scan(schema: string, filters: ScanFilters): string {
  const { tags, stream, backwards } = filters;
  const direction = backwards ? "desc" : "asc";
  if (tags > 0) return page(tagged(schema, filters, direction), `position ${direction}`);
  const order = `${stream ? "version" : "position"} ${direction}`;
  return page(
    `select ${columns} from ${schema}."events"
  where ${[...range("position"), ...conditionsOf(filters), "$7::text is null"].join("\n    and ")}
  order by ${order} limit $3::text::bigint`,
    order,
  );
}

/** The bounds of a page. */
function range(position: string): readonly string[] {
  return [
    `${position} > $1::text::bigint`,
    // As a row comparison, this is still a bound of the index, but does not form a range with the other: the planner
    // estimates a range of unknown bounds at one row in 200.
    `(${position}, 0) <= ($2::text::bigint, 0)`,
  ];
}

function conditionsOf(
  { tenant, categories, types, stream, published, lane }: ScanFilters,
): readonly string[] {
  return [
    tenant ? "tenant_id = $4::text" : "$4::text is null",
    categories ? hidden(`category = ${anyOf("$5")}`) : "$5::text is null",
    types ? hidden(`type = ${anyOf("$6")}`) : "$6::text is null",
    stream ? "stream_id = $8::text" : "$8::text is null",
    lane
      ? hidden(
        "slot % (select ($9::text::json ->> 1)::integer) = (select ($9::text::json ->> 0)::integer)",
      )
      : "$9::text is null",
    ...(published ? ["published"] : []),
  ];
}

/**
 * Reads the events with all of some tags, in order and only until the page is full: walks the list of the rarest tag,
 * which is found by counting at most 200 entries of each, and looks up the other tags, and then the event, entry by
 * entry. Grouping the lists of all tags took as long as the most frequent one was.
 *
 * The text has a branch a tag: a list that the database unpacks counts as 100 rows, for which it compiles the plan.
 * `offset 0` and a scalar `select` keep the planner from joining whole tables; `is not null` counts as nearly always
 * true. Without a tenant, each one that has tags is searched: they count as 100, but as one under a condition on an
 * expression. Else the estimate passes `jit_above_cost`, and compiling took 860 ms of 950.
 */
function tagged(schema: string, filters: ScanFilters, direction: "asc" | "desc"): string {
  const tags = `${schema}."event_tags"`;
  const names = Array.from(
    { length: filters.tags },
    (_, index) => `(select $7::text::json ->> ${index})`,
  );
  const tenants = filters.tenant ? "(select $4::text as tenant_id)" : `(
    with recursive tenants as (
      (select tenant_id from ${tags} order by tenant_id limit 1)
      union all
      select (select tenant_id from ${tags} where tenant_id > tenants.tenant_id order by tenant_id limit 1)
      from tenants where tenant_id is not null
    ) select tenant_id from tenants where tenant_id || '' = tenant_id
  )`;
  const counted = names.map((name) =>
    `select ${name} as tag, (select count(*) from (
      select from ${tags} where tenant_id = tenants.tenant_id and tag = ${name} and ${
      range("position").join(" and ")
    } order by position limit 200
    ) as part) as entries`
  );
  const rarest = names.length === 1
    ? `(select ${names[0]} as tag)`
    : `(\n    ${counted.join("\n    union all ")}\n    order by entries limit 1\n  )`;
  const others = names.length === 1
    ? []
    : names.map((name) =>
      `(select true from ${tags} o where o.tenant_id = t.tenant_id and o.tag = ${name} and o.position = t.position) is not null`
    );
  return `select found.* from ${tenants} as tenants
  cross join lateral ${rarest} as rarest
  cross join lateral (
    select e.* from ${tags} t cross join lateral (
      select ${columns} from ${schema}."events"
      where ${["position = t.position", ...conditionsOf(filters)].join("\n        and ")}
      offset 0
    ) as e
    where ${
    [
      "t.tenant_id = tenants.tenant_id and t.tag = rarest.tag",
      ...range("t.position"),
      ...others,
    ].join("\n      and ")
  }
    order by t.position ${direction} limit $3::text::bigint
  ) as found
  order by found.position ${direction} limit $3::text::bigint`;
}

/** Finds an event by `events_id`. */
export function find(schema: string): string {
  return page(
    `select ${columns} from ${schema}."events" where tenant_id = $1::text and id = $2::text`,
    "position asc",
  );
}

/**
 * Reads the events of a flow by `events_correlation`, which holds those that follow from another event, and the first
 * one by `events_id`: its correlation id is its own id, and most events are a flow of one, which need no entry.
 */
export function correlated(schema: string): string {
  const from = `select ${columns} from ${schema}."events"
    where tenant_id = $1::text and position > $3::text::bigint and metadata ->> 'correlationId' = $2::text`;
  return page(
    `select ${columns} from (
    ${from} and id = $2::text
    union all
    ${from} and metadata ->> 'correlationId' <> id
  ) as flow order by position limit $4::text::bigint`,
    "position asc",
  );
}

/**
 * Reads a page of the events that a decision rests on, and the settled position: one that may be later than what this
 * statement sees, so it is for the next query.
 */
export function query(schema: string, shape: string, settled: string): string {
  const places = { tenant: "$1::text", items: "$2", after: "$3", limit: "$4::text::bigint" };
  return page(
    `select e.* from ${matches(schema, shape, places)} cross join lateral (
    select ${columns} from ${schema}."events" where position = found.position offset 0
  ) as e order by e.position`,
    "position asc",
    eventColumns,
    `, (select settled from (${settled}) as fence) as settled`,
  );
}

/**
 * Looks up the first event at or above each position, by the primary key: 32 of 1,000,000 events take 0.3 ms.
 */
export function positions(schema: string): string {
  return `select json_agg(found.position order by n)::text as position,
  json_agg(found.created_at at time zone 'utc' order by n)::text as created_at,
  json_agg(found.type order by n)::text as type
from json_array_elements_text($1::text::json) with ordinality as wanted (position, n)
left join lateral (
  select position, created_at, type from ${schema}."events" where position >= wanted.position::bigint
  order by position limit 1
) as found on true`;
}

/** A condition whose selectivity the planner cannot estimate. */
function hidden(condition: string): string {
  return `coalesce(${condition}, false)`;
}

/** Any of the texts in a JSON array, which is parsed once a statement. */
function anyOf(parameter: string): string {
  return `any (array(select json_array_elements_text(${parameter}::text::json)))`;
}
