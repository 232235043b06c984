import { columnsOf, type ParkedStatements } from "../../_sql/statement.ts";
import { consumer, dueNow, given, milliseconds, now } from "./consumer.ts";
import { statement } from "./text.ts";

/** Writes the statements of parked streams for the quoted names of the tables. */
export function parkedOf(parked: string, checkpoints: string, events: string): ParkedStatements {
  return {
    parked: statement(
      listParked(
        parked,
        `(${given} ->> 'filter' is null or slot % (${given} -> 'filter' ->> 'lanes')::integer = (${given} -> 'filter' ->> 'lane')::integer)
order by p.position`,
      ),
      columnsOf.parked,
    ),
    parkedPage: statement(pageOfParked(parked, events), columnsOf.parkedPage),
    parkedGroups: statement(groups(parked), columnsOf.parkedGroups),
    redriveGroup: statement(
      `update ${parked} set attempts = 0, due_at = ${dueNow}, redriven = redriven + 1
where ${consumer} and ${ofGroup(parked, "attempts > 0")} returning 1 as redriven`,
    ),
    discardGroup: statement(`update ${parked} set ${passed}, position = position + 1
where ${consumer} and ${ofGroup(parked, "true")} returning 1 as discarded`),
    redrive: statement(
      `update ${parked} set attempts = 0, due_at = ${dueNow}, redriven = redriven + 1
where ${consumer} and (${given} ->> 'stream' is null or ${oneStream}) returning 1 as redriven`,
    ),
    discard: statement(discard(checkpoints, parked)),
  };
}

const oneStream =
  `tenant_id = ${given} -> 'stream' ->> 'tenantId' and stream_id = ${given} -> 'stream' ->> 'streamId'`;

/** What is set where a stream moves past an event that failed. */
const passed =
  `attempts = 0, due_at = ${dueNow}, error = null, fingerprint = null, first_failed_at = null, redriven = 0`;

/** Selects the first streams of a group by the primary key of `parked`. */
function ofGroup(parked: string, which: string): string {
  return `(tenant_id, stream_id) in (
  select tenant_id, stream_id from ${parked} where ${consumer} and fingerprint = ${given} ->> 'fingerprint' and ${which}
  order by position limit (${given} ->> 'limit')::bigint
)`;
}

/** What follows in the order of the primary key of `parked`. */
const nextParked =
  `(tenant_id, stream_id) > (${given} -> 'after' ->> 'tenantId', ${given} -> 'after' ->> 'streamId')
order by p.tenant_id, p.stream_id limit (${given} ->> 'limit')::bigint`;

/**
 * Lists a page, found first, with the number of events after each that failed: counted from the stream's end by the index of
 * its versions.
 */
function pageOfParked(parked: string, events: string): string {
  const page = `(select * from ${parked} p where ${consumer} and ${nextParked}) as p
order by p.tenant_id, p.stream_id`;
  return selectParked(
    page,
    `, (select count(*) from (
    select e.position from ${events} e where e.tenant_id = p.tenant_id and e.stream_id = p.stream_id
    order by e.version desc limit 100
  ) as last where last.position > p.position)::text as behind`,
  );
}

function listParked(parked: string, which: string): string {
  return selectParked(`${parked} p where ${consumer} and ${which}`);
}

function selectParked(from: string, more: string = ""): string {
  return `select to_json(tenant_id)::text, to_json(stream_id)::text, position::text, attempts::text, error,
  ${milliseconds(`(due_at - ${now})`)} as delay, ${milliseconds("failed_at")} as failed_at,
  fingerprint, ${milliseconds("first_failed_at")} as first_failed_at, redriven::text${more}
from ${from}`;
}

/** Reads the consumer's rows by the primary key of `parked`. */
function groups(parked: string): string {
  return `select fingerprint, streams::text, waiting::text, ${
    milliseconds("first_failed_at")
  } as first_failed_at, ${milliseconds("failed_at")} as failed_at,
  to_json(tenant_id)::text as tenant_id, to_json(stream_id)::text as stream_id, position::text, error
from (
  select fingerprint, tenant_id, stream_id, position, error, failed_at,
    min(first_failed_at) over alike as first_failed_at, count(*) over alike as streams, count(*) over alike - count(due_at) over alike as waiting,
    row_number() over (partition by fingerprint order by failed_at desc, tenant_id, stream_id) as place
  from ${parked} where ${consumer} and fingerprint is not null
  window alike as (partition by fingerprint)
) as failures
where place = 1 order by failures.streams desc, fingerprint limit (${given} ->> 'limit')::bigint`;
}

function discard(checkpoints: string, parked: string): string {
  return `update ${parked} p set ${passed},
  position = 1 + case when (${given} ->> 'all')::boolean then greatest(p.position, (
    select c.position from ${checkpoints} c
    where c.scope = p.scope and c.name = p.name and c.version = p.version
      and c.lane = p.slot % (select count(*) from ${checkpoints} l where l.scope = p.scope and l.name = p.name and l.version = p.version)
  )) else p.position end
where ${consumer} and ${oneStream} and ((${given} ->> 'all')::boolean or attempts > 0 or error is not null)
returning 1 as discarded`;
}
