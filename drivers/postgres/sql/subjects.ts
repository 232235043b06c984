import { columnsOf, type SubjectStatements } from "../../_sql/statement.ts";
import { statement } from "./text.ts";

/** An instant of a row, as JavaScript writes it. */
const instant = (column: string) =>
  `to_char(${column} at time zone 'utc', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')`;

/** A member of the parameter; cast from text, or Bun's client would encode that as JSON again. */
const of = (member: string) => `$1::text::json->>'${member}'`;

/** Rows as one JSON array. */
const rows = (from: string) =>
  `select coalesce(json_agg(json_build_object('subject', k.subject, 'id', k.id, 'keys', k.keys)), '[]')::text as rows from ${from}`;

/** Limits the wait for the transactions of others. */
const patient = `patience as materialized (select case when ${
  of("patience")
} is not null then set_config('lock_timeout', ${of("patience")}, true) end as set)`;

/** Writes the statements of the keys of subjects; rows are found one by one, by the primary key or `subject_keys_id`. */
export function subjectsOf(schema: string): SubjectStatements {
  const table = `${schema}."subject_keys"`;
  return {
    read: statement(
      rows(`json_array_elements_text($1::text::json->'subjects') as w (subject)
cross join lateral (select * from ${table} where tenant_id = ${
        of("tenantId")
      } and subject = w.subject limit 1) as k`),
      columnsOf.subjects,
    ),
    // 500 ids of 200,000 take 5 ms; compared by `= any`, all of them were read.
    find: statement(
      rows(`json_array_elements_text($1::text::json->'ids') as w (id)
cross join lateral (select * from ${table} where id = w.id limit 1) as k`),
      columnsOf.subjects,
    ),
    list: statement(
      rows(`(select * from ${table} where id > ${of("after")} and keys is not null
  order by id limit (${of("limit")})::integer) as k`),
      columnsOf.subjects,
    ),
    forgotten: statement(
      `select (select ${instant("forgotten_at")} from ${table} where tenant_id = ${
        of("tenantId")
      } and subject = ${of("subject")}) as at`,
      columnsOf.forgotten,
    ),
    // In the order of the subjects: two such statements never deadlock.
    make: statement(
      `with ${patient}
insert into ${table} (tenant_id, subject, id, keys)
select ${of("tenantId")}, r.subject, r.id, r.keys
from patience, json_to_recordset($1::text::json->'rows') as r (subject text, id text, keys text)
order by r.subject collate "C"
on conflict do nothing returning subject, id, keys`,
      columnsOf.subject,
    ),
    // One row a subject: this waits for a first use in flight, and then empties it. `was` comes first, since the insert
    // reads from it; what it does not see was made meanwhile.
    forget: [statement(
      `with ${patient}, was as materialized (
  select k.keys from patience, ${table} k
  where k.tenant_id = ${of("tenantId")} and k.subject = ${of("subject")} for update of k
), done as (
  insert into ${table} as k (tenant_id, subject, id, keys, forgotten_at)
  select ${of("tenantId")}, ${of("subject")}, ${of("id")}, null, (${of("at")})::timestamptz
  from patience left join was on true
  on conflict (tenant_id, subject) do update set keys = null, forgotten_at = coalesce(k.forgotten_at, excluded.forgotten_at)
  returning id, forgotten_at
)
select ${
        instant("forgotten_at")
      } as at, (case when exists (select from was) then (select keys is not null from was)
  else id <> ${of("id")} and forgotten_at = (${
        of("at")
      })::timestamptz end)::text as destroyed from done`,
      columnsOf.forget,
    )],
    replace: statement(
      `update ${table} set keys = ${of("keys")}
where id = ${of("id")} and keys = ${of("before")} and forgotten_at is null returning id`,
      ["id"],
    ),
  };
}
