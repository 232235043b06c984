import assert from "node:assert/strict";
import { collect } from "../../store/read.ts";
import {
  type Cases,
  dataOf,
  Noted,
  notes,
  range,
  storeOn,
  together,
  transactional,
} from "../rig.ts";

/** Deleting streams. */
export const deletion: Cases = {
  async "delete() removes the stream and nothing else"({ store }) {
    for (const streamId of ["a:1", "a:10", "a:%"]) {
      await store.append(streamId, [Noted(1, { tags: ["t"] }), Noted(2)]);
    }
    await store.delete("a:1");
    assert.deepEqual(await store.load("a:1"), []);
    assert.equal(await store.version("a:1"), 0);
    await store.delete("a:%");
    const rest = await store.load("a:10");
    assert.deepEqual(dataOf(rest), [1, 2]);
    assert.deepEqual(await collect(store.readAll()), rest);
    assert.deepEqual(await collect(store.readAll({ tags: ["t"] })), rest.slice(0, 1));
    assert.deepEqual((await store.streams()).map(({ streamId }) => streamId), ["a:10"]);
  },

  async "delete() of an unknown stream does nothing"({ store }) {
    await store.append("a", Noted(1));
    await store.delete("b");
    await store.delete("b");
    assert.deepEqual(dataOf(await collect(store.readAll())), [1]);
  },

  async "append() after delete() starts at version 1, at a higher position"({ store }) {
    const before = await store.append("a", notes(3));
    await store.delete("a");
    assert.equal(await store.position(), before.position);
    const after = await store.append("a", notes(2, 10), { expectedVersion: "noStream" });
    assert.deepEqual(after.events.map(({ version }) => version), [1, 2]);
    assert.ok(after.events[0].position > before.position);
    assert.deepEqual(dataOf(await collect(store.readAll({ after: before.position }))), [10, 11]);
    assert.equal(await store.position(), after.position);
  },

  async "delete() frees the ids of its events"({ store }) {
    const events = notes(2);
    await store.append("a", events);
    await store.delete("a");
    assert.equal((await store.append("b", events, { expectedVersion: 0 })).version, 2);
    assert.deepEqual(dataOf(await collect(store.readAll())), [1, 2]);
  },

  async "delete() at the same time as appends leaves a stream without gaps"({ store, second }) {
    const other = storeOn(await second());
    await store.append("a", notes(3));
    await together<unknown>([
      ...range(1, 10).map((number) => store.append("a", notes(2, number))),
      ...range(1, 4).map(() => other.delete("a")),
      ...range(1, 10).map((number) => other.append("a", Noted(number))),
    ]);
    const { version } = await store.append("a", Noted("last"));
    const events = await store.load("a");
    assert.deepEqual(events.map((event) => event.version), range(1, version));
    assert.deepEqual(await collect(store.readAll()), events);
  },

  ...transactional({
    async "delete() inside a transaction is committed or rolled back with it"({ store }) {
      await store.append("a", notes(3));
      const done = store.transaction(async ({ store }) => {
        await store.delete("a");
        assert.deepEqual(await store.load("a"), []);
        assert.equal((await store.append("a", Noted("new"), { expectedVersion: 0 })).version, 1);
        throw new Error("rolled back");
      });
      await assert.rejects(done, /rolled back/);
      assert.deepEqual(dataOf(await store.load("a")), [1, 2, 3]);
      await store.transaction(async ({ store }) => {
        await store.append("a", Noted(4));
        await store.delete("a");
        await store.append("a", Noted("new"), { expectedVersion: "noStream" });
        await store.append("b", Noted("gone"));
        await store.delete("b");
      });
      assert.deepEqual(dataOf(await collect(store.readAll())), ["new"]);
      assert.deepEqual(await Promise.all(["a", "b"].map(store.version)), [1, 0]);
    },
  }),
};
