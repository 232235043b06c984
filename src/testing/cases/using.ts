import assert from "node:assert/strict";
import { collect } from "../../store/read.ts";
import { type Cases, dataOf, Noted, notes, rejects, transactional } from "../rig.ts";

const failure = new Error("rolled back");

/** Joining a transaction that the caller opened. */
export const using: Cases = transactional({
  async "using() reads the same store"({ driver, store, begin = (work) => work(driver.db) }) {
    await store.append("a", notes(2));
    await begin(async (db) => {
      const joined = store.using(db);
      assert.deepEqual(dataOf(await joined.load("a")), [1, 2]);
      assert.equal(await joined.version("a"), 2);
      assert.equal((await collect(joined.readAll())).length, 2);
    });
    assert.deepEqual(dataOf(await store.load("a")), [1, 2]);
  },

  async "using() commits and rolls back with the caller's transaction"({ store, begin }) {
    await store.append("a", Noted(1));
    if (begin === undefined) return assert.equal(await store.version("a"), 1);
    await begin(async (db) => {
      const joined = store.using(db);
      await joined.append("a", Noted(2), { expectedVersion: 1 });
      await joined.scope({ tenantId: "t" }).append("a", Noted(3));
      assert.deepEqual(dataOf(await joined.load("a")), [1, 2]);
      assert.deepEqual(dataOf(await collect(joined.readAll())), [1]);
    });
    assert.deepEqual(dataOf(await collect(store.readAll())), [1, 2, 3]);
    const done = begin(async (db) => {
      await store.using(db).append("a", notes(2, 4));
      throw failure;
    });
    await assert.rejects(done);
    await store.append("a", Noted("after"), { expectedVersion: 2 });
    assert.deepEqual(dataOf(await store.load("a")), [1, 2, "after"]);
  },

  async "using() leaves the caller's transaction usable after a conflict"({ store, begin }) {
    await store.append("a", Noted(1));
    if (begin === undefined) return assert.equal(await store.version("a"), 1);
    await begin(async (db) => {
      const joined = store.using(db);
      const append = joined.append("a", notes(3, 2), { expectedVersion: "noStream" });
      await rejects(append, "CONCURRENCY");
      const inner = joined.transaction(async ({ store }) => {
        await store.append("a", Noted("gone"));
        throw failure;
      });
      await assert.rejects(inner, (error) => error === failure);
      await joined.append("a", Noted(2), { expectedVersion: 1 });
    });
    assert.deepEqual(dataOf(await store.load("a")), [1, 2]);
  },
});
