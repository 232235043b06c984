import { defineEvent, EventStore, isEventSourceryError } from "event-sourcery";
import { postgres } from "event-sourcery/postgres";
import assert from "node:assert/strict";
import { after, test } from "node:test";
import { query } from "../support/catalog.ts";
import { postgresHandles } from "../support/handles.ts";
import { shared } from "../support/shared.ts";

const Noted = defineEvent<number>()("Noted");
const events = [Noted];
const timeout = 60_000;

for (const handle of postgresHandles.filter(({ name }) => name !== "PGlite")) {
  const { open, close } = shared(handle);
  after(close);

  for (const isolationLevel of ["repeatable read", "serializable"] as const) {
    const title = `${handle.name}: a race in a caller's ${isolationLevel} transaction ends it`;
    test(title, { timeout }, async () => {
      const { db } = await open();
      const driver = postgres(db, { schema: isolationLevel });
      await driver.migrate();
      const store = new EventStore(driver, { events });
      const appends: ((joined: typeof store, streamId: string) => Promise<unknown>)[] = [
        (joined, streamId) => joined.append(streamId, Noted(2), { expectedVersion: 1 }),
        (joined, streamId) => joined.append(streamId, Noted(2)),
        (joined, streamId) =>
          joined.append(streamId, [Noted(2), Noted(3)], { expectedVersion: "streamExists" }),
        (joined, streamId) =>
          joined.appendAll([{ streamId, events: Noted(2) }, { streamId: "z", events: Noted(2) }]),
      ];
      const gone = new Error("rolled back");
      for (const [index, append] of appends.entries()) {
        const streamId = `contested:${index}`;
        await store.append(streamId, Noted(0));
        const work = db.transaction(async (tx) => {
          const joined = store.using(tx);
          await joined.append("mine", Noted(1));
          // From another connection, after this transaction has taken its snapshot.
          await store.append(streamId, Noted(1));
          const fields = {
            code: "CONCURRENCY",
            retryable: true,
            transactionAborted: true,
            actual: undefined,
            streamId,
          };
          await assert.rejects(append(joined, streamId), fields);
          throw gone;
        }, { isolationLevel });
        await assert.rejects(work, (error) => error === gone);
        assert.equal(await store.version("mine"), 0);
        assert.equal(await store.version(streamId), 2);
      }
      const again = appends[1]!;
      await db.transaction((tx) => again(store.using(tx), "contested:0"), { isolationLevel });
      assert.equal(await store.version("contested:0"), 3);
    });
  }

  const title =
    `${handle.name}: append() is refused by versions only where serializable is the default`;
  test(title, { timeout }, async () => {
    const { db, another, close } = await handle.open();
    try {
      await postgres(db).migrate();
      const name = String((await query(db, "select current_database() as name"))[0]!["name"]);
      await query(db, `alter database ${name} set default_transaction_isolation = 'serializable'`);
      // Twenty writers get in each other's way all the time: on a slow machine some wait for long.
      const driver = postgres(await another!(), { busyTimeout: 30_000 });
      const store = new EventStore(driver, { events });
      let stored = 0;
      await Promise.all(Array.from({ length: 20 }, async (_, writer) => {
        for (let round = 0; round < 10; round++) {
          await store.append(`own:${writer}`, Noted(round), { expectedVersion: round });
          await store.append("shared", [Noted(writer), Noted(round)]);
          const expectedVersion = await store.version("race");
          try {
            await store.append("race", Noted(writer), { expectedVersion });
            stored++;
          } catch (error) {
            assert(isEventSourceryError(error, "CONCURRENCY"), String(error));
            assert.ok((error.actual ?? 0) > expectedVersion);
            assert.equal(error.transactionAborted, false);
          }
        }
        assert.equal(await store.version(`own:${writer}`), 10);
      }));
      assert.equal(await store.version("shared"), 400);
      assert.equal(await store.version("race"), stored);
    } finally {
      await close();
    }
  });
}
