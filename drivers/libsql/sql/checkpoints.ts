import { type CheckpointStatements, columnsOf } from "../../_sql/statement.ts";
import { skew } from "../../_sql/checkpoints.ts";
import { statement } from "./text.ts";

const scope = "?1 ->> 'scope'";
const name = "?1 ->> 'name'";
const version = "?1 ->> 'version'";
/** Which consumer, by the primary key of each of the three tables; `?1` is all arguments in one JSON object. */
const consumer = `scope = ${scope} and name = ${name} and version = ${version}`;
const lane = `${consumer} and lane = ?1 ->> 'lane'`;
/** The lease is whose epoch is given, and not released. */
const held = `${lane} and epoch = ?1 ->> 'epoch' and leased_until is not null`;
/** Milliseconds since 1970, by the database's clock. */
const now = "cast((julianday('now') - 2440587.5) * 86400000 as integer)";
/** Now, for what is to be due. */
const due = `${now} - ${skew}`;
const oneStream =
  "tenant_id = ?1 ->> '$.stream.tenantId' and stream_id = ?1 ->> '$.stream.streamId'";

const until = `${now} + (?1 ->> 'lease')`;
/** Without a lease the lane is released. */
const renew =
  `leased_until = ${until}, owner = case when ?1 ->> 'lease' is null then null else owner end`;
const keep = `leased_until = coalesce(${until}, leased_until)`;
const release = "leased_until = null, owner = null";

/** Writes the statements of consumers for a prefix. */
export function checkpointsOf(prefix: string): CheckpointStatements {
  const consumers = `"${prefix}consumers"`;
  const checkpoints = `"${prefix}checkpoints"`;
  const parked = `"${prefix}parked"`;
  const definition = `select lanes, filter, position from ${consumers} where ${consumer}`;
  const advanced = `exists (select 1 from ${checkpoints} where ${held})`;
  return {
    register: register(consumers, checkpoints).map((text) => statement(text)),
    definition: statement(definition, columnsOf.definition),
    // A lease that is not null was not released.
    claim: statement(
      `update ${checkpoints} set epoch = epoch + 1, owner = ?1 ->> 'owner',
  leased_until = ${now} + (?1 ->> 'lease'), crashes = crashes + (leased_until is not null and owner <> ?1 ->> 'owner')
where ${lane} and (leased_until is null or leased_until <= ${now} or owner = ?1 ->> 'owner')
returning position, epoch, crashes, (select count(*) from ${parked} where ${consumer}) as parked`,
      columnsOf.claim,
    ),
    check: statement(
      `select 1 as held from ${checkpoints} where ${held} and ?1 ->> 'patience' is not null`,
    ),
    advance: statement(`${advance(checkpoints, renew)} returning 1 as written`),
    park: [
      `${advance(checkpoints, keep)} returning 1 as written`,
      `${park(parked, "parked")} and ${advanced}
on conflict do update set position = excluded.position, attempts = excluded.attempts, due_at = excluded.due_at, error = excluded.error, failed_at = excluded.failed_at
where position <= excluded.position`,
      `${park(parked, "deferred")} and ${advanced}
on conflict do nothing`,
      `delete from ${parked} where ${consumer} and ${advanced}
  and (tenant_id, stream_id) in (select value ->> 'tenantId', value ->> 'streamId' from json_each(?1, '$.released'))`,
      // Last of all, since the others look whether the lease is held.
      `update ${checkpoints} set ${release} where ${held} and ?1 ->> 'lease' is null`,
    ].map((text) => statement(text)),
    lanes: statement(
      `select lane, position, epoch, stalled, case when leased_until > ${now} then owner end as owner
from ${checkpoints} where ${consumer} order by lane`,
      columnsOf.lanes,
    ),
    parked: statement(
      `select tenant_id, stream_id, position, attempts, error, due_at - ${now} as delay, failed_at
from ${parked}
where ${consumer} and (?1 ->> 'filter' is null or slot % (?1 ->> '$.filter.lanes') = ?1 ->> '$.filter.lane')
order by position`,
      columnsOf.parked,
    ),
    redrive: statement(`update ${parked} set attempts = 0, due_at = ${due}
where ${consumer} and (?1 ->> 'stream' is null or (${oneStream})) returning 1 as redriven`),
    discard: statement(discard(checkpoints, parked)),
    rewind: [
      `update ${checkpoints} set position = ?1 ->> 'position', epoch = epoch + 1, owner = null, leased_until = null, crashes = 0, stalled = 0
where ${consumer}`,
      `delete from ${parked} where ${consumer}`,
      `update ${consumers} set position = ?1 ->> 'position' where ${consumer}`,
    ].map((text) => statement(text)),
    redefine: redefine(consumers, checkpoints).map((text) => statement(text)),
    refilter: statement(`update ${consumers} set filter = ?1 ->> 'filter' where ${consumer}`),
    due: statement(
      `select distinct scope, name, version from ${parked} where due_at <= ${now} and ?1 is not null
union select distinct scope, name, version from ${checkpoints} where leased_until <= ${now}`,
      columnsOf.due,
    ),
  };
}

