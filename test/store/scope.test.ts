import assert from "node:assert/strict";
import { test } from "node:test";
import { memory } from "../../drivers/memory/mod.ts";
import { EventStore } from "../../mod.ts";
import { all, events, ids, many, Paid, Sent, shop, types } from "../support/shop.ts";

/** One store for everyone, and two tenants of it. */
function setUp() {
  const store = shop();
  return { store, a: store.scope({ tenantId: "a" }), b: store.scope({ tenantId: "b" }) };
}

test("scope() parts the streams of tenants", async () => {
  const { store, a, b } = setUp();
  await store.append("order:1", many(1), { expectedVersion: "noStream" });
  await a.append("order:1", many(2), { expectedVersion: "noStream" });
  await b.append("order:1", many(3), { expectedVersion: 0 });
  for (const [index, each] of [store, a, b].entries()) {
    assert.equal((await each.load("order:1")).length, index + 1);
    assert.equal((await all(each.read("order:1"))).length, index + 1);
    assert.equal(await each.version("order:1"), index + 1);
    assert.equal(await each.fold("order:1", 0, (sum) => sum + 1), index + 1);
    assert.deepEqual((await each.streams()).map(({ version }) => version), [index + 1]);
  }
  await assert.rejects(a.append("order:1", Paid(), { expectedVersion: 3 }), { actual: 2 });
});

test("scope() marks events with the tenant", async () => {
  const { store, a } = setUp();
  const { events: [appended] } = await a.append("order:1", Paid());
  const [loaded] = await a.load("order:1");
  assert.deepEqual([appended.tenantId, loaded?.tenantId], ["a", "a"]);
  assert.equal((await store.append("order:1", Paid())).events[0].tenantId, "");
});

test("readAll() gives everyone's events without a scope, and the tenant's with one", async () => {
  const { store, a, b } = setUp();
  for (const each of [a, store, b, a]) await each.append("order:1", Paid());
  const tenants = async (each: typeof store) =>
    (await all(each.readAll())).map(({ tenantId }) => tenantId);
  assert.deepEqual(await tenants(store), ["a", "", "b", "a"]);
  assert.deepEqual(await tenants(a), ["a", "a"]);
  assert.deepEqual(await tenants(b), ["b"]);
  assert.deepEqual(await tenants(store.scope({ tenantId: "" })), [""]);
  assert.deepEqual(await tenants(store.scope({ metadata: { a: 1 } })), ["a", "", "b", "a"]);
});

test("delete() removes the tenant's stream alone", async () => {
  const { store, a, b } = setUp();
  for (const each of [store, a, b]) await each.append("order:1", Paid());
  await a.delete("order:1");
  const versions = [store, a, b].map((each) => each.version("order:1"));
  assert.deepEqual(await Promise.all(versions), [1, 0, 1]);
});

test("append() takes an id that another tenant has", async () => {
  const { store, a, b } = setUp();
  const event = Paid();
  for (const each of [store, a, b]) {
    assert.equal((await each.append("order:1", event)).version, 1);
    assert.equal((await each.append("order:1", event)).version, 1);
  }
  await a.append("order:2", Sent());
  await b.append("order:3", await a.load("order:2"));
  assert.equal((await b.load("order:3"))[0]?.tenantId, "b");
});

test("appendAll() and transaction() keep to the tenant", async () => {
  const { store, a } = setUp();
  await a.appendAll([{ streamId: "x", events: Paid() }, { streamId: "y", events: Paid() }]);
  await a.transaction(async ({ store }) => void await store.append("x", Paid()));
  assert.deepEqual([await a.version("x"), await store.version("x")], [2, 0]);
});

test("scope() throws TypeError when it would change the tenant", () => {
  const { store, a } = setUp();
  assert.throws(() => a.scope({ tenantId: "b" }), TypeError);
  assert.throws(() => a.scope({ tenantId: "" }), TypeError);
  assert.throws(() => store.scope({ tenantId: "" }).scope({ tenantId: "a" }), TypeError);
  a.scope({ tenantId: "a" }).scope({ metadata: {} });
  store.scope({ metadata: {} }).scope({ tenantId: "b" });
});

test("scope() throws when the tenant or the metadata is malformed", () => {
  const { store } = setUp();
  for (const tenantId of ["a\0", "\ud800", "x".repeat(513), 5, null]) {
    const wrong = (error: unknown) => error instanceof TypeError || error instanceof RangeError;
    assert.throws(() => store.scope({ tenantId: tenantId as string }), wrong);
  }
  for (const metadata of ["text", null, [], new Map(), new Date()]) {
    assert.throws(() => store.scope({ metadata: metadata as never }), TypeError);
  }
  assert.throws(() => store.scope({ metadata: { a: () => {} } }), { code: "INVALID_EVENT" });
});

test("scope() stamps metadata, which the event's own overrides", async () => {
  const store = shop().scope({ metadata: { user: "u", from: "outer", correlationId: "outer" } })
    .scope({ metadata: { from: "inner" } });
  await store.append("order:1", [
    Paid(),
    Paid(undefined, { metadata: { user: "own", correlationId: "own", extra: 1 } }),
  ]);
  assert.deepEqual((await store.load("order:1")).map(({ metadata }) => metadata), [
    { user: "u", from: "inner", correlationId: "outer" },
    { user: "own", from: "inner", correlationId: "own", extra: 1 },
  ]);
});

test("scope() keeps its metadata when the caller changes what it gave", async () => {
  const metadata = { nested: { list: [1] } };
  const store = shop().scope({ metadata });
  metadata.nested.list.push(2);
  const { events: [event] } = await store.append("order:1", Paid());
  assert.deepEqual(event.metadata["nested"], { list: [1] });
});

test("scope() leaves the store that it was made of as it was", async () => {
  const { store } = setUp();
  store.scope({ tenantId: "a", metadata: { user: "u" } });
  const { events: [event] } = await store.append("order:1", Paid());
  assert.deepEqual([event.tenantId, event.metadata["user"]], ["", undefined]);
});

test("a handler's store is of its event's tenant", async () => {
  const seen: unknown[] = [];
  const store = new EventStore(memory(), {
    events,
    subscriptions: {
      Paid: [async (event, { store }) => {
        await store.append("log", Sent());
        assert.throws(() => store.scope({ tenantId: "b" }), TypeError);
        seen.push(event.tenantId);
      }],
    },
  });
  const [a, b] = [store.scope({ tenantId: "a" }), store.scope({ tenantId: "b" })];
  await a.append("order:1", Paid());
  await store.append("order:1", Paid());
  assert.deepEqual(seen, ["a", ""]);
  const versions = [a, b, store].map((each) => each.version("log"));
  assert.deepEqual(await Promise.all(versions), [1, 0, 1]);
  assert.deepEqual(types(await a.load("log")), ["Sent"]);
});

test("scope() inside a transaction stays inside it", async () => {
  const { store, a } = setUp();
  const event = Paid();
  const work = store.transaction(async ({ store }) => {
    const inner = store.scope({ tenantId: "a" });
    await inner.append("x", event);
    assert.deepEqual(ids(await inner.load("x")), [event.id]);
    throw new Error("no");
  });
  await assert.rejects(work, { message: "no" });
  assert.equal(await a.version("x"), 0);
});
