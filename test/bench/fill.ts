import type { Client } from "@libsql/client";
import type { Sql } from "postgres";

const columns = "tenant_id, stream_id, version, category, slot, id, type, schema_version, " +
  "created_at, data, metadata, tags, published";
const data = '{"sku":"sku-1","count":1,"price":19.99,"note":"by the front door"}';
const tags = (n: string) => `'["order:' || ${n} / 100 || '","region:' || ${n} % 2 || '"]'`;
const values = (stamp: string) =>
  `'', 'order:s' || (n / 10), 1 + n % 10, 'order', n / 10 % 1024, 'id-' || n, 'Placed', 1, ${stamp}, ` +
  `'${data}', '{}'`;

/**
 * Fills a schema with numbered events, one a second until now, each with two tags: one that a hundred have, and one that
 * every other has.
 */
export async function fillPostgres(client: Sql, schema: string, events: number): Promise<void> {
  const run = (text: string) => client.unsafe<{ name: string }[]>(text);
  await run(
    `insert into ${schema}.events (position, ${columns}) select nextval('${schema}.position'), ${
      values(`now() - (${events} - n) * interval '1 second'`)
    }, (${tags("n")})::json, true from generate_series(1, ${events}) as n`,
  );
  const named = await run(
    `select column_name as name from information_schema.columns where table_schema = '${schema}' and table_name = 'event_tags'`,
  );
  await run(fillTags(`${schema}.events`, `${schema}.event_tags`, named));
  await run(`vacuum analyze ${schema}.events, ${schema}.event_tags`);
}

/** As `fillPostgres`, for a file. */
export async function fillLibsql(client: Client, events: number): Promise<void> {
  const numbers =
    `with recursive counted (n) as (select 1 union all select n + 1 from counted where n < ${events})
      select n from counted`;
  await client.execute(
    `insert into es_events (${columns}) select ${
      values(`strftime('%Y-%m-%dT%H:%M:%fZ', 'now', (n - ${events}) || ' seconds')`)
    }, ${tags("n")}, 1 from (${numbers})`,
  );
  const { rows } = await client.execute("select name from pragma_table_info('es_event_tags')");
  const named = rows.map(({ name }) => ({ name: String(name) }));
  await client.execute(fillTags("es_events", "es_event_tags", named));
}

/** The statement that lists the tags of numbered events; by tenant where the table begins with it. */
function fillTags(
  events: string,
  table: string,
  columns: readonly { readonly name: string }[],
): string {
  const tenant = columns.some(({ name }) => name === "tenant_id") ? "tenant_id, " : "";
  const number = "cast(substr(id, 4) as integer)";
  return `insert into ${table} (${tenant}tag, position)
    select ${tenant}'order:' || (${number} / 100), position from ${events} where id like 'id-%'
    union all select ${tenant}'region:' || (${number} % 2), position from ${events} where id like 'id-%'`;
}
