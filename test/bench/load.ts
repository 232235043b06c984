import { openLibsql, openPostgres, placed } from "./databases.ts";
import { compare, linesOf, print, rateOf } from "./measure.ts";

const size = 1000;
const times = 20;
const rounds = 15;
const name = "select and JSON.parse";
const budgets = { [name]: "≥ 1.50 ×" };

/** A stream of 1,000 events, beside a bare `select` into row objects and `JSON.parse`. */
export async function load(): Promise<void> {
  await onPostgres();
  await onLibsql();
}

async function repeatedly(work: () => Promise<unknown>): Promise<number> {
  return await rateOf(size * times, async () => {
    for (let time = 0; time < times; time++) await work();
  });
}

function parsed<Row extends Record<string, unknown>>(row: Row): unknown[] {
  return [row, JSON.parse(String(row["data"])), JSON.parse(String(row["metadata"]))];
}

async function onPostgres(): Promise<void> {
  const { client, store, close } = await openPostgres();
  await store.append("order:1", Array.from({ length: size }, (_, index) => placed(index)));
  const text = `select position, stream_id, version, id, type, created_at, data::text as data, ` +
    "metadata::text as metadata from event_sourcery.events " +
    "where tenant_id = $1 and stream_id = $2 order by version";
  const sides = [
    { name: "load", round: () => repeatedly(() => store.load("order:1")) },
    {
      name,
      round: () =>
        repeatedly(async () =>
          (await client.unsafe(text, ["", "order:1"], { prepare: true })).map(parsed)
        ),
    },
  ];
  print("load, Postgres (postgres.js)", linesOf(await compare(sides, rounds), budgets));
  await close();
}

async function onLibsql(): Promise<void> {
  const { client, store, close } = await openLibsql();
  await store.append("order:1", Array.from({ length: size }, (_, index) => placed(index)));
  const sql = "select position, stream_id, version, id, type, created_at, data, metadata " +
    "from es_events where tenant_id = ? and stream_id = ? order by version";
  const sides = [
    { name: "load", round: () => repeatedly(() => store.load("order:1")) },
    {
      name,
      round: () =>
        repeatedly(async () =>
          (await client.execute({ sql, args: ["", "order:1"] })).rows.map(parsed)
        ),
    },
  ];
  print("load, libSQL (a file)", linesOf(await compare(sides, rounds), budgets));
  await close();
}
