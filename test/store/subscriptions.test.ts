import assert from "node:assert/strict";
import { test } from "node:test";
import { memory } from "../../drivers/memory/mod.ts";
import { type Driver, EventStore } from "../../mod.ts";
import { events, many, Paid, Placed, Sent, types } from "../support/shop.ts";

test("append() has called the handlers when it resolves, in the order of registration", async () => {
  const called: string[] = [];
  const slow = (name: string) => async () => {
    await Promise.resolve();
    called.push(name);
  };
  const store = new EventStore(memory(), {
    events,
    subscriptions: {
      "Placed": [slow("first"), () => void called.push("second")],
      "*": [slow("every")],
      "Paid": [() => void called.push("paid")],
    },
  });
  await store.append("order:1", Placed({ sku: "a" }));
  assert.deepEqual(called, ["first", "second", "every"]);
  await store.append("order:1", [Paid(), Sent()]);
  assert.deepEqual(called.slice(3), ["every", "paid", "every"]);
});

test("publish() and appendAll() call the handlers too, event by event", async () => {
  const called: string[] = [];
  const store = new EventStore(memory(), {
    events,
    subscriptions: { "*": [(event) => void called.push(`${event.streamId} ${event.type}`)] },
  });
  await store.publish("a", Paid());
  await store.appendAll([
    { streamId: "b", events: [Paid(), Sent()] },
    { streamId: "c", events: Sent() },
  ]);
  assert.deepEqual(called, ["a Paid", "b Paid", "b Sent", "c Sent"]);
});

test("append() gives handlers the recorded event and the driver's database handle", async () => {
  const db = { name: "db" };
  const seen: unknown[] = [];
  const store = new EventStore(memory({ db }), {
    events,
    subscriptions: {
      Placed: [(event, context) => void seen.push(event, context.db)],
    },
  });
  const { events: [event] } = await store.append("order:1", Placed({ sku: "a" }));
  assert.deepEqual(seen, [event, db]);
});

test("append() stores nothing when a handler throws", async () => {
  for (const fail of [() => Promise.reject(new Error("no")), () => assert.fail("no")]) {
    const store = new EventStore(memory(), {
      events,
      subscriptions: {
        Placed: [async (_event, { store }) => void await store.append("log", Paid())],
        Sent: [fail],
      },
    });
    await assert.rejects(store.append("a", [Placed({ sku: "a" }), Sent()]), { message: "no" });
    await assert.rejects(store.publish("a", [Sent()]), { message: "no" });
    const both = [{ streamId: "a", events: Paid() }, { streamId: "b", events: Sent() }] as const;
    await assert.rejects(store.appendAll(both), { message: "no" });
    assert.deepEqual(await store.streams(), []);
    assert.equal((await store.append("a", Paid())).version, 1);
  }
});

test("append() inside a transaction undoes itself alone when a handler throws and that is caught", async () => {
  const store = new EventStore(memory(), {
    events,
    subscriptions: {
      Sent: [async (_event, { store }) => {
        await store.append("log", Paid());
        throw new Error("no");
      }],
    },
  });
  await store.transaction(async ({ store }) => {
    await store.append("a", Paid());
    await assert.rejects(store.append("a", [Paid(), Sent()]), { message: "no" });
    assert.deepEqual([await store.version("a"), await store.version("log")], [1, 0]);
    await store.append("a", Placed({ sku: "a" }));
  });
  assert.deepEqual(types(await store.load("a")), ["Paid", "Placed"]);
  assert.equal(await store.version("log"), 0);
});

test("append() calls the handlers of what handlers append", async () => {
  const called: string[] = [];
  const store = new EventStore(memory(), {
    events,
    subscriptions: {
      "Placed": [async (_event, { store }) => void await store.append("a", Paid())],
      "Paid": [async (_event, { store }) => void await store.append("a", Sent())],
      "*": [({ type, version }) => void called.push(`${type} ${version}`)],
    },
  });
  const { version } = await store.append("a", Placed({ sku: "a" }));
  assert.equal(version, 1);
  assert.deepEqual(called, ["Sent 3", "Paid 2", "Placed 1"]);
  assert.deepEqual(types(await store.load("a")), ["Placed", "Paid", "Sent"]);
});

test("EventStore calls a listed handler for its types and its categories", async () => {
  const called: string[] = [];
  const note = (name: string) => ({ type }: { readonly type: string }) =>
    void called.push(`${name} ${type}`);
  const store = new EventStore(memory(), {
    events,
    subscriptions: [
      { types: ["Paid", "Sent"], handler: note("types") },
      { categories: ["order", ""], handler: note("categories") },
      { types: ["Sent"], categories: ["parcel"], handler: note("both") },
      { types: [], handler: note("never") },
      { categories: [], handler: note("never") },
      { handler: note("every") },
    ],
  });
  await store.append("order:1", Placed({ sku: "a" }));
  assert.deepEqual(called.splice(0), ["categories Placed", "every Placed"]);
  await store.append("parcel:1", Sent());
  assert.deepEqual(called.splice(0), ["types Sent", "both Sent", "every Sent"]);
  await store.append("loose", Paid());
  assert.deepEqual(called.splice(0), ["types Paid", "categories Paid", "every Paid"]);
  await store.append("other:1", Placed({ sku: "a" }));
  assert.deepEqual(called.splice(0), ["every Placed"]);
});

test("EventStore throws TypeError when a subscription is wrong", () => {
  const wrong: readonly unknown[] = [
    "text",
    null,
    { Paid: () => {} },
    { Paid: ["text"] },
    { Unknown: [() => {}] },
    [{ types: ["Unknown"], handler: () => {} }],
    [{ types: "Paid", handler: () => {} }],
    [{ categories: "order", handler: () => {} }],
    [{ types: ["Paid"] }],
  ];
  for (const subscriptions of wrong) {
    const make = () => new EventStore(memory(), { events, subscriptions: subscriptions as never });
    assert.throws(make, TypeError, JSON.stringify(subscriptions));
  }
});

test("EventStore throws UnsupportedError when handlers need transactions that the driver lacks", async () => {
  const driver: Driver<undefined> = Object.assign(memory(), {
    capabilities: { transactions: false },
  });
  const make = (afterCommit: boolean) =>
    new EventStore(driver, { events, subscriptions: [{ afterCommit, handler: () => {} }] });
  assert.throws(() => make(false), { code: "UNSUPPORTED" });
  assert.equal((await make(true).append("a", Paid())).version, 1);
});

test("append() does not wait for a handler that another append is waiting for", async () => {
  const store = new EventStore(memory(), {
    events,
    subscriptions: { Placed: [async (_event, { store }) => void await store.append("b", Paid())] },
  });
  const given = Array.from({ length: 10 }, () => store.append("a", Placed({ sku: "a" })));
  await Promise.all(given);
  assert.deepEqual([await store.version("a"), await store.version("b")], [10, 10]);
});

test("append() calls each handler once for each of many events", async () => {
  let called = 0;
  const store = new EventStore(memory(), {
    events,
    subscriptions: { Paid: [() => void called++] },
  });
  await store.append("a", many(500));
  assert.equal(called, 500);
});
