import { literal } from "./text.ts";

/** Asks whether there are advisory locks, and this role may take them. */
export const locks: string =
  `select coalesce(bool_and(has_function_privilege(to_regprocedure(name), 'execute')), false) as allowed
from (values ('pg_advisory_xact_lock_shared(integer, integer)'), ('pg_advisory_xact_lock(bigint)')) as needed (name)`;

/** Takes a lock of the fence, as an append does, and then counts those that a reader would see. */
export function probe(schema: string): string {
  const sequence = `${literal(`${schema}."position"`)}::regclass::oid`;
  return `with held as materialized (
  select key, pg_advisory_xact_lock_shared(${sequence}::int4, key) from (
    select ((last_value - (not is_called)::int) & 2147483647)::int as key from ${schema}."position"
  ) as fence
)
select (
  select count(*) from pg_locks
  where locktype = 'advisory' and objsubid = 2 and classid = ${sequence} and objid::bigint = held.key and mode = 'ShareLock'
    and granted and pid = pg_backend_pid()
)::integer as shown from held`;
}
