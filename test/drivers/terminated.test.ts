// The server restarts, fails over or ends an idle transaction while a handler is at work: the process has to survive it.
import { drizzle } from "drizzle-orm/node-postgres";
import { sql } from "drizzle-orm";
import { defineEvent, EventStore } from "event-sourcery";
import { postgres } from "event-sourcery/postgres";
import assert from "node:assert/strict";
import process from "node:process";
import { test } from "node:test";
import pg from "pg";
import { createDatabase } from "../support/postgres.ts";
import { runtime } from "../support/root.ts";

const Noted = defineEvent<number>()("Noted");
const name = "node-postgres: a connection that ends within a transaction throws nowhere else";

// On Bun node-postgres itself waits for ever for a connection that the server has ended: nothing to ask there.
if (runtime !== "bun") test(name, { timeout: 60_000 }, survives);

async function survives(): Promise<void> {
  const database = await createDatabase();
  const pool = new pg.Pool({ connectionString: database.url });
  pool.on("error", () => {}); // as node-postgres asks for
  const uncaught: unknown[] = [];
  const note = (error: unknown) => void uncaught.push(error);
  process.on("uncaughtException", note);
  try {
    const driver = postgres(drizzle(pool));
    await driver.migrate();
    const store = new EventStore(driver, { events: [Noted] });
    for (let round = 0; round < 4; round++) {
      const ended = store.transaction(async ({ store, db }) => {
        await store.append("a", Noted(round));
        const { rows: [row] } = await db.execute<{ pid: number }>(
          sql`select pg_backend_pid() as pid`,
        );
        const connection = (pool as unknown as { _clients: pg.Client[] })._clients
          .find((client) => Reflect.get(client, "processID") === row!.pid)!;
        const lost = new Promise<void>((resolve) => connection.once("end", () => resolve()));
        await pool.query("select pg_terminate_backend($1)", [row!.pid]);
        await lost;
        await store.append("a", Noted(round));
      });
      await assert.rejects(ended, { code: "CONNECTION", retryable: true });
      assert.equal(await store.version("a"), 0);
    }
    assert.deepEqual(uncaught, []);
  } finally {
    process.off("uncaughtException", note);
    await pool.end();
    await database.drop();
  }
}