/** The row of the consumer decides who makes the lanes. */
function register(consumers: string, checkpoints: string): readonly string[] {
  return [
    `insert into ${consumers} (scope, name, version, lanes, filter, position)
values (${scope}, ${name}, ${version}, ?1 ->> 'lanes', ?1 ->> 'filter', ?1 ->> 'position')
on conflict do nothing`,
    `insert into ${checkpoints} (scope, name, version, lane, position, epoch, crashes, stalled)
with recursive numbers (number) as (
  select 0 union all select number + 1 from numbers where number + 1 < ?1 ->> 'lanes'
)
select ${scope}, ${name}, ${version}, number, ?1 ->> 'position', 0, 0, 0 from numbers where changes() > 0
on conflict do nothing`,
  ];
}

/** @param lease What becomes of the lease. */
function advance(checkpoints: string, lease: string): string {
  return `update ${checkpoints} set position = max(position, ?1 ->> 'position'), ${lease},
  crashes = case when ?1 ->> 'recovered' then 0 else crashes end, stalled = ?1 ->> 'stalled'
where ${held}`;
}

/** Whether somebody discarded the event meanwhile tells its position: the stream goes on from where they said. */
function park(parked: string, list: string): string {
  return `insert into ${parked} (scope, name, version, tenant_id, stream_id, slot, position, attempts, due_at, error, failed_at)
select ${scope}, ${name}, ${version}, value ->> 'tenantId', value ->> 'streamId', value ->> 'slot', value ->> 'position',
  value ->> 'attempts', ${due} + cast(value ->> 'delay' as integer), value ->> 'error' ->> '$', ${now}
from json_each(?1, '$.${list}') where true`;
}

function discard(checkpoints: string, parked: string): string {
  return `update ${parked} as p set attempts = 0, due_at = ${due}, error = null,
  position = 1 + case when ?1 ->> 'all' then max(p.position, (
    select c.position from ${checkpoints} c
    where c.scope = p.scope and c.name = p.name and c.version = p.version
      and c.lane = p.slot % (select count(*) from ${checkpoints} l where l.scope = p.scope and l.name = p.name and l.version = p.version)
  )) else p.position end
where ${consumer} and ${oneStream} and (?1 ->> 'all' or attempts > 0 or error is not null)
returning 1 as discarded`;
}

/**
 * The new epoch stands above all old ones: no worker of before can write. The first statement is the guard; it leaves a
 * row's filter changed where the epochs are right, and `changes()` tells the next.
 */
function redefine(consumers: string, checkpoints: string): readonly string[] {
  return [
    `update ${consumers} set lanes = ?1 ->> 'lanes', filter = ?1 ->> 'filter', position = ?1 ->> 'position'
where ${consumer} and ?1 ->> 'epochs' = (
  select json_group_array(epoch) from (select epoch from ${checkpoints} where ${consumer} order by lane)
)
returning 1 as redefined`,
    `insert into ${checkpoints} (scope, name, version, lane, position, epoch, crashes, stalled)
with recursive numbers (number) as (
  select 0 union all select number + 1 from numbers where number + 1 < ?1 ->> 'lanes'
)
select ${scope}, ${name}, ${version}, number, ?1 ->> 'position', (select max(epoch) + 1 from ${checkpoints} where ${consumer}), 0, 0
from numbers where changes() > 0
on conflict do update set position = excluded.position, epoch = excluded.epoch, owner = null, leased_until = null, crashes = 0, stalled = 0`,
    `delete from ${checkpoints} where ${consumer} and lane >= ?1 ->> 'lanes' and changes() > 0`,
  ];
}
