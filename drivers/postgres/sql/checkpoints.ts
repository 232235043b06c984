import { type CheckpointStatements, columnsOf } from "../../_sql/statement.ts";
import { consumer, dueNow, given, milliseconds, name, now, scope, version } from "./consumer.ts";
import { parkedOf } from "./parked.ts";
import { statement } from "./text.ts";

const lane = `${consumer} and lane = (${given} ->> 'lane')::integer`;
/** Selects a lane whose lease is held: its epoch is the given one, and it was not released. */
const held = `${lane} and epoch = (${given} ->> 'epoch')::bigint and leased_until is not null`;
/** Writes the statements of consumers for a schema, whose name is quoted already. */
export function checkpointsOf(schema: string): CheckpointStatements {
  const consumers = `${schema}."consumers"`;
  const checkpoints = `${schema}."checkpoints"`;
  const parked = `${schema}."parked"`;
  const definition = "lanes::text, filter, position::text, replay::text";
  const looked = due(consumers, checkpoints, parked);
  return {
    register: [statement(register(consumers, checkpoints))],
    definition: statement(
      `select ${definition} from ${consumers} where ${consumer}`,
      columnsOf.definition,
    ),
    claim: statement(claim(consumers, checkpoints, parked), columnsOf.claim),
    check: statement(check(checkpoints)),
    advance: statement(`${advance(checkpoints)} returning 1 as written`),
    park: [statement(park(checkpoints, parked))],
    lanes: statement(
      `select ${laneColumns} from ${checkpoints} c where ${consumer} order by c.lane`,
      columnsOf.lanes,
    ),
    ...parkedOf(parked, checkpoints, `${schema}."events"`),
    rewind: [statement(rewind(consumers, checkpoints, parked))],
    redefine: [statement(redefine(consumers, checkpoints))],
    refilter: statement(`update ${consumers} set filter = ${given} ->> 'filter'
where ${consumer} and filter <> ${given} ->> 'filter' returning 1 as changed`),
    due: statement(looked, columnsOf.due),
    dueAndSeen: [
      statement(
        `with seen as (
  ${see(consumers)}
)
${looked}`,
        columnsOf.due,
      ),
    ],
    setFailure: statement(
      `update ${consumers} set error_code = ${given} ->> 'code', error = (
  select ${error} from (select ${given} ->> 'error' as error) as given
)
where ${consumer}`,
    ),
    list: statement(list(consumers, checkpoints, parked), columnsOf.list),
    forget: [statement(forget(consumers, checkpoints, parked))],
  };
}

/** A lane as both engines return it, in the order of `columnsOf.lanes`; instants in milliseconds since 1970. */
const laneColumns = `lane::text, position::text, epoch::text, crashes::text, stalled::text,
  case when leased_until > ${now} then owner end as owner,
  case when leased_until > ${now} then ${milliseconds("leased_until")} end as leased_until`;

/** The process that inserts the consumer's row inserts the lanes, too. */
function register(consumers: string, checkpoints: string): string {
  return `with made as (
  insert into ${consumers} (scope, name, version, lanes, filter, position, replay)
  values (${scope}, ${name}, ${version}, (${given} ->> 'lanes')::integer, ${given} ->> 'filter', (${given} ->> 'position')::bigint, (${given} ->> 'replay')::bigint)
  on conflict do nothing
  returning scope, name, version, lanes, position
)
insert into ${checkpoints} (scope, name, version, lane, position, epoch, crashes, stalled)
select scope, name, version, lane, position, 0, 0, false from made cross join generate_series(0, lanes - 1) as lane`;
}

/** Skips a lane whose row is locked: its worker holds it in a transaction, for which this could wait endlessly. */
function claim(consumers: string, checkpoints: string, parked: string): string {
  return `update ${checkpoints} c set epoch = c.epoch + 1, owner = ${given} ->> 'owner',
  leased_until = ${until},
  crashes = c.crashes + (c.leased_until is not null and c.owner <> ${given} ->> 'owner')::integer
from (
  select lane from ${checkpoints}
  where ${lane} and (leased_until is null or leased_until <= ${now} or owner = ${given} ->> 'owner')
  for update skip locked
) as free
where c.scope = ${scope} and c.name = ${name} and c.version = ${version} and c.lane = free.lane
returning c.position::text, c.epoch::text, c.crashes::text,
  (select count(*) from ${parked} where ${consumer})::text as parked,
  exists (select from ${consumers} where ${consumer} and error_code is not null)::text as failed`;
}

