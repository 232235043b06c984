import { sql } from "drizzle-orm";
import { consumers, defineEvent, type Driver, EventStore, Subscription } from "event-sourcery";
import { libsql } from "event-sourcery/libsql";
import { postgres } from "event-sourcery/postgres";
import { drizzle as nodePostgres } from "drizzle-orm/node-postgres";
import { drizzle as postgresJs } from "drizzle-orm/postgres-js";
import assert from "node:assert/strict";
import { test } from "node:test";
import pg from "pg";
import client from "postgres";
import { libsqlHandles, type PostgresDb, postgresHandles } from "../support/handles.ts";
import { createDatabase } from "../support/postgres.ts";

const Noted = defineEvent<number>()("Noted");
const events = [Noted];
const timeout = 60_000;
const busyTimeout = 500;

const storeOn = (driver: Driver) => new EventStore(driver, { events });

/** Every write; each waits while another transaction holds what it needs. */
const writes: readonly ((store: ReturnType<typeof storeOn>) => Promise<unknown>)[] = [
  (store) => store.append("a", Noted(2)),
  (store) => store.append("a", [Noted(2), Noted(3)]),
  (store) => store.transaction(({ store }) => store.append("a", Noted(2))),
  (store) => store.delete("a"),
];

/**
 * Asserts that work ends as busy within a bound, and that the event loop turns meanwhile: a timer set before runs
 * before the refusal, also where the machine stood still, for timers run in the order in which they are due.
 */
async function endsAsBusy(work: () => Promise<unknown>): Promise<void> {
  let turned = false;
  const timer = setTimeout(() => turned = true, busyTimeout / 2);
  const start = performance.now();
  try {
    await assert.rejects(work, { code: "BUSY", retryable: true });
  } finally {
    clearTimeout(timer);
  }
  const waited = performance.now() - start;
  assert.ok(waited >= busyTimeout * 0.9, `it gave up after ${waited} ms`);
  assert.ok(waited < busyTimeout * 10, `it gave up after ${waited} ms only`);
  assert.ok(turned, `the event loop stood still for ${waited} ms`);
}

test("libSQL file: writes give up when another client writes for too long, and block nothing", {
  timeout,
}, async () => {
  const handle = libsqlHandles.find(({ name }) => name === "libSQL file")!;
  const { db, prefix, another, close } = await handle.open();
  try {
    const driver = libsql(db, { prefix, busyTimeout });
    await driver.migrate();
    const store = storeOn(driver);
    await store.append("a", Noted(1));
    const consumer = new Subscription(store, { name: "a", handler() {} });
    await consumer.drain();
    const other = await another!();
    await other.transaction(async (tx) => {
      await tx.run(sql.raw("create table theirs (n int)"));
      for (const write of writes) await endsAsBusy(() => write(store));
      await endsAsBusy(() => driver.migrate());
      // Readers go on beside a writer.
      assert.equal(await store.version("a"), 1);
      assert.equal((await consumers(store)).length, 1);
      assert.deepEqual([(await consumer.status()).lag, await consumer.parked()], [0, []]);
    });
    for (const write of writes) await write(store);
    assert.equal(await store.version("a"), 0);
  } finally {
    await close();
  }
});

for (const { name, open } of [...libsqlHandles, ...postgresHandles]) {
  if (!["libSQL in memory", "libSQL file", "PGlite"].includes(name)) continue;
  test(
    `${name}: a write of the outer store inside a transaction ends as busy`,
    { timeout },
    async () => {
      const { db, close } = await open();
      try {
        const driver = "batch" in db ? libsql(db, { busyTimeout }) : postgres(db, { busyTimeout });
        await driver.migrate();
        const outer = storeOn(driver);
        await outer.append("a", Noted(1));
        await outer.transaction(async ({ store }) => {
          await store.append("b", Noted(1));
          for (const write of writes) await endsAsBusy(() => write(outer));
          await store.append("b", Noted(2));
        });
        assert.deepEqual([await outer.version("a"), await outer.version("b")], [1, 2]);
        for (const write of writes) await write(outer);
      } finally {
        await close();
      }
    },
  );
}

for (const { name, open } of postgresHandles.filter(({ name }) => name !== "PGlite")) {
  test(
    `${name}: a write behind an open append that is in its way ends as busy`,
    { timeout },
    async () => {
      const { db, close } = await open();
      try {
        const driver = postgres(db, { busyTimeout });
        await driver.migrate();
        const outer = storeOn(driver);
        await outer.transaction(async ({ store }) => {
          await store.append("a", Noted(1));
          await endsAsBusy(() => outer.append("a", Noted(2)));
          await endsAsBusy(() => outer.append("a", [Noted(2), Noted(3)]));
          await endsAsBusy(() => outer.delete("b")); // keeps all appends out
          assert.equal((await outer.append("b", Noted(1))).version, 1);
        });
        assert.equal((await outer.append("a", Noted(2))).version, 2);
      } finally {
        await close();
      }
    },
  );
}

/** Clients whose connections limit how long they wait for a lock, as `busyTimeout` cannot for those of a whole table. */
const limited: Readonly<
  Record<string, (url: string) => { readonly db: PostgresDb; close(): Promise<void> }>
> = {
  "postgres.js"(url) {
    const connection = { lock_timeout: busyTimeout };
    const sql = client(url, { max: 4, fetch_types: false, onnotice: () => {}, connection });
    return { db: postgresJs(sql), close: () => sql.end({ timeout: 1 }) };
  },
  "node-postgres"(url) {
    const pool = new pg.Pool({ connectionString: url, max: 4, lock_timeout: busyTimeout });
    return { db: nodePostgres(pool), close: () => pool.end() };
  },
};

for (const [name, connect] of Object.entries(limited)) {
  test(
    `${name}: with a lock_timeout, a write behind the lock of a table ends as busy`,
    { timeout },
    async () => {
      const database = await createDatabase();
      const { db, close } = connect(database.url);
      try {
        const driver = postgres(db, { busyTimeout });
        await driver.migrate();
        const store = storeOn(driver);
        await store.append("a", Noted(1));
        await store.transaction(async ({ store: inside }) => {
          await inside.delete("b");
          for (const write of writes.slice(0, 2)) await endsAsBusy(() => write(store));
        });
        for (
          const change of [
            "create index mine on event_sourcery.events (type)",
            "alter table event_sourcery.events add column mine integer",
          ]
        ) {
          await db.transaction(async (tx) => {
            await tx.execute(sql.raw(change));
            for (const write of writes.slice(0, 2)) await endsAsBusy(() => write(store));
          });
        }
        assert.equal(await store.version("a"), 1);
      } finally {
        await close();
        await database.drop();
      }
    },
  );
}
