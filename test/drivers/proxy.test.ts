// A handle without interactive transactions: every statement goes to the database on its own, as over HTTP.
import { drizzle } from "drizzle-orm/pg-proxy";
import { postgres } from "event-sourcery/postgres";
import { driverContract } from "event-sourcery/testing";
import assert from "node:assert/strict";
import { after, test } from "node:test";
import pg from "pg";
import { createDatabase, type Database } from "../support/postgres.ts";

let opened: Promise<{ database: Database; pool: pg.Pool }> | undefined;
let schemas = 0;

async function open() {
  const database = await createDatabase();
  return { database, pool: new pg.Pool({ connectionString: database.url, max: 10 }) };
}

after(async () => {
  const { database, pool } = await (opened ?? open());
  await pool.end();
  await database.drop();
});

async function handle() {
  const { pool } = await (opened ??= open());
  return drizzle(async (text, values, method) => {
    const { rows } = await pool.query({
      text,
      values,
      ...(method === "all" && { rowMode: "array" }),
    });
    return { rows };
  });
}

test("postgres() knows a handle without transactions", async () => {
  assert.equal(postgres(await handle()).capabilities.transactions, false);
});

const cases = driverContract(async () => {
  const db = await handle();
  const schema = `case ${++schemas}`;
  return { driver: postgres(db, { schema }), another: () => postgres(db, { schema }) };
});
/** These must keep appends out meanwhile, which takes a transaction. */
const alone =
  /delete(?!.* inside a transaction)|well-formed stream id|id of an event|repairPosition/;
for (const { name, run } of cases) {
  test(`pg-proxy: ${name}`, { timeout: 60_000 }, async () => {
    if (!alone.test(name)) return await run();
    await assert.rejects(run, { code: "UNSUPPORTED", message: /no interactive transactions/ });
  });
}
