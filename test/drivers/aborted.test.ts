import { sql } from "drizzle-orm";
import { defineEvent, EventStore } from "event-sourcery";
import { libsql } from "event-sourcery/libsql";
import { postgres } from "event-sourcery/postgres";
import assert from "node:assert/strict";
import { after, test } from "node:test";
import { libsqlHandles, postgresHandles } from "../support/handles.ts";
import { shared } from "../support/shared.ts";

const Noted = defineEvent<number>()("Noted");
const Hushed = defineEvent("Hushed");
const events = [Noted, Hushed];
const timeout = 60_000;
const wrong = sql.raw("select no_such_column");

for (const handle of postgresHandles) {
  const { open, close } = shared(handle);
  after(close);
  const stores = async (schema: string) => {
    const driver = postgres((await open()).db, { schema });
    await driver.migrate();
    const subscriptions = [{
      types: ["Hushed"],
      handler: async (
        _event: unknown,
        { db }: { db: { execute(query: typeof wrong): PromiseLike<unknown> } },
      ) => void await db.execute(wrong).then(() => {}, () => {}),
    }] as const;
    return new EventStore(driver, { events, subscriptions });
  };

  test(`${handle.name}: transaction() does not succeed when its work swallowed an SQL error`, {
    timeout,
  }, async () => {
    const store = await stores("swallowed");
    let after: unknown;
    const work = store.transaction(async ({ store, db }) => {
      await store.append("a", Noted(1));
      await assert.rejects(async () => void await db.execute(wrong));
      await store.append("a", Noted(2)).catch((error: unknown) => after = error);
      return "done";
    });
    await assert.rejects(work, { code: "TRANSACTION_ABORTED", retryable: true });
    assert.equal(Reflect.get(after as object, "code"), "TRANSACTION_ABORTED");
    assert.equal(await store.version("a"), 0);
    assert.equal((await store.append("a", Noted(3))).version, 1);
  });

  test(
    `${handle.name}: a savepoint whose work swallowed an SQL error is undone alone`,
    { timeout },
    async () => {
      const store = await stores("savepoint");
      await store.transaction(async ({ store }) => {
        await store.append("a", Noted(1));
        const inner = store.transaction(async ({ store, db }) => {
          await store.append("a", Noted(2));
          await assert.rejects(async () => void await db.execute(wrong));
        });
        await assert.rejects(inner, { code: "TRANSACTION_ABORTED" });
        await store.append("a", Noted(3));
      });
      assert.deepEqual((await store.load("a")).map(({ data }) => data), [1, 3]);
    },
  );

  test(
    `${handle.name}: append() does not succeed when a handler swallowed an SQL error`,
    { timeout },
    async () => {
      const store = await stores("handler");
      await assert.rejects(store.append("a", Hushed()), { code: "TRANSACTION_ABORTED" });
      assert.equal(await store.version("a"), 0);
    },
  );
}

for (const handle of libsqlHandles) {
  test(`${handle.name}: transaction() goes on after an SQL error, as the database does`, {
    timeout,
  }, async () => {
    const { db, prefix, close } = await handle.open();
    try {
      const driver = libsql(db, { prefix });
      await driver.migrate();
      const store = new EventStore(driver, { events });
      await store.transaction(async ({ store, db }) => {
        await store.append("a", Noted(1));
        await assert.rejects(async () => void await db.run(wrong));
        await store.append("a", Noted(2));
      });
      assert.deepEqual((await store.load("a")).map(({ data }) => data), [1, 2]);
    } finally {
      await close();
    }
  });
}

test("libSQL over HTTP: a transaction that idles while others wait is told that it is lost", {
  timeout,
}, async () => {
  const handle = libsqlHandles.find(({ name }) => name === "libSQL over HTTP")!;
  const { db, prefix, another, close } = await handle.open();
  try {
    const idle = libsql(db, { prefix });
    await idle.migrate();
    const other = new EventStore(libsql(await another!(), { prefix, busyTimeout: 30_000 }), {
      events,
    });
    const store = new EventStore(idle, { events });
    const work = store.transaction(async ({ store }) => {
      await store.append("a", Noted(1));
      await other.append("b", Noted(2)); // waits until the server ends this transaction
    });
    await assert.rejects(work, { code: "TRANSACTION_ABORTED", retryable: true });
    // The server tells the first statement only; those after it must not be committed on their own.
    const joined = db.transaction(async (tx) => {
      const mine = store.using(tx);
      await mine.append("a", Noted(1));
      await other.append("b", Noted(3));
      await assert.rejects(async () => void await tx.run(sql.raw("select 1")));
      await assert.rejects(mine.append("a", Noted(2)), { code: "TRANSACTION_ABORTED" });
    });
    await assert.rejects(joined);
    assert.equal(await store.version("a"), 0);
    assert.equal(await other.version("b"), 2);
    assert.equal((await store.append("a", Noted(1))).version, 1);
  } finally {
    await close();
  }
});
