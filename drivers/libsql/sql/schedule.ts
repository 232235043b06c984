import type { ScheduleStatements } from "../../_sql/statement.ts";
import { dueColumns } from "../../_sql/kept/schedule.ts";
import { statement } from "./text.ts";

const now = "cast((julianday('now') - 2440587.5) * 86400000 as integer)";

/** Writes the statements of scheduled events, whose times are in milliseconds since 1970. */
export function scheduleOf(scheduled: string): ScheduleStatements {
  return {
    add: statement(add(scheduled), ["kept"]),
    remove: statement(`delete from ${scheduled} where tenant_id = ?1 and id = ?2 returning 1`),
    take: statement(take(scheduled), dueColumns),
    fail: statement(
      `update ${scheduled} set attempts = cast(?3 as integer), error = ?4,
  due_at = coalesce(${now} + cast(?5 as integer), due_at), failed_at = case when ?5 is null then ${now} end
where tenant_id = ?1 and id = ?2`,
    ),
    retry: statement(
      `update ${scheduled} as s set attempts = 0, error = null, failed_at = null,
  due_at = min(${now}, (select min(due_at) from ${scheduled} e where e.tenant_id = s.tenant_id and e.stream_id = s.stream_id)) - 1
where tenant_id = ?1 and id = ?2 and failed_at is not null returning 1`,
    ),
    failed: statement(failed(scheduled), ["failed"]),
    next: statement(
      `select min(due_at) - ${now} as delay from ${scheduled}
where failed_at is null and due_at > ${now} and (?1 is null or tenant_id = ?1)`,
      ["delay"],
    ),
    count: statement(
      `select count(*) - count(failed_at) as waiting, count(failed_at) as failed
from ${scheduled} where ?1 is null or tenant_id = ?1`,
      ["waiting", "failed"],
    ),
  };
}

/** Adds an event; where its id is there already, writes that as it is, so that it can be returned. */
function add(scheduled: string): string {
  return `insert into ${scheduled}
  (tenant_id, id, stream_id, due_at, type, schema_version, data, metadata, codec, tags, published)
values (?1, ?2, ?3, cast(?4 as integer), ?5, cast(?6 as integer), ?7, ?8, ?9, ?10, ?11 = 'true')
on conflict (tenant_id, id) do update set id = excluded.id
returning json_object('streamId', stream_id, 'dueAt', due_at) as kept`;
}

/**
 * Takes what is due by `scheduled_due`, and of each stream the first, by `scheduled_stream`. What has been tried is the
 * first until it is delivered.
 */
function take(scheduled: string): string {
  const stream =
    `from ${scheduled} e where e.tenant_id = s.tenant_id and e.stream_id = s.stream_id`;
  return `delete from ${scheduled} where seq in (
  select seq from ${scheduled} s
  where due_at <= ${now} and failed_at is null and (?1 is null or tenant_id = ?1) and (?2 is null or id = ?2)
    and (attempts > 0 or not exists (select 1 ${stream} and (e.due_at, e.seq) < (s.due_at, s.seq)) and not exists (select 1 ${stream} and e.attempts > 0))
  order by due_at, seq limit cast(?3 as integer)
)
returning json_object('tenantId', tenant_id, 'id', id, 'streamId', stream_id, 'dueAt', due_at, 'seq', seq,
  'type', type, 'schemaVersion', schema_version, 'published', published, 'attempts', attempts) as event, data, metadata, codec, tags`;
}

/** Lists what is not tried again; a query for people, over all rows. */
function failed(scheduled: string): string {
  return `select json_group_array(json(row)) as failed from (
  select json_object('tenantId', tenant_id, 'id', id, 'streamId', stream_id, 'type', type,
    'attempts', attempts, 'error', error, 'failedAt', failed_at) as row
  from ${scheduled} where failed_at is not null and (?1 is null or tenant_id = ?1) order by failed_at, seq
)`;
}
