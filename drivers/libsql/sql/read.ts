import type { ScanFilters } from "../../_sql/statement.ts";
import { eventColumns, jsonColumns, pageBytes } from "../../_sql/wire.ts";

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
function page(events: string, rows: string, backwards: boolean): string {
  const aggregates = eventColumns.map((column) =>
    jsonColumns.some((json) => json === column)
      ? `'[' || group_concat(coalesce(${column}, 'null'), ',') || ']' as ${column}`
      : `json_group_array(${column}) as ${column}`
  );
  const order = backwards ? "desc" : "asc";
  return `with found as materialized (
  select position, ${bytes} as bytes from ${events}
  ${rows}
), enough as materialized (
  select count(*) as found, case when sum(bytes) <= ${pageBytes} then count(*) else (
    select count(*) from (
      select bytes, sum(bytes) over (order by position ${order} rows unbounded preceding) as total from found
    ) where total <= ${pageBytes} or total = bytes
  ) end as held from found
)
select ${aggregates.join(", ")}, (select held < found from enough) as cut
from (
  select ${eventColumns.join(", ")}
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
  );
}

/**
 * Lists streams by walking `events_stream` at version 1, from the given id, and looks up the last event of each.
 */
export function streams(events: string): string {
  return `select json_group_array(stream_id) as stream_id, json_group_array(version) as version,
  json_group_array(created_at) as created_at, json_group_array(updated_at) as updated_at
from (
  select first.stream_id, last.version, first.created_at, last.created_at as updated_at
  from ${events} first join ${events} last on last.tenant_id = first.tenant_id and last.stream_id = first.stream_id
    and last.version = (select max(version) from ${events} where tenant_id = first.tenant_id and stream_id = first.stream_id)
  where first.tenant_id = ?1 and first.version = 1 and (?2 is null or first.category = ?2)
    and first.stream_id > ?3 and first.stream_id >= ?4 and first.stream_id < ?5
  order by first.stream_id limit cast(?6 as integer)
) as page`;
}

/**
 * Reads a page of the log by its primary key; by `event_tags` for tags, by `events_published` for published events,
 * and by `events_stream` for one stream, whose versions and positions ascend in the same order.
 */
export function scan(events: string, tags: string, filters: ScanFilters): string {
  const conditions = ["position > cast(?1 as integer) and position <= cast(?2 as integer)"];
  // SQLite refuses a parameter that no condition uses.
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
  return page(
    events,
    `where ${conditions.join("\n    and ")}
  order by ${filters.stream ? "version" : "position"} ${
      filters.backwards ? "desc" : "asc"
    } limit cast(?3 as integer)`,
    filters.backwards,
  );
}
