import assert from "node:assert/strict";
import { collect } from "../../store/read.ts";
import {
  type Cases,
  dataOf,
  Noted,
  notes,
  rejects,
  storeOn,
  together,
  transactional,
} from "../rig.ts";

/** Transactions are atomic and isolated. */
export const transactions: Cases = transactional({
  async "transaction() commits its appends and returns the work's result"({ store }) {
    const given = await store.transaction(async ({ store }) => {
      await store.append("a", notes(2));
      await store.append("b", Noted(3));
      return { version: (await store.append("a", Noted(4))).version };
    });
    assert.deepEqual(given, { version: 3 });
    assert.deepEqual(dataOf(await store.load("a")), [1, 2, 4]);
    assert.deepEqual(dataOf(await collect(store.readAll())), [1, 2, 3, 4]);
  },

  async "transaction() stores nothing when the work throws, and rejects with its error"({ store }) {
    await store.append("a", Noted(1));
    const error = new Error("rolled back");
    const done = store.transaction(async ({ store }) => {
      await store.append("a", notes(2, 2));
      await store.appendAll([{ streamId: "b", events: Noted() }, {
        streamId: "c",
        events: Noted(),
      }]);
      throw error;
    });
    await assert.rejects(done, (thrown) => thrown === error);
    assert.deepEqual(dataOf(await collect(store.readAll())), [1]);
    assert.deepEqual(await Promise.all(["a", "b", "c"].map(store.version)), [1, 0, 0]);
    assert.equal((await store.streams()).length, 1);
  },

  async "append() after a rollback takes the next version and a higher position"({ store }) {
    const before = await store.append("a", Noted(1));
    const done = store.transaction(async ({ store }) => {
      await store.append("a", notes(3, 2));
      throw new Error("rolled back");
    });
    await assert.rejects(done, /rolled back/);
    const after = await store.append("a", Noted("after"), { expectedVersion: 1 });
    assert.equal(after.version, 2);
    assert.ok(after.position > before.position);
    assert.equal(await store.position(), after.position);
    assert.deepEqual(dataOf(await collect(store.readAll())), [1, "after"]);
  },

  async "load() inside a transaction shows the transaction's own events"({ store }) {
    await store.append("a", Noted(1));
    await store.transaction(async ({ store }) => {
      const { events } = await store.append("a", notes(2, 2));
      assert.deepEqual(dataOf(await store.load("a")), [1, 2, 3]);
      assert.deepEqual(await store.load("a", { from: 2 }), events);
      assert.deepEqual(dataOf(await store.load("a", { backwards: true, limit: 1 })), [3]);
      assert.equal(await store.version("a"), 3);
      await store.append("b", Noted(), { expectedVersion: 0 });
      const streams = await store.streams();
      assert.deepEqual(streams.map(({ streamId, version }) => [streamId, version]), [
        ["a", 3],
        ["b", 1],
      ]);
    });
  },

  async "readAll() inside a transaction shows settled events only"({ store }) {
    const before = await store.append("a", Noted(1));
    const last = await store.transaction(async ({ store }) => {
      assert.deepEqual(dataOf(await collect(store.readAll())), [1]);
      await store.append("a", Noted(2));
      const { position } = await store.append("b", Noted(3));
      assert.deepEqual(dataOf(await collect(store.readAll())), [1]);
      assert.ok(await store.position() >= before.position);
      assert.ok(await store.position() < position - 1, "the transaction's own are not settled");
      return position;
    });
    assert.equal(await store.position(), last);
    assert.deepEqual(dataOf(await collect(store.readAll())), [1, 2, 3]);
  },

  async "append() that conflicts inside a transaction stores nothing and leaves it usable"(
    { store },
  ) {
    await store.append("a", notes(2));
    await store.transaction(async ({ store }) => {
      await store.append("b", Noted("before"));
      const append = store.append("a", notes(3, 10), { expectedVersion: 1 });
      const { actual, transactionAborted } = await rejects(append, "CONCURRENCY");
      assert.deepEqual([actual, transactionAborted], [2, false]);
      const appends = ["new", "a"].map((streamId) => (
        { streamId, events: notes(2), expectedVersion: "noStream" } as const
      ));
      await rejects(store.appendAll(appends), "CONCURRENCY");
      assert.equal(await store.version("new"), 0);
      await store.append("a", Noted("after"), { expectedVersion: 2 });
    });
    assert.deepEqual(dataOf(await store.load("a")), [1, 2, "after"]);
    assert.deepEqual(dataOf(await store.load("b")), ["before"]);
    assert.equal(await store.version("new"), 0);
  },

  async "transaction() runs many concurrently, each atomically"({ store, second }) {
    const stores = [store, storeOn(await second())];
    const outcomes = await Promise.allSettled(
      [1, 2, 3, 4, 5, 6].map((number) =>
        stores[number % 2]!.transaction(async ({ store }) => {
          await store.append(`own:${number}`, notes(2));
          await store.append("shared", Noted(number));
          if (number % 3 === 0) throw new Error("rolled back");
        })
      ),
    );
    assert.deepEqual(outcomes.map(({ status }) => status === "fulfilled"), [
      ...[true, true, false],
      ...[true, true, false],
    ]);
    const shared = await store.load("shared");
    assert.deepEqual(dataOf(shared).toSorted(), [1, 2, 4, 5]);
    assert.deepEqual(shared.map(({ version }) => version), [1, 2, 3, 4]);
    const streams = await store.streams({ category: "own" });
    assert.deepEqual(streams.map(({ streamId, version }) => [streamId, version]), [
      ["own:1", 2],
      ["own:2", 2],
      ["own:4", 2],
      ["own:5", 2],
    ]);
  },

  async "append() in parallel inside one transaction stores all"({ store }) {
    await store.transaction(async ({ store }) => {
      await together([1, 2, 3, 4].map((number) => store.append("a", Noted(number))));
      await together([1, 2].map((number) => store.append(`b:${number}`, notes(2))));
    });
    assert.deepEqual(dataOf(await store.load("a")).toSorted(), [1, 2, 3, 4]);
    assert.equal((await collect(store.readAll())).length, 8);
  },
});
