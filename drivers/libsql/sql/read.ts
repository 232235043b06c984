import type { ScanFilters } from "../../_sql/statement.ts";
import { matches } from "./match.ts";
import {
  type EventColumn,
  eventColumns,
  jsonColumns,
  loadedColumns,
  pageBytes,
} from "../../_sql/wire.ts";

/** The bytes of JSON of an event; SQLite knows them without reading the text. */
const bytes = jsonColumns.map((column) => `coalesce(octet_length(${column}), 0)`).join(" + ");

/**
 * Aggregates a page, a JSON array a column; see `PageColumns`. Stored JSON is concatenated unchanged: `json(data)`
 * would parse and write all of it again.
 *
 * The rows are found and measured first, and then read by their primary key, as many as fit into a page. The running
 * sum is computed only if the plain one is too great: a window takes SQLite as long as the page itself. A cross join is
 * read in the order of its left side; sorting whole rows again doubled the time of 1,000 events, now that of a plain
 * page.
 */
function page(
  events: string,
  rows: string,
  backwards: boolean,
  wanted: readonly EventColumn[] = eventColumns,
  also: string = "",
  before: string = "",
): string {
  const aggregates = wanted.map((column) =>
    jsonColumns.some((json) => json === column)
      ? `'[' || group_concat(coalesce(${column}, 'null'), ',') || ']' as ${column}`
      : `json_group_array(${column}) as ${column}`
  );
  const order = backwards ? "desc" : "asc";
  return `with ${before}found as materialized (
  select position, ${bytes} as bytes from ${events} e
  ${rows}
), enough as materialized (
  select count(*) as found, case when sum(bytes) <= ${pageBytes} then count(*) else (
    select count(*) from (
      select bytes, sum(bytes) over (order by position ${order} rows unbounded preceding) as total from found
    ) where total <= ${pageBytes} or total = bytes
  ) end as held from found
)
select ${aggregates.join(", ")}, (select held < found from enough) as cut${also}
from (
  select ${wanted.join(", ")}
  from (select position from found order by position ${order} limit (select held from enough)) cross join ${events} using (position)
) as page`;
}

/** Loads a page of a stream by `events_stream`, in whose order versions and positions ascend alike. */
export function load(events: string, direction: "asc" | "desc"): string {
  return page(
    events,
    `where tenant_id = ?1 and stream_id = ?2 and version >= cast(?3 as integer) and version <= cast(?4 as integer)
  order by version ${direction} limit cast(?5 as integer)`,
    direction === "desc",
    loadedColumns,
  );
}

/**
 * Lists streams by walking `events_stream` at version 1, from the given id, and looks up the last event of each. Of
 * several lower bounds, SQLite takes one and may walk from there: with that of `after` alone, a prefix took as long as all
 * streams before it, 66 ms of 1,000,000 events instead of 1.
 */
export function streams(events: string): string {
  return `select json_group_array(stream_id) as stream_id, json_group_array(version) as version,
  json_group_array(created_at) as created_at, json_group_array(updated_at) as updated_at
from (
  select first.stream_id, last.version, first.created_at, last.created_at as updated_at
  from ${events} first join ${events} last on last.tenant_id = first.tenant_id and last.stream_id = first.stream_id
    and last.version = (select max(version) from ${events} where tenant_id = first.tenant_id and stream_id = first.stream_id)
  where first.tenant_id = ?1 and first.version = 1 and (?2 is null or first.category = ?2)
    and first.stream_id >= max(?3, ?4) and first.stream_id < ?5 and +first.stream_id > ?3
  order by first.stream_id limit cast(?6 as integer)
) as page`;
}

/**
 * Reads a page of the log by its primary key; by `event_tags` for tags, by `events_published` for published events,
 * and by `events_stream` for one stream, whose versions and positions ascend in the same order.
 */
