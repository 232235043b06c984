import { type CheckpointStatements, columnsOf } from "../../_sql/statement.ts";
import { consumer, dueNow, name, now, scope, version } from "./consumer.ts";
import { parkedOf } from "./parked.ts";
import { statement } from "./text.ts";

const lane = `${consumer} and lane = ?1 ->> 'lane'`;
/** Selects a lane whose lease is held: its epoch is the given one, and it was not released. */
const held = `${lane} and epoch = ?1 ->> 'epoch' and leased_until is not null`;
const until = `${now} + (?1 ->> 'lease')`;
/** Without a lease the lane is released. */
const renew =
  `leased_until = ${until}, owner = case when ?1 ->> 'lease' is null then null else owner end`;
const keep = `leased_until = coalesce(${until}, leased_until)`;
const release = "leased_until = null, owner = null";

const same = "case when position = excluded.position";

/** A lane as both engines return it. */
const laneColumns =
  `lane, position, epoch, crashes, stalled, case when leased_until > ${now} then owner end as owner,
  case when leased_until > ${now} then leased_until end as leased_until`;

/** Writes the statements of consumers for a prefix. */
export function checkpointsOf(prefix: string): CheckpointStatements {
  const consumers = `"${prefix}consumers"`;
  const checkpoints = `"${prefix}checkpoints"`;
  const parked = `"${prefix}parked"`;
  const definition = `select lanes, filter, position, replay from ${consumers} where ${consumer}`;
  const looked = due(consumers, checkpoints, parked);
  const advanced = `exists (select 1 from ${checkpoints} where ${held})`;
  return {
    register: register(consumers, checkpoints).map((text) => statement(text)),
    definition: statement(definition, columnsOf.definition),
    // A lease that is not null was not released.
    claim: statement(
      `update ${checkpoints} set epoch = epoch + 1, owner = ?1 ->> 'owner',
  leased_until = ${now} + (?1 ->> 'lease'), crashes = crashes + (leased_until is not null and owner <> ?1 ->> 'owner')
where ${lane} and (leased_until is null or leased_until <= ${now} or owner = ?1 ->> 'owner')
returning position, epoch, crashes, (select count(*) from ${parked} where ${consumer}) as parked,
  exists (select 1 from ${consumers} where ${consumer} and error_code is not null) as failed`,
      columnsOf.claim,
    ),
    check: statement(
      `select 1 as held from ${checkpoints} where ${held} and ?1 ->> 'limit' is not null`,
    ),
    advance: statement(`${advance(checkpoints, renew)} returning 1 as written`),
    park: [
      `${advance(checkpoints, keep)} returning 1 as written`,
      `${park(parked, "parked")} and ${advanced}
on conflict do update set position = excluded.position, attempts = excluded.attempts, due_at = excluded.due_at, error = excluded.error, failed_at = excluded.failed_at,
  fingerprint = coalesce(excluded.fingerprint, ${same} then fingerprint end),
  first_failed_at = coalesce(${same} then first_failed_at end, excluded.first_failed_at),
  redriven = coalesce(${same} then redriven end, 0)
where position <= excluded.position`,
      `${park(parked, "deferred")} and ${advanced}
on conflict do nothing`,
      `delete from ${parked} where ${consumer} and ${advanced}
  and (tenant_id, stream_id) in (select value ->> 'tenantId', value ->> 'streamId' from json_each(?1, '$.released'))`,
      // Last, since the others check whether the lease is held.
      `update ${checkpoints} set ${release} where ${held} and ?1 ->> 'lease' is null`,
    ].map((text) => statement(text)),
    lanes: statement(
      `select ${laneColumns} from ${checkpoints} where ${consumer} order by lane`,
      columnsOf.lanes,
    ),
    ...parkedOf(parked, checkpoints, `"${prefix}events"`),
    rewind: [
      `update ${checkpoints} set position = ?1 ->> 'position', epoch = epoch + 1, owner = null, leased_until = null, crashes = 0, stalled = 0
where ${consumer}`,
      `delete from ${parked} where ${consumer}`,
      `update ${consumers} set position = ?1 ->> 'position', replay = coalesce(?1 ->> 'replay', replay) where ${consumer}`,
    ].map((text) => statement(text)),
    redefine: redefine(consumers, checkpoints).map((text) => statement(text)),
    refilter: statement(`update ${consumers} set filter = ?1 ->> 'filter'
where ${consumer} and filter <> ?1 ->> 'filter' returning 1 as changed`),
    due: statement(looked, columnsOf.due),
    dueAndSeen: [statement(looked, columnsOf.due), statement(see(consumers))],
    setFailure: statement(
      `update ${consumers} set error_code = ?1 ->> 'code', error = ?1 ->> 'error' ->> '$' where ${consumer}`,
    ),
    list: statement(list(consumers, checkpoints, parked), columnsOf.list),
    forget: forget(consumers, checkpoints, parked).map((text) => statement(text)),
  };
}

