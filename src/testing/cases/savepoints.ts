import assert from "node:assert/strict";
import { collect } from "../../store/read.ts";
import { type Cases, dataOf, Noted, notes, transactional } from "../rig.ts";

const failure = new Error("rolled back");

/** Transactions inside transactions. */
export const savepoints: Cases = transactional({
  async "transaction() inside a transaction commits with it"({ store }) {
    const version = await store.transaction(async ({ store }) => {
      await store.append("a", Noted(1));
      const inner = await store.transaction(async ({ store }) => {
        await store.append("b", Noted(2));
        return (await store.append("a", Noted(3), { expectedVersion: 1 })).version;
      });
      await store.append("a", Noted(4), { expectedVersion: inner });
      return inner;
    });
    assert.equal(version, 2);
    assert.deepEqual(dataOf(await collect(store.readAll())), [1, 2, 3, 4]);
  },

  async "transaction() inside a transaction rolls back alone when its error is caught"({ store }) {
    await store.append("old", notes(2));
    await store.transaction(async ({ store }) => {
      await store.append("a", Noted(1));
      const inner = store.transaction(async ({ store }) => {
        await store.append("a", notes(2, 2), { expectedVersion: 1 });
        await store.append("b", Noted());
        await store.delete("old");
        assert.equal(await store.version("old"), 0);
        throw failure;
      });
      await assert.rejects(inner, (error) => error === failure);
      assert.deepEqual(dataOf(await store.load("a")), [1]);
      assert.equal(await store.version("old"), 2);
      await store.append("a", Noted("after"), { expectedVersion: 1 });
    });
    assert.deepEqual(dataOf(await store.load("a")), [1, "after"]);
    assert.deepEqual(await Promise.all(["b", "old"].map(store.version)), [0, 2]);
  },

  async "transaction() around a committed one rolls that back, too"({ store }) {
    const outer = store.transaction(async ({ store }) => {
      await store.transaction(({ store }) => store.append("a", Noted(1)));
      assert.equal(await store.version("a"), 1);
      throw failure;
    });
    await assert.rejects(outer, (error) => error === failure);
    assert.equal(await store.version("a"), 0);
    assert.equal((await store.append("a", Noted(2), { expectedVersion: "noStream" })).version, 1);
  },

  async "readAll() inside a savepoint shows settled events only"({ store }) {
    const { position } = await store.append("a", Noted(1));
    await store.transaction(async ({ store }) => {
      await store.append("a", Noted(2));
      await store.transaction(async ({ store }) => {
        await store.append("b", Noted(3));
        assert.deepEqual(dataOf(await collect(store.readAll())), [1]);
        assert.equal(await store.position(), position);
      });
      assert.deepEqual(dataOf(await collect(store.readAll())), [1]);
    });
    assert.deepEqual(dataOf(await collect(store.readAll())), [1, 2, 3]);
  },

  async "transaction() nests to any depth"({ store }) {
    const nest = (outer: typeof store, depth: number): Promise<void> =>
      outer.transaction(async ({ store }) => {
        await store.append("a", Noted(depth));
        if (depth === 5) throw failure;
        await nest(store, depth + 1).catch((error) => assert.equal(error, failure));
        await store.append("b", Noted(depth));
      });
    await nest(store, 1);
    assert.deepEqual(dataOf(await store.load("a")), [1, 2, 3, 4]);
    assert.deepEqual(dataOf(await store.load("b")), [4, 3, 2, 1]);
  },

  async "transaction() concurrently inside a transaction rolls back the failed one alone"(
    { store },
  ) {
    await store.transaction(async ({ store }) => {
      const outcomes = await Promise.allSettled(
        [1, 2, 3].map((number) =>
          store.transaction(async ({ store }) => {
            await store.append(`own:${number}`, notes(2));
            await store.append("shared", Noted(number));
            if (number === 1) throw failure;
          })
        ),
      );
      assert.deepEqual(outcomes.map(({ status }) => status), [
        "rejected",
        "fulfilled",
        "fulfilled",
      ]);
    });
    assert.deepEqual(dataOf(await store.load("shared")).toSorted(), [2, 3]);
    const streams = await store.streams({ category: "own" });
    assert.deepEqual(streams.map(({ streamId }) => streamId), ["own:2", "own:3"]);
  },
});