export function scan(events: string, tags: string, filters: ScanFilters): string {
  const direction = filters.backwards ? "desc" : "asc";
  const order = `order by ${
    filters.stream && filters.tags === 0 ? "version" : "position"
  } ${direction}
  limit cast(?3 as integer)`;
  const where = filters.tags > 0
    ? `position in (${tagged(events, tags, filters, direction)})`
    : [...range("position"), ...conditionsOf(filters), "?7 is null"].join("\n    and ");
  return page(events, `where ${where}\n  ${order}`, filters.backwards);
}

/** The bounds of a page. */
function range(position: string): readonly string[] {
  return [`${position} > cast(?1 as integer)`, `${position} <= cast(?2 as integer)`];
}

/**
 * The conditions of an event. `+` keeps SQLite from taking `events_type` for a tenant, by which it sorts all events of the
 * tenant for each page: 500 events among 500,000 took 503 ms, and take 12.
 */
function conditionsOf(filters: ScanFilters): readonly string[] {
  // SQLite refuses a parameter that no condition uses.
  return [
    filters.tenant ? `${filters.stream ? "" : "+"}e.tenant_id = ?4` : "?4 is null",
    filters.categories ? "category in (select value from json_each(?5))" : "?5 is null",
    filters.types ? "type in (select value from json_each(?6))" : "?6 is null",
    filters.stream ? "stream_id = ?8" : "?8 is null",
    filters.lane ? "slot % (?9 ->> 1) = (?9 ->> 0)" : "?9 is null",
    ...(filters.published ? ["published"] : []),
  ];
}

/**
 * The positions of the events with all of some tags, in order and only until the page is full: walks the list of the
 * rarest tag, which is found by counting at most 200 entries of each, and looks up the other tags, and then the event,
 * entry by entry. Grouping the lists of all tags took as long as they were. Without a tenant, each one that has tags is
 * searched. An array lets SQLite end the list of each tenant by itself.
 */
function tagged(
  events: string,
  tags: string,
  filters: ScanFilters,
  direction: "asc" | "desc",
): string {
  const names = Array.from({ length: filters.tags }, (_, index) => `(?7 ->> ${index})`);
  const tenants = filters.tenant ? "(select ?4 as tenant_id)" : `(
    with recursive each_tenant as (
      select min(tenant_id) as tenant_id from ${tags}
      union all
      select (select min(tenant_id) from ${tags} where tenant_id > each_tenant.tenant_id)
      from each_tenant where tenant_id is not null
    ) select tenant_id from each_tenant where tenant_id is not null
  )`;
  const counted = names.map((name) =>
    `select ${name} as tag, (select count(*) from (
        select 1 from ${tags} where tenant_id = tenants.tenant_id and tag = ${name} and ${
      range("position").join(" and ")
    } limit 200
      )) as entries`
  );
  const rarest = names.length === 1
    ? names[0]
    : `(select tag from (${counted.join("\n      union all ")}) order by entries limit 1)`;
  const others = names.length === 1
    ? []
    : names.map((name) =>
      `exists (select 1 from ${tags} o where o.tenant_id = t.tenant_id and o.tag = ${name} and o.position = t.position)`
    );
  return `
    select cast(found.value as integer) from ${tenants} as tenants, json_each((
      select json_group_array(position) from (
        select t.position from ${tags} t cross join ${events} e on e.position = t.position
        where ${
    [
      `t.tenant_id = tenants.tenant_id and t.tag = ${rarest}`,
      ...range("t.position"),
      ...others,
      ...conditionsOf(filters),
    ].join("\n          and ")
  }
        order by t.position ${direction} limit cast(?3 as integer)
      )
    )) as found
  `;
}

/** Finds an event by `events_id`. */
export function find(events: string): string {
  return page(events, "where tenant_id = ?1 and id = ?2", false);
}

/**
 * Reads the events of a flow by `events_correlation`, which holds those that follow from another event, and the first
 * one by `events_id`: its correlation id is its own id, and most events are a flow of one, which need no entry.
 */