const until = `${now} + (${given} ->> 'lease')::float8 * interval '1 millisecond'`;

/**
 * Locks the row of a held lane, so that the transaction's own write to it cannot fail, and makes the server end this
 * transaction when it idles or hangs for too long: a frozen worker would keep locks on its rows, and so block its
 * successor. Limits that are set already stay.
 */
function check(checkpoints: string): string {
  const limit = (setting: string) =>
    `case current_setting('${setting}') when '0' then set_config('${setting}', ${given} ->> 'limit', true) end`;
  return `select ${limit("idle_in_transaction_session_timeout")} as idle, ${
    limit("statement_timeout")
  } as busy
from ${checkpoints} where ${held} for update`;
}

/** Writes a checkpoint; without a lease, releases the lane. */
function advance(checkpoints: string): string {
  return `update ${checkpoints} set position = greatest(position, (${given} ->> 'position')::bigint),
  leased_until = ${until},
  owner = case when ${given} ->> 'lease' is null then null else owner end,
  crashes = case when (${given} ->> 'recovered')::boolean then 0 else crashes end,
  stalled = (${given} ->> 'stalled')::boolean
where ${held}`;
}

/** The text of an error, or its JSON where the database's encoding may lack some of its characters. */
const error =
  `case when current_setting('server_encoding') = 'UTF8' then error::json #>> '{}' else substr(error, 2, length(error) - 2) end`;

/** Parks streams; one with a later position stays there, since its event was discarded meanwhile. */
function park(checkpoints: string, parked: string): string {
  const columns =
    "scope, name, version, tenant_id, stream_id, slot, position, attempts, due_at, error, failed_at, fingerprint, first_failed_at";
  const rows = (list: string) =>
    `insert into ${parked} (${columns})
  select ${scope}, ${name}, ${version}, "tenantId", "streamId", slot, position, attempts,
    ${dueNow} + delay * interval '1 millisecond', ${error}, ${now}, fingerprint, case when fingerprint is not null then ${now} end
  from moved cross join json_to_recordset(${given} -> '${list}')
    as row("tenantId" text, "streamId" text, slot integer, position bigint, attempts integer, delay float8, error text, fingerprint text)`;
  const same = "case when parked.position = excluded.position";
  return `with moved as (
  ${advance(checkpoints)} returning lane
), entries as (
  ${rows("parked")}
  on conflict (scope, name, version, tenant_id, stream_id) do update
  set position = excluded.position, attempts = excluded.attempts, due_at = excluded.due_at, error = excluded.error, failed_at = excluded.failed_at,
    fingerprint = coalesce(excluded.fingerprint, ${same} then parked.fingerprint end),
    first_failed_at = coalesce(${same} then parked.first_failed_at end, excluded.first_failed_at),
    redriven = coalesce(${same} then parked.redriven end, 0)
  where parked.position <= excluded.position
), deferred as (
  ${rows("deferred")}
  on conflict do nothing
), released as (
  delete from ${parked} p using moved, json_to_recordset(${given} -> 'released') as row("tenantId" text, "streamId" text)
  where p.scope = ${scope} and p.name = ${name} and p.version = ${version} and p.tenant_id = "tenantId" and p.stream_id = "streamId"
)
select 1 as written from moved`;
}

function rewind(consumers: string, checkpoints: string, parked: string): string {
  return `with lanes as (
  update ${checkpoints} set position = (${given} ->> 'position')::bigint, epoch = epoch + 1, owner = null, leased_until = null,
    crashes = 0, stalled = false
  where ${consumer}
), forgotten as (
  delete from ${parked} where ${consumer}
)
update ${consumers} set position = (${given} ->> 'position')::bigint,
  replay = coalesce((${given} ->> 'replay')::bigint, replay)
where ${consumer}`;
}

