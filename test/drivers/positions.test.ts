import { sql } from "drizzle-orm";
import { defineEvent, EventStore } from "event-sourcery";
import { postgres } from "event-sourcery/postgres";
import assert from "node:assert/strict";
import { after, test } from "node:test";
import { type PostgresDb, postgresHandles } from "../support/handles.ts";
import { query } from "../support/catalog.ts";
import { shared } from "../support/shared.ts";
import { all } from "../support/shop.ts";

const Noted = defineEvent<number>()("Noted");
const timeout = 60_000;
const { open, close } = shared(postgresHandles[0]!);
after(close);

async function storeIn(schema: string) {
  const { db } = await open();
  const driver = postgres(db, { schema });
  await driver.migrate();
  return { db, driver, store: new EventStore(driver, { events: [Noted] }) };
}

/** Runs work while a transaction is open that has appended. */
async function during(
  store: Awaited<ReturnType<typeof storeIn>>["store"],
  work: () => Promise<void>,
): Promise<void> {
  await store.transaction(async ({ store }) => {
    await store.append("slow", Noted(0));
    await work();
  });
}

async function fences(db: PostgresDb, schema: string): Promise<number> {
  const [row] = await query(
    db,
    `select count(*)::int as held from pg_locks where locktype = 'advisory' and pid = pg_backend_pid()
       and classid = '${schema}.position'::regclass::oid`,
  );
  return Number(row!["held"]);
}

test("position() stays at 0 until the very first append is committed, and readAll() sees it", {
  timeout,
}, async () => {
  const { store } = await storeIn("first");
  assert.equal(await store.position(), 0);
  await during(store, async () => {
    assert.equal(await store.position(), 0);
    await store.append("fast", Noted(1));
    assert.equal(await store.position(), 0);
    assert.deepEqual(await all(store.readAll()), []);
  });
  assert.equal(await store.position(), 2);
  assert.deepEqual((await all(store.readAll())).map(({ streamId }) => streamId), ["slow", "fast"]);
});

test("position() is that of the only event there is", { timeout }, async () => {
  const { store } = await storeIn("only");
  assert.deepEqual([(await store.append("a", Noted(1))).position, await store.position()], [1, 1]);
});

test("a transaction holds one fence lock however often it appends", { timeout }, async () => {
  const { store } = await storeIn("once");
  await store.transaction(async ({ store, db }) => {
    for (let round = 0; round < 10; round++) await store.append(`a:${round % 3}`, [Noted(round)]);
    assert.equal(await fences(db, "once"), 1);
    await store.transaction(({ store }) => store.append("b", [Noted(1), Noted(2)]));
    assert.equal(await fences(db, "once"), 1);
  });
  await store.transaction(async ({ store, db }) => {
    const inner = store.transaction(async ({ store }) => {
      await store.append("c", Noted(1));
      assert.equal(await fences(db, "once"), 1);
      throw new Error("rolled back");
    });
    await assert.rejects(inner, /rolled back/);
    assert.equal(await fences(db, "once"), 0);
    await store.append("c", Noted(2)); // must take the lock that the savepoint gave back
    assert.equal(await fences(db, "once"), 1);
  });
});

for (const start of [2 ** 31 - 3, 2 ** 32 - 3, 2 ** 33 + 2 ** 31 - 3, 2 ** 50]) {
  test(`position() is held by open appends around position ${start}`, { timeout }, async () => {
    const schema = `at${start}`;
    const { db, store } = await storeIn(schema);
    await query(db, `select setval('${schema}.position', ${start})`);
    for (let round = 0; round < 6; round++) {
      const before = await store.position();
      await during(store, async () => {
        await store.append("fast", [Noted(1), Noted(2)]);
        assert.equal(await store.position(), before);
        assert.deepEqual(await all(store.readAll({ after: before })), []);
      });
      assert.equal(await store.position(), before + 3);
      const seen = await all(store.readAll({ after: before }));
      assert.deepEqual(seen.map(({ streamId }) => streamId), ["slow", "fast", "fast"]);
    }
  });
}

test("position() is not held by other schemas, and not by locks of the application's own", {
  timeout,
}, async () => {
  const { db, store } = await storeIn("mine");
  await during((await storeIn("theirs")).store, () =>
    db.transaction(async (tx) => {
      await tx.execute(
        sql.raw("select pg_advisory_xact_lock_shared(0), pg_advisory_xact_lock_shared(0, 0)"),
      );
      const { position } = await store.append("a", Noted(1));
      assert.equal(await store.position(), position);
    }));
});

test("position() and readAll() refuse a standby", { timeout }, async () => {
  const { db, driver } = await storeIn("standby");
  // A function of this name that stands before the database's own in the search path: a second server takes seconds.
  await query(
    db,
    "create function standby.pg_is_in_recovery() returns boolean language sql return true",
  );
  await db.transaction(async (tx) => {
    await tx.execute(sql.raw("set local search_path = standby, pg_catalog"));
    const store = new EventStore(driver, { events: [Noted] }).using(tx);
    for (const use of [() => store.position(), () => all(store.readAll())]) {
      await assert.rejects(use, { code: "UNSUPPORTED", message: /standby.*use the primary/ });
    }
  });
});

for (
  const [reason, setup] of [
    [
      "this database shows no advisory locks",
      `create function locks.pg_advisory_xact_lock_shared(int, int) returns void language sql return null;
       set local search_path = locks, pg_catalog`,
    ],
    [
      "this role may not take advisory locks",
      `revoke execute on function pg_advisory_xact_lock_shared(int, int) from public;
       create role nobody; grant all on schema locks to nobody; grant all on all tables in schema locks to nobody;
       grant all on all sequences in schema locks to nobody; set local role nobody`,
    ],
  ] as const
) {
  test(`migrate() refuses to go on without a fence: ${reason}`, { timeout }, async () => {
    const { db } = await storeIn("locks");
    const undone = db.transaction(async (tx) => {
      for (const text of setup.split(";")) await tx.execute(sql.raw(text));
      const inside = Object.create(tx, {
        transaction: { value: <R>(work: (tx: object) => Promise<R>) => work(tx) },
      });
      await postgres(inside, { schema: "locks" }).migrate();
    });
    const message = new RegExp(`${reason}, so readers would skip events`);
    await assert.rejects(undone, { code: "UNSUPPORTED", message });
  });
}

test("an insert by hand fails instead of being skipped", { timeout }, async () => {
  const { db } = await storeIn("byhand");
  const insert = query(
    db,
    `insert into byhand.events (tenant_id, stream_id, version, category, id, type, schema_version, created_at, metadata, published)
     values ('', 'a', 1, '', 'x', 'Noted', 1, now(), '{}', false)`,
  );
  await assert.rejects(
    insert,
    (error: Error) => Reflect.get(error.cause as object, "code") === "23502",
  );
});
