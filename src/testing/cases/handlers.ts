import assert from "node:assert/strict";
import { collect } from "../../store/read.ts";
import { type EventStore, EventStore as Store } from "../../store/store.ts";
import {
  type Cases,
  Closed,
  dataOf,
  Noted,
  notes,
  rejects,
  type Rig,
  transactional,
} from "../rig.ts";

const failure = new Error("the handler refused");

/** Handlers inside the append. */
export const handlers: Cases = transactional({
  async "append() has called its handlers when it resolves"(rig) {
    const seen: unknown[] = [];
    const store = storeWith(rig, async (event, { store }) => {
      seen.push(event.data);
      // The event is already visible inside the same transaction.
      assert.equal(await store.version(event.streamId) >= event.version, true);
    });
    const { events } = await store.append("a", notes(2));
    assert.deepEqual(seen, [1, 2]);
    await store.publish("a", Noted(3));
    await store.appendAll([{ streamId: "b", events: Noted(4) }, {
      streamId: "a",
      events: Noted(5),
    }]);
    assert.deepEqual(seen, [1, 2, 3, 4, 5]);
    assert.deepEqual(await store.load("a", { to: 2 }), events);
  },

  async "append() stores nothing when a handler throws"(rig) {
    const store = storeWith(rig, async (event, { store }) => {
      await store.append(`copy:${event.streamId}`, Closed());
      if (event.data === 2) throw failure;
    });
    await store.append("a", Noted(1));
    const appends = [
      () => store.append("a", Noted(2)),
      () => store.append("new", notes(3)),
      () => store.publish("a", [Noted(1), Noted(2)]),
      () =>
        store.appendAll([{ streamId: "b", events: Noted(1) }, { streamId: "c", events: Noted(2) }]),
    ];
    for (const append of appends) await assert.rejects(append(), (error) => error === failure);
    const streams = await store.streams();
    assert.deepEqual(streams.map(({ streamId, version }) => [streamId, version]), [
      ["a", 1],
      ["copy:a", 1],
    ]);
    assert.equal((await collect(store.readAll())).length, 2);
  },

  async "append() stores what a handler appends, with its cause"(rig) {
    const store = storeWith(rig, async (event, { store }) => {
      await store.append(`copy:${event.streamId}`, Closed());
    });
    const { events: [event] } = await store.append("a", Noted(1));
    const [copy] = await store.load("copy:a");
    assert.equal(copy?.metadata.causationId, event.id);
    assert.equal(copy.metadata.correlationId, event.metadata.correlationId);
    assert.ok(copy.position > event.position);
  },

  async "append() whose handler throws inside a transaction is rolled back alone when caught"(rig) {
    const store = storeWith(rig, async (event, { store }) => {
      await store.append("copies", Closed());
      if (event.data === "bad") throw failure;
    });
    await store.transaction(async ({ store }) => {
      await store.append("a", Noted("before"));
      const append = store.append("a", [Noted("good"), Noted("bad")]);
      await assert.rejects(append, (error) => error === failure);
      assert.equal(await store.version("a"), 1);
      await store.append("a", Noted("after"), { expectedVersion: 1 });
    });
    assert.deepEqual(dataOf(await store.load("a")), ["before", "after"]);
    assert.equal(await store.version("copies"), 2);
  },

  async "append() calls no handler when it conflicts, nor for events it has stored before"(rig) {
    const seen: unknown[] = [];
    const store = storeWith(rig, (event) => void seen.push(event.data));
    const events = notes(2);
    const first = await store.append("a", events, { expectedVersion: 0 });
    assert.deepEqual(await store.append("a", events, { expectedVersion: 0 }), first);
    await store.transaction(async ({ store }) => {
      assert.deepEqual(await store.append("a", events), first);
    });
    await rejects(store.append("a", Noted(3), { expectedVersion: 0 }), "CONCURRENCY");
    await rejects(store.append("b", events), "DUPLICATE_EVENT");
    assert.deepEqual(seen, [1, 2]);
  },

  async "append() with handlers in parallel inside one transaction keeps each as a whole"(rig) {
    const store = storeWith(rig, async (event, { store }) => {
      await store.append("copies", Closed());
      if (event.data === 2) throw failure;
    });
    await store.transaction(async ({ store }) => {
      const appends = [1, 2, 3].map((number) => store.append(`own:${number}`, Noted(number)));
      const outcomes = await Promise.allSettled(appends);
      assert.deepEqual(outcomes.map(({ status }) => status), [
        "fulfilled",
        "rejected",
        "fulfilled",
      ]);
    });
    assert.equal(await store.version("copies"), 2);
    const streams = await store.streams({ category: "own" });
    assert.deepEqual(streams.map(({ streamId }) => streamId), ["own:1", "own:3"]);
  },
});

type ContractEvent = Noted | Closed;

/** Makes a store with one handler, for `Noted` events. */
function storeWith(
  { driver }: Rig,
  handler: (
    event: Noted & { readonly streamId: string; readonly version: number },
    context: { readonly store: EventStore<ContractEvent> },
  ) => unknown,
): EventStore<ContractEvent> {
  return new Store(driver, { events: [Noted, Closed], subscriptions: { Noted: [handler] } });
}
