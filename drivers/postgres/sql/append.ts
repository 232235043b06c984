import type { Fence } from "./fence.ts";

/** How an append statement is used. */
interface Use {
  /** Whether it may be one of several statements in its transaction. */
  readonly bound: boolean;
  /** Whether the last parameter is the id that the event at the expected version must have. */
  readonly pinned?: boolean;
  /** What else must hold, as an expression. */
  readonly guard?: string;
}

/**
 * Appends one event. Compares the stream's version (read from `events_stream`) with the expectation; a conflict,
 * raced or not, returns no row, raises no error and stores nothing.
 *
 * The pinned id costs a look-up, 210 to 230 µs at one caller, so other appends have a text of their own.
 */
export function appendOne(schema: string, fence: Fence, { bound, pinned = false }: Use): string {
  const { expressions, columns, from } = fence.before(schema, {
    ...{ timeout: "$14", keys: "$15", single: true },
    bound,
  });
  const after = fence.after(schema);
  const insert = `insert into ${schema}."events"
  (position, tenant_id, stream_id, version, category, id, type, schema_version, created_at, data, metadata, codec, published, slot)
select ${fence.position(schema, "1")}, $1::text, $2::text, v + 1, $3::text, $5::text, $6::text,
  $7::text::integer, $8::text::timestamptz, $9::text::json, $10::text::json, $11::text::json, $12::text::boolean, $13::text::integer
from (select coalesce((
    select max(version) from ${schema}."events" where tenant_id = $1::text and stream_id = $2::text
  ), 0) as v,
  ${columns}
  from ${from}) as fence
where ${
    pinned
      ? `v = $4::text::bigint and ${isEvent(schema, "$2::text", "v", "$16::text")}`
      : "$4::text::bigint = -1 or ($4::text::bigint = -2 and v > 0) or v = $4::text::bigint"
  }
on conflict do nothing
returning `;
  const returned = "version::text, position::text";
  if (after === "") return insert + returned;
  return `with ${expressions}stored as (
${insert}version, position
)${after}
select ${returned} from stored`;
}

/** Whether the event of a stream at a version has an id, by `events_stream`. */
function isEvent(schema: string, stream: string, version: string, id: string): string {
  return `exists (select from ${schema}."events" e
  where e.tenant_id = $1::text and e.stream_id = ${stream} and e.version = ${version} and e.id = ${id})`;
}

/**
 * Appends several events to one stream or several, given as one JSON array.
 *
 * The first event of each stream is inserted with `on conflict do nothing`, the rest only if it was inserted: so a lost
 * race over one stream stores nothing. With several streams one race may be won and another lost: then the division by
 * zero in `whole` undoes the statement. Streams are locked in order, so that two such appends never deadlock.
 *
 * The planner does not know the number of events, and estimates a hundred. So nothing is joined: while the versions
 * were, by nested loops, 8,000 events of as many new streams took 13 s, and take 1 s now that the version
 * goes with each event. Ids are looked up one by one, in `events_id`: compared with every event of the tenant, 1,000
 * events took 4.5 s in a log of 80,000, and take 30 ms this way.
 */
export function appendEvents(schema: string, fence: Fence, { bound, guard }: Use): string {
  const { expressions, columns, from } = fence.before(schema, {
    ...{ timeout: "$3", keys: "$4", single: false },
    bound,
  });
  const insert = (version: string) =>
    `insert into ${schema}."events"
    (position, tenant_id, stream_id, version, category, id, type, schema_version, created_at, data, metadata, codec, tags, published, imported, slot)
  select ${
      fence.position(schema, "n")
    }, $1::text, stream_id, ${version}, category, id, type, schema_version, created_at, data, metadata, codec, tags, published, coalesce(imported, false), slot`;
  return `with input as materialized (
  select event.*, case when i = 1 then coalesce((
    select max(e.version) from ${schema}."events" e where e.tenant_id = $1::text and e.stream_id = event.stream_id
  ), 0) end as v
  from json_to_recordset($2::text::json) as event(stream_id text collate "C", category text, expected bigint, expected_id text, i integer, id text, type text,
    schema_version integer, created_at timestamptz, data json, metadata json, codec json, tags json, published boolean, imported boolean, slot integer)
), numbered as materialized (
  select *, max(v) over (partition by stream_id) as cur, row_number() over (order by stream_id, i) as n from input
), fit as materialized (
  select count(v) as streams from input
  having bool_and(v is null or expected = -1 or (expected = -2 and v > 0) or (v = expected and (
    expected_id is null or ${isEvent(schema, "input.stream_id", "v", "expected_id")}
  )))
    and not exists (select from input cross join lateral (
      select from ${schema}."events" e where e.tenant_id = $1::text and e.id = input.id limit 1
    ) as existing)${guard === undefined ? "" : `\n    and ${guard}`}
), ${expressions}fence as materialized (
  select ${columns}
  from ${from}
), first as (
  ${insert("cur + 1")}
  from (select numbered.*, fence.* from fence, fit, numbered where i = 1 order by n) as ordered
  on conflict do nothing
  returning stream_id, version, position, tags
), whole as materialized (
  select 1 / (case when count(*) = (select streams from fit) then 1 else 0 end) as yes from first having count(*) > 0
), rest as (
  ${insert("cur + i")}
  from (select numbered.*, fence.* from fence, whole, numbered where i > 1 order by n) as ordered
  returning stream_id, version, position, tags
), stored as materialized (
  select stream_id, version, position, tags from first union all select stream_id, version, position, tags from rest
), tagged as (
  insert into ${schema}."event_tags" (tenant_id, tag, position)
  select distinct $1::text, tag, stored.position from stored cross join json_array_elements_text(stored.tags) as tag
)${fence.after(schema)}
select to_json(stored.stream_id)::text, stored.version::text, stored.position::text from whole, stored`;
}