/** The process that inserts the consumer's row inserts the lanes, too. */
function register(consumers: string, checkpoints: string): readonly string[] {
  return [
    `insert into ${consumers} (scope, name, version, lanes, filter, position, replay)
values (${scope}, ${name}, ${version}, ?1 ->> 'lanes', ?1 ->> 'filter', ?1 ->> 'position', ?1 ->> 'replay')
on conflict do nothing`,
    `insert into ${checkpoints} (scope, name, version, lane, position, epoch, crashes, stalled)
with recursive numbers (number) as (
  select 0 union all select number + 1 from numbers where number + 1 < ?1 ->> 'lanes'
)
select ${scope}, ${name}, ${version}, number, ?1 ->> 'position', 0, 0, 0 from numbers where changes() > 0
on conflict do nothing`,
  ];
}

/** Writes a checkpoint. @param lease The assignment that renews or releases the lease. */
function advance(checkpoints: string, lease: string): string {
  return `update ${checkpoints} set position = max(position, ?1 ->> 'position'), ${lease},
  crashes = case when ?1 ->> 'recovered' then 0 else crashes end, stalled = ?1 ->> 'stalled'
where ${held}`;
}

/** Parks streams; one with a later position stays there, since its event was discarded meanwhile. */
function park(parked: string, list: string): string {
  return `insert into ${parked} (scope, name, version, tenant_id, stream_id, slot, position, attempts, due_at, error, failed_at, fingerprint, first_failed_at)
select ${scope}, ${name}, ${version}, value ->> 'tenantId', value ->> 'streamId', value ->> 'slot', value ->> 'position',
  value ->> 'attempts', ${dueNow} + cast(value ->> 'delay' as integer), value ->> 'error' ->> '$', ${now},
  value ->> 'fingerprint', case when value ->> 'fingerprint' is not null then ${now} end
from json_each(?1, '$.${list}') where true`;
}

/**
 * The new epoch is above all old ones: earlier workers can no longer write. The first statement is the guard; it
 * changes a row's filter if the epochs match, which the next one sees by `changes()`.
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

/** Finds due streams by `parked_due`; the tables of consumers and of lanes are small and scanned as a whole. */
function due(consumers: string, checkpoints: string, parked: string): string {
  return `select distinct scope, name, version from ${parked} where due_at <= ${now} and ?1 is not null
union select distinct scope, name, version from ${checkpoints} where leased_until <= ${now}
union select scope, name, version from ${consumers} where error_code is not null`;
}

function see(consumers: string): string {
  return `update ${consumers} set seen_at = ${now} where (scope, name, version) in (
  select value ->> 'scope', value ->> 'name', value ->> 'version' from json_each(?1, '$.seen')
)`;
}

/** Reads consumers by their primary key, and counts by that of `parked`. */
function list(consumers: string, checkpoints: string, parked: string): string {
  const same = "own.scope = c.scope and own.name = c.name and own.version = c.version";
  const waiting = (due: string) =>
    `(select count(*) from ${parked} own where ${same} and due_at is ${due})`;
  const lane = ["lane", "position", "epoch", "crashes", "stalled", "owner", "leased_until"];
  return `select scope, name, version, filter, ${waiting("not null")} as retrying, ${
    waiting("null")
  } as parked,
  seen_at, error_code, error, (
    select json_group_array(json_object(${
    lane.map((column) => `'${column}', cast(${column} as text)`).join(", ")
  }))
    from (select ${laneColumns} from ${checkpoints} own where ${same} order by lane)
  ) as lanes
from ${consumers} c
where scope <> 'fence' and (?1 ->> 'scope' is null or scope = ${scope})
  and (?1 ->> 'name' is null or name = ${name}) and (?1 ->> 'version' is null or version = ${version})
order by scope, name, version`;
}

/** Removes a consumer none of whose lanes is leased: if the first statement removes its row, the others follow. */
function forget(consumers: string, checkpoints: string, parked: string): readonly string[] {
  const gone = `not exists (select 1 from ${consumers} where ${consumer})`;
  return [
    `delete from ${consumers} where ${consumer}
  and not exists (select 1 from ${checkpoints} where ${consumer} and leased_until > ${now})
returning 1 as forgotten`,
    `delete from ${checkpoints} where ${consumer} and ${gone}`,
    `delete from ${parked} where ${consumer} and ${gone}`,
  ];
}