export function correlated(events: string): string {
  const from = `select position from ${events}
    where tenant_id = ?1 and position > cast(?3 as integer) and metadata ->> 'correlationId' = ?2`;
  return page(
    events,
    `where position in (
    ${from} and id = ?2
    union all
    ${from} and metadata ->> 'correlationId' <> id
  ) order by position limit cast(?4 as integer)`,
    false,
  );
}

/** Looks up the first event at or above each position, by the primary key. */
export function positions(events: string): string {
  return `select json_group_array(position) as position, json_group_array(created_at) as created_at,
  json_group_array(type) as type
from (
  select found.position, e.created_at, e.type from (
    select key, (select min(position) from ${events} where position >= value) as position from json_each(?1)
  ) as found left join ${events} e on e.position = found.position order by found.key
) as page`;
}

/**
 * Reads a page of the events that a decision rests on, and the head of the log in the same state of the database: with
 * a single writer, what commits later stands above it.
 */
export function query(events: string, tags: string, head: string): string {
  const places = { tenant: "?1", items: "?2", after: "?3" };
  return page(
    events,
    `where position in (${matches(events, tags, places)})
  order by position limit cast(?4 as integer)`,
    false,
    eventColumns,
    `, (${head}) as settled`,
  );
}

/**
 * Loads the usable snapshot of a stream by its primary key, and the page of events after it, which begins there in
 * `events_stream`. One whose event is gone or another, as after a deletion, is passed over.
 */
export function loadSnapshot(events: string, snapshots: string): string {
  return page(
    events,
    `where tenant_id = ?1 and stream_id = ?2 and version >= coalesce((select version + 1 from snap), 1) and version <= cast(?3 as integer)
  order by version limit cast(?4 as integer)`,
    false,
    loadedColumns,
    `, (select json_object('version', version, 'event_id', event_id, 'latest_at', latest_at, 'data', json(data), 'codec', json(codec)) from snap) as snapshot`,
    `snap as materialized (
  select s.version, s.event_id, s.latest_at, s.data, s.codec from ${snapshots} s
  where s.tenant_id = ?1 and s.stream_id = ?2 and s.kind = ?5 and s.state_version = cast(?6 as integer)
    and s.version <= cast(?3 as integer) and (?7 is null or s.latest_at <= ?7) and ${
      isCurrent(events, "s")
    }
), `,
  );
}

/** Whether the event at a snapshot's version is still the one that it stands at, by `events_stream`. */
function isCurrent(events: string, snapshot: string): string {
  return `exists (select 1 from ${events} e where e.tenant_id = ?1 and e.stream_id = ?2 and e.version = ${snapshot}.version and e.id = ${snapshot}.event_id)`;
}

/**
 * Keeps a snapshot in place of an earlier one, or of one whose event is gone: else that would keep those of a new stream
 * under its name out until it is as long.
 */
export function saveSnapshot(events: string, snapshots: string): string {
  return `insert into ${snapshots} as s (tenant_id, stream_id, kind, state_version, version, event_id, latest_at, data, codec, saved_at)
values (?1, ?2, ?3, cast(?4 as integer), cast(?5 as integer), ?6, ?7, ?8, ?9, ?10)
on conflict (tenant_id, stream_id, kind, state_version) do update set
  version = excluded.version, event_id = excluded.event_id, latest_at = excluded.latest_at, data = excluded.data, codec = excluded.codec, saved_at = excluded.saved_at
where s.version < excluded.version or not ${isCurrent(events, "s")}`;
}

/** Removes what releases before the last one have left; has the parameters of `saveSnapshot`. */
export function removeOlder(snapshots: string): string {
  const unused = Array.from({ length: 6 }, (_, index) => `(?${index + 5} is not null or true)`);
  return `delete from ${snapshots} where tenant_id = ?1 and stream_id = ?2 and kind = ?3 and state_version < cast(?4 as integer) - 1 and ${
    unused.join(" and ")
  }`;
}
