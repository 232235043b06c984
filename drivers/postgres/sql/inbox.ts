/**
 * Marks a message by the primary key; waits for another transaction that has marked it. The time that it waits is set
 * for this statement alone, in one round trip: what follows in the transaction waits as the caller has said. The count
 * is there before the old time is set again, since it needs all rows.
 */
export function mark(schema: string): string {
  return `with before as materialized (select current_setting('lock_timeout') as patience),
patient as materialized (select set_config('lock_timeout', $4::text, true) from before),
marked as (
  insert into ${schema}."inbox" (tenant_id, name, message_id) select $1::text, $2::text, $3::text from patient
  on conflict do nothing returning 1
), counted as materialized (select count(*) as fresh from marked),
again as materialized (
  select fresh, set_config('lock_timeout', (select patience from before), true) from counted
)
select fresh::text as fresh from again where fresh > 0`;
}

/**
 * Removes old marks by `inbox_handled`, in 1 ms; `where (…) in (select …)` read the whole table: 33 ms of 200,000
 * rows. What another process removes already is passed over.
 */
export function clean(schema: string): string {
  return `delete from ${schema}."inbox" where ctid = any (array(
  select ctid from ${schema}."inbox"
  where name = $1::text and handled_at < statement_timestamp() - $2::text::double precision * interval '1 millisecond'
  order by handled_at limit $3::text::bigint for update skip locked
))`;
}
