import { randomUUID } from "node:crypto";
import { openLibsql, openPostgres, placed } from "./databases.ts";
import { compare, linesOf, print, rateOfEach } from "./measure.ts";

const size = 1000;
const rounds = 15;

const columns = "tenant_id, stream_id, version, category, slot, id, type, schema_version, " +
  "created_at, data, metadata, published";

/** The values of a row, all but its stream and version as we store them. */
function row(stream: string): unknown[] {
  const data = JSON.stringify(placed(1).data);
  const at = new Date().toISOString();
  const id = randomUUID();
  const metadata = JSON.stringify({ correlationId: id });
  return ["", stream, 1, "order", 7, id, "Placed", 1, at, data, metadata, 0];
}

/** One append at a time, beside a bare insert of the same row, into a table with the same indexes. */
export async function append(): Promise<void> {
  await onPostgres();
  await onLibsql();
}

async function onPostgres(): Promise<void> {
  const { client, store, close } = await openPostgres();
  await client.unsafe("create sequence bare_position");
  await client.unsafe("create table bare (like event_sourcery.events including all)");
  const insert = `insert into bare (position, ${columns}) values (nextval('bare_position'), ` +
    "$1, $2, $3, $4, $5, $6, $7, $8, $9, $10::text::json, $11::text::json, $12::int::boolean)";
  let stream = 0;
  const sides = [{
    name: "Postgres append",
    round: () => rateOfEach(size, (index) => store.append(`order:${++stream}`, placed(index))),
  }, {
    name: "a bare prepared insert",
    round: () =>
      rateOfEach(size, async () => {
        await client.unsafe(insert, row(`order:${++stream}`) as string[], { prepare: true });
      }),
  }];
  print(
    "append, Postgres (postgres.js)",
    linesOf(await compare(sides, rounds), { "a bare prepared insert": "≥ 0.85 ×" }),
  );
  await close();
}

async function onLibsql(): Promise<void> {
  const { client, store, close } = await openLibsql();
  const made = await client.execute("select sql from sqlite_master where sql like '%es_events%'");
  for (const { sql } of made.rows) {
    await client.execute(String(sql).replaceAll("es_events", "bare"));
  }
  const marks = columns.split(",").map(() => "?").join(", ");
  const insert = `insert into bare (${columns}) values (${marks})`;
  let stream = 0;
  const sides = [{
    name: "libSQL append",
    round: () => rateOfEach(size, (index) => store.append(`order:${++stream}`, placed(index))),
  }, {
    name: "a bare execute",
    round: () =>
      rateOfEach(size, async () => {
        await client.execute({ sql: insert, args: row(`order:${++stream}`) as string[] });
      }),
  }];
  print(
    "append, libSQL (a file)",
    linesOf(await compare(sides, rounds), { "a bare execute": "≥ 0.80 ×" }),
  );
  await close();
}
