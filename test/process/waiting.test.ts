// However many events wait, those that are due are found by an index, and so is what comes before them.
import { createClient } from "@libsql/client";
import { drizzle as drizzleLibsql } from "drizzle-orm/libsql";
import { drizzle } from "drizzle-orm/node-postgres";
import assert from "node:assert/strict";
import { after, test } from "node:test";
import pg from "pg";
import { libsql } from "../../drivers/libsql/mod.ts";
import { statementsOf as libsqlStatementsOf } from "../../drivers/libsql/sql/statements.ts";
import { postgres } from "../../drivers/postgres/mod.ts";
import { statementsOf } from "../../drivers/postgres/sql/statements.ts";
import { createDatabase } from "../support/postgres.ts";

const fill = `insert into event_sourcery.scheduled
  (tenant_id, id, stream_id, due_at, type, schema_version, metadata, published)
select '', n, 's' || n % 50000, now() + (n - 20) * interval '1 minute', 'Due', 1, '{}', false from generate_series(1, 100000) as n`;

test("Postgres takes what is due of 100,000 by the index of what is due, old messages by theirs", {
  timeout: 60_000,
}, async () => {
  const database = await createDatabase();
  const client = new pg.Client({ connectionString: database.url });
  after(async () => {
    await client.end();
    await database.drop();
  });
  await client.connect();
  await postgres(drizzle(client)).migrate();
  await client.query(fill);
  await client.query(
    `insert into event_sourcery.inbox (tenant_id, name, message_id, handled_at)
select '', 'a', n, now() - n * interval '1 second' from generate_series(1, 100000) as n`,
  );
  await client.query("analyze event_sourcery.scheduled, event_sourcery.inbox");
  await client.query("set plan_cache_mode = force_generic_plan");
  const { schedule, inbox } = statementsOf('"event_sourcery"');
  const planOf = async (text: string, given: string) => {
    await client.query(`prepare one as ${text}`);
    const { rows } = await client.query<{ "QUERY PLAN": string }>(
      `explain (analyze, timing off) execute one(${given})`,
    );
    await client.query("deallocate one");
    return rows.map((row) => row["QUERY PLAN"]).join("\n");
  };
  const taking = await planOf(schedule.take.text, "null, null, '100'");
  assert.match(taking, /Index Scan using scheduled_due on scheduled s .*rows=20\b/);
  assert.match(taking, /Index Cond: \(due_at <= statement_timestamp\(\)\)/);
  assert.match(taking, /Index (Only )?Scan using scheduled_stream/);
  assert.match(taking, /Tid Scan on scheduled/);
  assert.doesNotMatch(taking, /Seq Scan|Bitmap/);
  const next = await planOf(schedule.next.text, "null");
  assert.match(next, /Index (Only )?Scan using scheduled_due/);
  assert.match(next, /rows=1\b/);
  const cleaning = await planOf(inbox.clean.text, "'a', '50000000', '1000'");
  assert.match(cleaning, /Index Scan using inbox_handled on inbox inbox_1 .*rows=1000\b/);
  assert.doesNotMatch(cleaning, /Seq Scan/);
});

test("libSQL takes what is due by the index of what is due, old messages by theirs", async () => {
  const client = createClient({ url: ":memory:" });
  await libsql(drizzleLibsql(client)).migrate();
  const planOf = async (text: string, args: (string | null)[]) => {
    const { rows } = await client.execute({ sql: `explain query plan ${text}`, args });
    return rows.map((row) => String(row["detail"])).join("\n");
  };
  const { schedule, inbox } = libsqlStatementsOf("es_");
  const taking = await planOf(schedule.take.text, [null, null, "100"]);
  assert.match(taking, /SEARCH s USING INDEX es_scheduled_due \(due_at<\?\)/);
  assert.match(
    taking,
    /SEARCH e USING COVERING INDEX es_scheduled_stream \(tenant_id=\? AND stream_id=\? AND/,
  );
  assert.match(taking, /SEARCH es_scheduled USING INTEGER PRIMARY KEY/);
  assert.doesNotMatch(taking, /SCAN/);
  assert.match(
    await planOf(schedule.next.text, [null]),
    /SEARCH .* es_scheduled_due \(due_at>\?\)/,
  );
  const cleaning = await planOf(inbox.clean.text, ["a", "1", "1000"]);
  assert.match(cleaning, /SEARCH es_inbox USING .*es_inbox_handled \(name=\? AND handled_at<\?\)/);
  client.close();
});
