// PgBouncer in transaction mode: no connection keeps anything from one transaction to the next.
import { drizzle as nodePostgres } from "drizzle-orm/node-postgres";
import { drizzle as postgresJs } from "drizzle-orm/postgres-js";
import { postgres } from "event-sourcery/postgres";
import assert from "node:assert/strict";
import { test } from "node:test";
import connect from "postgres";
import { contractOf } from "../support/contract.ts";
import type { Client, Handle, PostgresDb } from "../support/handles.ts";
import { hasPgBouncer, startPgBouncer } from "../support/pgbouncer.ts";
import { until } from "../support/journal.ts";
import { openPool } from "../support/pool.ts";
import { createDatabase } from "../support/postgres.ts";

const skip = hasPgBouncer ? false : "there is no PgBouncer";

const clients: Readonly<Record<string, (url: string) => Client<PostgresDb>>> = {
  "postgres.js"(url) {
    const client = connect(url, { max: 10, prepare: false, fetch_types: false, onnotice() {} });
    return { db: postgresJs(client), close: () => client.end({ timeout: 1 }) };
  },
  "node-postgres"(url) {
    const { pool, close } = openPool(url);
    return { db: nodePostgres(pool), close };
  },
};

/** A client behind a pooler of its own. */
function pooled(name: string, open: (url: string) => Client<PostgresDb>): Handle<PostgresDb> {
  return {
    name: `${name} through PgBouncer`,
    async open() {
      const database = await createDatabase();
      const pooler = await startPgBouncer(database.url);
      const first = open(pooler.url);
      const all = [first];
      return {
        ...{ db: first.db, prefix: "es_", url: pooler.url },
        async another() {
          const other = open(pooler.url);
          all.push(other);
          return other.db;
        },
        async close() {
          await Promise.all(all.map((client) => client.close()));
          await pooler.stop();
          await database.drop();
        },
      };
    },
  };
}

for (const [name, open] of Object.entries(clients)) {
  const handle = pooled(name, open);

  test(`${handle.name}: a listener that is told nothing does not count as live`, {
    timeout: 60_000,
    skip,
  }, async () => {
    const { db, close } = await handle.open();
    try {
      const driver = postgres(db, { prepare: false });
      await driver.migrate();
      let woken = 0;
      const stop = driver.notifier!.listen(() => woken++);
      await until(() => woken > 0); // LISTEN was answered
      for (let times = 0; times < 5; times++) {
        driver.notifier!.notify();
        await new Promise((resolve) => setTimeout(resolve, 25)); // more than between two notifications
        assert.equal(driver.notifier!.live, false);
      }
      stop();
    } finally {
      await close();
    }
  });

  // The clients differ in how they listen, which is above; the contract over one of them takes a quarter of a minute.
  if (name === "postgres.js") {
    contractOf(handle, { prepare: false, notify: false }, { skip, every: 2 });
  }
}
