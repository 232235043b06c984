import assert from "node:assert/strict";
import { test } from "node:test";
import { memory } from "../../drivers/memory/mod.ts";
import { Aggregate, type EventOf, EventStore, Repository } from "../../mod.ts";
import { all, events, Paid, Placed, Sent, shop } from "../support/shop.ts";

class Parcel extends Aggregate<EventOf<typeof Sent>> {
  static readonly category = "parcel";
  protected apply(): void {}
  send(): void {
    this.emit(Sent());
  }
}

test("append() starts a correlation of its own when an event has none", async () => {
  const store = shop();
  const { events: [one, two] } = await store.append("a", [Paid(), Sent()]);
  assert.deepEqual(one?.metadata, { correlationId: one?.id });
  assert.deepEqual(two?.metadata, { correlationId: two?.id });
  assert.deepEqual(await store.load("a"), [one, two]);
});

test("append() keeps correlation and causation that an event brings", async () => {
  const metadata = { correlationId: "c", causationId: "b" };
  const { events: [event] } = await shop().append("a", Paid(undefined, { metadata }));
  assert.deepEqual(event.metadata, metadata);
});

test("append() in a handler carries the event's correlation, and its id as causation", async () => {
  const store = new EventStore(memory(), {
    events,
    subscriptions: {
      Placed: [async (_event, { store }) => void await store.append("b", Paid())],
      Paid: [async (_event, { store }) => void await store.append("c", Sent())],
    },
  });
  await store.append("a", Placed({ sku: "a" }, { metadata: { correlationId: "c" } }));
  const [placed, paid, sent] = await all(store.readAll());
  assert.deepEqual(placed?.metadata, { correlationId: "c" });
  assert.deepEqual(paid?.metadata, { correlationId: "c", causationId: placed?.id });
  assert.deepEqual(sent?.metadata, { correlationId: "c", causationId: paid?.id });
});

test("append() in a handler carries the cause when it goes through everything a store gives", async () => {
  const store = new EventStore(memory(), {
    events,
    subscriptions: {
      Placed: [async (_event, { store }) => {
        await store.publish("b", Sent());
        await store.appendAll([{ streamId: "b", events: Sent() }]);
        await store.transaction(async ({ store }) => void await store.append("b", Sent()));
        await new Repository(store, Parcel).aggregate("1", (parcel) => parcel.send());
      }],
    },
  });
  const { events: [placed] } = await store.append("a", Placed({ sku: "a" }));
  for (const { metadata } of [...await store.load("b"), ...await store.load("parcel:1")]) {
    assert.deepEqual(metadata, { correlationId: placed.id, causationId: placed.id });
  }
  assert.deepEqual([await store.version("b"), await store.version("parcel:1")], [3, 1]);
});

test("append() prefers the event's own metadata, then the cause, then the scope", async () => {
  const own = { correlationId: "own", user: "own" };
  const store = new EventStore(memory(), {
    events,
    subscriptions: {
      Placed: [async (_event, { store }) => {
        await store.append("b", Sent());
        await store.append("b", Sent(undefined, { metadata: own }));
        const scope = { correlationId: "scope", causationId: "scope", user: "inner" };
        await store.scope({ metadata: scope }).append("b", Sent());
      }],
    },
  });
  const scoped = store.scope({ metadata: { user: "scope", correlationId: "scope" } });
  const metadata = { correlationId: "c" };
  const { events: [placed] } = await scoped.append("a", Placed({ sku: "a" }, { metadata }));
  assert.deepEqual(placed.metadata, { user: "scope", correlationId: "c" });
  const cause = { correlationId: "c", causationId: placed.id };
  assert.deepEqual((await store.load("b")).map(({ metadata }) => metadata), [
    { user: "scope", ...cause },
    { ...cause, ...own },
    { user: "inner", ...cause },
  ]);
});

test("append() beside a handler does not carry its cause", async () => {
  const store = new EventStore(memory(), {
    events,
    subscriptions: {
      Placed: [async (_event, { store }) => void await store.append("b", Paid())],
    },
  });
  await store.append("a", [Placed({ sku: "a" }), Sent()]);
  const [, sent] = await store.load("a");
  assert.deepEqual(sent?.metadata, { correlationId: sent?.id });
});
