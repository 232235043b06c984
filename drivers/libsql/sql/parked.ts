import { columnsOf, type ParkedStatements } from "../../_sql/statement.ts";
import { consumer, dueNow, now } from "./consumer.ts";
import { statement } from "./text.ts";

/** Writes the statements of parked streams for the quoted names of the tables. */
export function parkedOf(parked: string, checkpoints: string, events: string): ParkedStatements {
  return {
    parked: statement(
      listParked(
        parked,
        "(?1 ->> 'filter' is null or slot % (?1 ->> '$.filter.lanes') = ?1 ->> '$.filter.lane')\norder by position",
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
where ${consumer} and (?1 ->> 'stream' is null or (${oneStream})) returning 1 as redriven`,
    ),
    discard: statement(discard(checkpoints, parked)),
  };
}

const oneStream =
  "tenant_id = ?1 ->> '$.stream.tenantId' and stream_id = ?1 ->> '$.stream.streamId'";

/** What is set where a stream moves past an event that failed. */
const passed =
  `attempts = 0, due_at = ${dueNow}, error = null, fingerprint = null, first_failed_at = null, redriven = 0`;

/** Selects the first streams of a group by the primary key of `parked`. */
function ofGroup(parked: string, which: string): string {
  return `(tenant_id, stream_id) in (
  select tenant_id, stream_id from ${parked} where ${consumer} and fingerprint = ?1 ->> 'fingerprint' and ${which}
  order by position limit ?1 ->> 'limit'
)`;
}

/** What follows in the order of the primary key of `parked`. */
const nextParked = `(tenant_id, stream_id) > (?1 ->> '$.after.tenantId', ?1 ->> '$.after.streamId')
order by tenant_id, stream_id limit ?1 ->> 'limit'`;

/**
 * Lists a page, found first, with the number of events after each that failed: counted from the stream's end by the index of
 * its versions.
 */
function pageOfParked(parked: string, events: string): string {
  const page = `(select * from ${parked} where ${consumer} and ${nextParked}) as p
order by tenant_id, stream_id`;
  return selectParked(
    page,
    `, (select count(*) from (
    select e.position from ${events} e where e.tenant_id = p.tenant_id and e.stream_id = p.stream_id
    order by e.version desc limit 100
  ) as last where last.position > p.position) as behind`,
  );
}

function listParked(parked: string, which: string): string {
  return selectParked(`${parked} where ${consumer} and ${which}`);
}

function selectParked(from: string, more: string = ""): string {
  return `select json_quote(tenant_id), json_quote(stream_id), position, attempts, error, due_at - ${now} as delay, failed_at,
  fingerprint, first_failed_at, redriven${more}
from ${from}`;
}

/** Reads the consumer's rows by the primary key of `parked`. */
function groups(parked: string): string {
  return `select fingerprint, streams, waiting, first_failed_at, failed_at, json_quote(tenant_id), json_quote(stream_id), position, error
from (
  select fingerprint, tenant_id, stream_id, position, error, failed_at,
    min(first_failed_at) over alike as first_failed_at, count(*) over alike as streams, count(*) over alike - count(due_at) over alike as waiting,
    row_number() over (partition by fingerprint order by failed_at desc, tenant_id, stream_id) as place
  from ${parked} where ${consumer} and fingerprint is not null
  window alike as (partition by fingerprint)
)
where place = 1 order by streams desc, fingerprint limit ?1 ->> 'limit'`;
}

function discard(checkpoints: string, parked: string): string {
  return `update ${parked} as p set ${passed},
  position = 1 + case when ?1 ->> 'all' then max(p.position, (
    select c.position from ${checkpoints} c
    where c.scope = p.scope and c.name = p.name and c.version = p.version
      and c.lane = p.slot % (select count(*) from ${checkpoints} l where l.scope = p.scope and l.name = p.name and l.version = p.version)
  )) else p.position end
where ${consumer} and ${oneStream} and (?1 ->> 'all' or attempts > 0 or error is not null)
returning 1 as discarded`;
}
