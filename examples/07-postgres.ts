// Events in the Postgres you already have: your handle, your tables, your transaction.
import { PGlite } from "@electric-sql/pglite";
import { eq, sql } from "drizzle-orm";
import {
  boolean,
  integer,
  type PgDatabase,
  type PgQueryResultHKT,
  pgSchema,
  text,
} from "drizzle-orm/pg-core";
import { drizzle as embedded } from "drizzle-orm/pglite";
import { drizzle as server } from "drizzle-orm/postgres-js";
import { defineEvent, EventStore } from "event-sourcery";
import { postgres } from "event-sourcery/postgres";
import assert from "node:assert/strict";
import process from "node:process";
import connect from "postgres";

// Any Drizzle handle works: for a configured server, or for a Postgres inside this process.
const url = process.env["POSTGRES_URL"] || process.env["EMBEDDED_POSTGRES_URL"];
const client = url ? connect(url, { onnotice: () => {} }) : await PGlite.create();
const db: PgDatabase<PgQueryResultHKT> = client instanceof PGlite
  ? embedded(client)
  : server(client);

const OrderPlaced = defineEvent<{ customer: string; cents: number }>()("OrderPlaced");
const OrderPaid = defineEvent<{ method: string }>()("OrderPaid");

// A table of your own. The events are in their own schema; by default it is called "event_sourcery".
const name = `example_${crypto.randomUUID().slice(0, 8)}`;
const orders = pgSchema(name).table("orders", {
  id: text().primaryKey(),
  cents: integer().notNull(),
  paid: boolean().notNull(),
});

try {
  const driver = postgres(db, { schema: name });
  await driver.migrate();
  await db.execute(sql`create table ${orders} (id text primary key, cents int, paid boolean)`);
  const store = new EventStore(driver, { events: [OrderPlaced, OrderPaid] });

  // You open and end the transaction, the store joins in.
  const place = async (id: string, cents: number, limit: number): Promise<void> => {
    await db.transaction(async (tx) => {
      await store.using(tx).append(`order:${id}`, OrderPlaced({ customer: "Ada", cents }));
      await tx.insert(orders).values({ id, cents, paid: false });
      if (cents > limit) throw new RangeError("Too much for one order");
    });
  };
  await place("42", 129_00, 500_00);
  await assert.rejects(place("43", 900_00, 500_00), RangeError);
  assert.equal(await store.version("order:43"), 0);

  // Or the store opens it, and passes you its database handle.
  const pay = async (id: string, works: boolean): Promise<void> => {
    await store.transaction(async ({ store, db }) => {
      await store.append(`order:${id}`, OrderPaid({ method: "card" }), { expectedVersion: 1 });
      await db.update(orders).set({ paid: true }).where(eq(orders.id, id));
      if (!works) throw new Error("The card was declined");
    });
  };
  await assert.rejects(pay("42", false), /declined/);
  assert.deepEqual(await db.select().from(orders), [{ id: "42", cents: 129_00, paid: false }]);
  await pay("42", true);
  assert.deepEqual(await db.select().from(orders), [{ id: "42", cents: 129_00, paid: true }]);

  // The history, in plain SQL.
  const history = await db.execute(sql`
    select version, type, created_at, data from ${sql.identifier(name)}.events
    where stream_id = 'order:42' order by version`);
  // The result of `execute` depends on the client: postgres.js returns the rows, others an object that contains them.
  type Rows = readonly Record<string, unknown>[];
  const given = history as Rows | { readonly rows: Rows };
  const rows = "rows" in given ? given.rows : given;
  for (const { version, type, data } of rows) console.log(version, type, data);
  assert.deepEqual(rows.map(({ type }) => type), ["OrderPlaced", "OrderPaid"]);
  console.log(`Events and orders agree, on ${url ? "the server" : "a Postgres in this process"}`);
} finally {
  await db.execute(sql`drop schema if exists ${sql.identifier(name)} cascade`);
  await (client instanceof PGlite ? client.close() : client.end());
}