/** The new epoch is above all old ones: earlier workers can no longer write. */
function redefine(consumers: string, checkpoints: string): string {
  return `with found as materialized (
  select lane, epoch from ${checkpoints} where ${consumer} for update
), same as materialized (
  select max(epoch) + 1 as epoch from found
  having json_agg(epoch order by lane)::text = replace((${given} -> 'epochs')::text, ',', ', ')
), gone as (
  delete from ${checkpoints} using same where ${consumer} and lane >= (${given} ->> 'lanes')::integer
), made as (
  insert into ${checkpoints} (scope, name, version, lane, position, epoch, crashes, stalled)
  select ${scope}, ${name}, ${version}, lane, (${given} ->> 'position')::bigint, same.epoch, 0, false
  from same cross join generate_series(0, (${given} ->> 'lanes')::integer - 1) as lane
  on conflict (scope, name, version, lane) do update
  set position = excluded.position, epoch = excluded.epoch, owner = null, leased_until = null, crashes = 0, stalled = false
)
update ${consumers} set lanes = (${given} ->> 'lanes')::integer, filter = ${given} ->> 'filter', position = (${given} ->> 'position')::bigint
from same where ${consumer} returning 1 as redefined`;
}

/** Finds due streams by `parked_due`; the tables of consumers and of lanes are small and scanned as a whole. */
function due(consumers: string, checkpoints: string, parked: string): string {
  return `select distinct scope, name, version::text from ${parked} where due_at <= ${now} and $1::text is not null
union select distinct scope, name, version::text from ${checkpoints} where leased_until <= ${now}
union select scope, name, version::text from ${consumers} where error_code is not null`;
}

/** Looks for work and marks consumers as seen in one statement, around the one that reads the settled position. */
export function poll(schema: string, settled: string): string {
  const consumers = `${schema}."consumers"`;
  return `with seen as (
  ${see(consumers)}
), looked as (
  ${due(consumers, `${schema}."checkpoints"`, `${schema}."parked"`)}
)
select s.standby, s.settled, (
  select json_agg(json_build_object('scope', scope, 'name', name, 'version', version::integer)) from looked
)::text as due from (${settled}) as s`;
}

/** Skips rows that another process is marking at the same time, so that neither waits for the other. */
function see(consumers: string): string {
  return `update ${consumers} c set seen_at = ${now} from (
    select scope, name, version from ${consumers}
    where (scope, name, version) in (
      select known.scope, known.name, known.version from json_to_recordset(${given} -> 'seen') as known(scope text, name text, version integer)
    )
    for no key update skip locked
  ) as free
  where c.scope = free.scope and c.name = free.name and c.version = free.version`;
}

/** Reads consumers by their primary key, and counts by that of `parked`. Leaves out the row of the serial fence. */
function list(consumers: string, checkpoints: string, parked: string): string {
  const same = "own.scope = c.scope and own.name = c.name and own.version = c.version";
  const waiting = (due: string) =>
    `(select count(*) from ${parked} own where ${same} and due_at is ${due})::text`;
  return `select scope, name, version::text, filter, ${waiting("not null")} as retrying, ${
    waiting("null")
  } as parked,
  ${milliseconds("seen_at")} as seen_at, error_code, error, (
    select coalesce(json_agg(state order by state.lane::integer), '[]') from (select ${laneColumns} from ${checkpoints} own where ${same}) as state
  )::text as lanes
from ${consumers} c
where scope <> 'fence' and (${given} ->> 'scope' is null or scope = ${scope})
  and (${given} ->> 'name' is null or name = ${name}) and (${given} ->> 'version' is null or version = ${version})
order by c.scope, c.name, c.version`;
}

/** Removes a consumer none of whose lanes is leased, or locked, which means held as in `claim`. */
function forget(consumers: string, checkpoints: string, parked: string): string {
  return `with free as materialized (
  select lane from ${checkpoints} where ${consumer} and (leased_until is null or leased_until <= ${now}) for update skip locked
), gone as (
  delete from ${consumers} where ${consumer}
    and (select count(*) from free) = (select count(*) from ${checkpoints} where ${consumer})
  returning 1 as forgotten
), lanes as (
  delete from ${checkpoints} where ${consumer} and exists (select from gone)
), waiting as (
  delete from ${parked} where ${consumer} and exists (select from gone)
)
select forgotten from gone`;
}