/**
 * Appends several requests, each to one stream, given as one JSON array of their events: each stream's events stand
 * together, `i` counts them. If a stream is not as its first request expects it, the `c` events of that one fall away and
 * the others move up. A lost race over a stream stores nothing of it, and is no error; a taken id is one.
 *
 * Streams are locked in order, and rows are inserted only where the first of their stream was. `coalesce` hides the
 * filters from the planner: it takes `i = 1` for one row of 200, and compared every stream with every row, 170 µs an
 * append in a group of 256 instead of 44.
 *
 * The guard, if there is one, is for the column `head.cond`, where it is not null.
 */
export function appendGroup(schema: string, fence: Fence, { bound, guard }: Use): string {
  const { expressions, columns, from } = fence.before(schema, {
    ...{ timeout: "$2", keys: "$3", single: false },
    bound,
  });
  const insert = (version: string, n: string) =>
    `insert into ${schema}."events"
    (position, tenant_id, stream_id, version, category, id, type, schema_version, created_at, data, metadata, codec, tags, published, imported, slot)
  select ${
      fence.position(schema, n)
    }, tenant, stream_id, ${version}, category, id, type, schema_version, created_at, data, metadata, codec, tags, published, coalesce(imported, false), slot`;
  const stored = "tenant_id, stream_id, version, position, tags";
  return `with input as materialized (
  select * from json_to_recordset($1::text::json) as event(tenant text collate "C", stream_id text collate "C", category text, expected bigint, expected_id text, c integer, i integer, cond json,
    id text, type text, schema_version integer, created_at timestamptz, data json, metadata json, codec json, tags json, published boolean, imported boolean, slot integer)
), cur as materialized (
  select tenant, stream_id, v, case when (expected = -1 or (expected = -2 and v > 0) or (v = expected and (
    expected_id is null or exists (select from ${schema}."events" e
      where e.tenant_id = head.tenant and e.stream_id = head.stream_id and e.version = v and e.id = expected_id)
  )))${
    guard === undefined ? "" : ` and (head.cond is null or (${guard}))`
  } then 0 else c end as skip
  from (
    select input.*, coalesce((
      select max(e.version) from ${schema}."events" e where e.tenant_id = tenant and e.stream_id = input.stream_id
    ), 0) as v
    from input where coalesce(i = 1, false)
  ) as head
), ${expressions}fence as materialized (
  select ${columns}
  from ${from}
), first as (
  ${insert("v + 1", "row_number() over ()")}
  from (
    select input.*, v, fence.* from fence cross join cur join input using (tenant, stream_id)
    where coalesce(i = skip + 1, false) order by tenant, stream_id
  ) as ordered
  on conflict (tenant_id, stream_id, version) do nothing
  returning ${stored}
), rest as (
  ${insert("first_version - 1 + i - skip", "(select count(*) from cur) + row_number() over ()")}
  from (
    select input.*, skip, first.version as first_version, fence.*
    from fence cross join first join cur on cur.tenant = first.tenant_id and cur.stream_id = first.stream_id
      join input on input.tenant = cur.tenant and input.stream_id = cur.stream_id
    where coalesce(i > skip + 1, false) order by input.tenant, input.stream_id, i
  ) as ordered
  returning ${stored}
), stored as materialized (
  select ${stored} from first union all select ${stored} from rest
), tagged as (
  insert into ${schema}."event_tags" (tenant_id, tag, position)
  select distinct tenant_id, tag, position from stored cross join json_array_elements_text(tags) as tag
)${fence.after(schema)}
select json_agg(json_build_array(tenant_id, stream_id, version, position))::text as rows from stored`;
}

/**
 * Reads why an append was refused: the streams' versions (by `events_stream`) and the existing ids (by `events_id`).
 */
export function explain(schema: string): string {
  return `select (
  select json_agg(coalesce((
    select max(version) from ${schema}."events" where tenant_id = $1::text and stream_id = asked.value
  ), 0) order by asked.ordinality)::text from json_array_elements_text($2::text::json) with ordinality as asked
) as versions, (
  select json_agg(json_build_array(id, stream_id, version, position))::text
  from json_array_elements_text($3::text::json) as asked cross join lateral (
    select id, stream_id, version, position from ${schema}."events" e where e.tenant_id = $1::text and e.id = asked.value limit 1
  ) as existing
) as existing`;
}
