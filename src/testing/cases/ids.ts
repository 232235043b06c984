import assert from "node:assert/strict";
import type { AppendOptions } from "../../store/writer.ts";
import { collect } from "../../store/read.ts";
import { type Cases, dataOf, Noted, notes, rejects, transactional } from "../rig.ts";

const expectations: readonly AppendOptions[] = [
  { expectedVersion: "any" },
  { expectedVersion: "noStream" },
  { expectedVersion: 0 },
];

/** Ids are unique, and appends idempotent by them. */
export const ids: Cases = {
  async "append() of the same events again returns the first result"({ store }) {
    for (const [index, options] of expectations.entries()) {
      const streamId = `stream:${index}`;
      const events = notes(3);
      const first = await store.append(streamId, events, options);
      assert.deepEqual(await store.append(streamId, events, options), first);
      await store.append(streamId, Noted("later"));
      assert.deepEqual(await store.append(streamId, events, options), first);
      assert.deepEqual(dataOf(await store.load(streamId)), [1, 2, 3, "later"]);
    }
  },

  async "append() of the same events again returns the first result in the middle of a stream"(
    { store },
  ) {
    await store.append("a", notes(2));
    const events = notes(2, 3);
    const first = await store.append("a", events, { expectedVersion: 2 });
    await store.append("a", notes(2, 5));
    assert.deepEqual(await store.append("a", events, { expectedVersion: 2 }), first);
    assert.deepEqual(await store.append("a", events[1]!), {
      ...first,
      events: [first.events[1]!],
    });
    assert.equal(await store.version("a"), 6);
  },

  async "appendAll() of the same events again returns the first results"({ store }) {
    const appends = ["b", "a"].map((streamId) => (
      { streamId, events: notes(2), expectedVersion: "noStream" } as const
    ));
    const first = await store.appendAll(appends);
    assert.deepEqual(await store.appendAll(appends), first);
    assert.equal((await collect(store.readAll())).length, 4);
  },

  async "append() refuses an id of another stream"({ store }) {
    const [taken, fresh] = [Noted(1), Noted(2)];
    await store.append("a", taken);
    for (const events of [[taken], [taken, fresh], [fresh, taken]]) {
      const error = await rejects(store.append("b", events), "DUPLICATE_EVENT");
      assert.equal(error.eventId, taken.id);
    }
    assert.equal(await store.version("b"), 0);
    assert.equal((await store.append("b", fresh)).version, 1);
  },

  async "append() refuses stored events in another order, and stored with new ones"({ store }) {
    const [a, b, c] = [Noted("a"), Noted("b"), Noted("c")];
    await store.append("s", [a, b]);
    for (const events of [[b, a], [b, c], [c, a], [a, b, c]]) {
      await rejects(store.append("s", events), "DUPLICATE_EVENT");
    }
    assert.deepEqual(dataOf(await store.load("s")), ["a", "b"]);
    assert.equal((await store.append("s", c)).version, 3);
  },

  async "appendAll() refuses an id that is stored elsewhere"({ store }) {
    const taken = Noted("taken");
    await store.append("a", taken);
    const appends = [{ streamId: "b", events: Noted(1) }, { streamId: "c", events: [taken] }];
    await rejects(store.appendAll(appends), "DUPLICATE_EVENT");
    assert.deepEqual(await collect(store.readAll()), await store.load("a"));
  },

  async "append() distinguishes ids by every character"({ store }) {
    const names = [
      "id",
      "ID",
      "id ",
      " id",
      "i'd",
      "\u00e9",
      "e\u0301",
      "\u{1F600}",
      "x".repeat(512),
    ];
    const { events } = await store.append("a", names.map((id) => Noted(id, { id })));
    assert.deepEqual((await store.load("a")).map(({ id }) => id), names);
    for (const event of events) {
      assert.equal((await store.append("a", event)).version, event.version);
    }
    assert.equal(await store.version("a"), names.length);
  },

  ...transactional({
    async "append() of the same events again inside a transaction returns the first result"(
      { store },
    ) {
      const [outside, inside] = [notes(2), notes(2, 3)];
      const first = await store.append("a", outside);
      await store.transaction(async ({ store }) => {
        assert.deepEqual(await store.append("a", outside), first);
        const second = await store.append("a", inside, { expectedVersion: 2 });
        assert.deepEqual(await store.append("a", inside, { expectedVersion: 2 }), second);
        await rejects(store.append("b", inside), "DUPLICATE_EVENT");
        await store.append("b", Noted("goes on"));
      });
      assert.deepEqual(dataOf(await store.load("a")), [1, 2, 3, 4]);
      assert.deepEqual(dataOf(await store.load("b")), ["goes on"]);
    },

    async "append() after a rollback stores the same events anew"({ store }) {
      const events = notes(2);
      const done = store.transaction(async ({ store }) => {
        await store.append("a", events);
        throw new Error("rolled back");
      });
      await assert.rejects(done, /rolled back/);
      const { events: stored } = await store.append("b", events);
      assert.deepEqual(await collect(store.readAll()), stored);
      assert.equal(await store.version("a"), 0);
    },
  }),
};
