import { columnsOf, type SubjectStatements } from "../../_sql/statement.ts";
import { statement } from "./text.ts";

/** Rows as one JSON array. */
const rows = (from: string) =>
  `select json_group_array(json_object('subject', k.subject, 'id', k.id, 'keys', k.keys)) as rows from ${from}`;

const of = (member: string) => `json_extract(?1, '$.${member}')`;

/** Writes the statements of the keys of subjects; rows are found by the primary key or the unique index of the ids. */
export function subjectsOf(prefix: string): SubjectStatements {
  const table = `"${prefix}subject_keys"`;
  const named = `tenant_id = ${of("tenantId")} and subject = ${of("subject")}`;
  return {
    read: statement(
      rows(`json_each(?1, '$.subjects') as w cross join ${table} as k
where k.tenant_id = ${of("tenantId")} and k.subject = w.value`),
      columnsOf.subjects,
    ),
    find: statement(
      rows(`json_each(?1, '$.ids') as w cross join ${table} as k where k.id = w.value`),
      columnsOf.subjects,
    ),
    list: statement(
      rows(`(select * from ${table} where id > ${of("after")} and keys is not null
  order by id limit ${of("limit")}) as k`),
      columnsOf.subjects,
    ),
    forgotten: statement(
      `select (select forgotten_at from ${table} where ${named}) as at`,
      columnsOf.forgotten,
    ),
    make: statement(
      `insert into ${table} (tenant_id, subject, id, keys)
select ${
        of("tenantId")
      }, r.value->>'subject', r.value->>'id', r.value->>'keys' from json_each(?1, '$.rows') as r where true
on conflict do nothing returning subject, id, keys`,
      columnsOf.subject,
    ),
    forget: [
      statement(
        `select coalesce(forgotten_at, ${
          of("at")
        }) as at, keys is not null as destroyed from ${table} where ${named}`,
        columnsOf.forget,
      ),
      statement(
        `insert into ${table} as k (tenant_id, subject, id, keys, forgotten_at)
values (${of("tenantId")}, ${of("subject")}, ${of("id")}, null, ${of("at")})
on conflict (tenant_id, subject) do update set keys = null, forgotten_at = coalesce(k.forgotten_at, excluded.forgotten_at)`,
      ),
    ],
    replace: statement(
      `update ${table} set keys = ${of("keys")}
where id = ${of("id")} and keys = ${of("before")} and forgotten_at is null returning id`,
      ["id"],
    ),
  };
}
