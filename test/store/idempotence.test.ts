import assert from "node:assert/strict";
import { test } from "node:test";
import { memory } from "../../drivers/memory/mod.ts";
import { EventStore, isEventSourceryError } from "../../mod.ts";
import { watch } from "../support/raw.ts";
import { all, events, ids, many, Paid, Placed, Sent, shop } from "../support/shop.ts";

test("append() gives the first result when the same events come again", async () => {
  const store = shop();
  const given = [Placed({ sku: "a" }), Paid()];
  const first = await store.append("a", given, { expectedVersion: "noStream" });
  await store.append("a", Sent());
  for (const expectedVersion of ["noStream", 0, 3, "any", "streamExists"] as const) {
    assert.deepEqual(await store.append("a", given, { expectedVersion }), first);
  }
  assert.equal(await store.version("a"), 3);
});

test("append() gives the first result when the connection was lost after the commit", async () => {
  const inner = memory();
  const { driver } = watch(inner, async (request) => {
    await inner.append([request]);
    throw new Error("connection lost");
  });
  const given = many(2);
  await assert.rejects(shop(driver).append("a", given, { expectedVersion: 0 }));
  const { version } = await shop(inner).append("a", given, { expectedVersion: 0 });
  assert.equal(version, 2);
});

test("append() calls no handler again when the same events come again", async () => {
  const called: string[] = [];
  const store = new EventStore(memory(), {
    events,
    subscriptions: [
      { handler: ({ id }) => void called.push(id) },
      { afterCommit: true, handler: ({ id }) => void called.push(id) },
    ],
  });
  const event = Paid();
  await store.append("a", event);
  await store.append("a", event);
  assert.deepEqual(called, [event.id, event.id]);
});

test("append() stores the same events once when the store gives ids and times", async () => {
  let made = 0;
  const store = new EventStore(memory(), {
    events,
    generateId: () => `id-${++made}`,
    clock: () => new Date(++made),
  });
  const event = Paid();
  const first = await store.append("a", event);
  assert.deepEqual(await store.append("a", event), first);
  assert.deepEqual(await store.scope({}).append("a", event), first);
});

test("append() gives the result of a part when a part of a stream comes again", async () => {
  const store = shop();
  const [one, two, three] = many(3) as [Paid, Paid, Paid];
  await store.append("a", [one, two, three]);
  const { version, position, events } = await store.append("a", two);
  assert.deepEqual([version, position, ids(events)], [2, 2, [two.id]]);
});

type Paid = ReturnType<typeof Paid>;

test("append() throws DuplicateEventError when an id is taken elsewhere", async () => {
  const store = shop();
  const [one, two] = many(2) as [Paid, Paid];
  await store.append("a", [one, two]);
  const wrong: [streamId: string, events: readonly Paid[]][] = [
    ["b", [one]], // another stream
    ["b", [Paid(), two]], // one of them
    ["a", [two, one]], // another order
    ["a", [one, Paid()]], // more than there was
    ["a", [Paid(), one]],
  ];
  for (const [streamId, events] of wrong) {
    await assert.rejects(store.append(streamId, events), (error: unknown) => {
      assert(isEventSourceryError(error, "DUPLICATE_EVENT"));
      assert([one.id, two.id].includes(error.eventId));
      return !error.retryable;
    });
  }
  assert.equal((await all(store.readAll())).length, 2);
});

test("append() throws DuplicateEventError when the same events stand apart by now", async () => {
  const store = shop();
  const [one, two] = many(2) as [Paid, Paid];
  await store.append("a", one);
  await store.append("a", Sent());
  await store.append("a", two);
  await assert.rejects(store.append("a", [one, two]), { code: "DUPLICATE_EVENT" });
});

test("append() throws DuplicateEventError when one id stands twice in it", async () => {
  const store = shop();
  const event = Paid();
  const other = { ...Sent(), id: event.id };
  await assert.rejects(store.append("a", [event, other]), { code: "DUPLICATE_EVENT" });
  const twice = [{ streamId: "a", events: event }, { streamId: "b", events: other }] as const;
  await assert.rejects(store.appendAll(twice), { code: "DUPLICATE_EVENT", eventId: event.id });
  assert.equal(await store.position(), 0);
});

test("appendAll() gives the first results when the same events come again", async () => {
  const store = shop();
  const given = [
    { streamId: "a", events: many(2), expectedVersion: 0 },
    { streamId: "b", events: Sent(), expectedVersion: "noStream" },
  ] as const;
  const first = await store.appendAll(given);
  await store.append("a", Sent());
  assert.deepEqual(await store.appendAll(given), first);
});

test("appendAll() throws DuplicateEventError when only some of it came before", async () => {
  const store = shop();
  const event = Paid();
  await store.append("a", event);
  const given = [{ streamId: "a", events: event }, { streamId: "b", events: Sent() }] as const;
  await assert.rejects(store.appendAll(given), { code: "DUPLICATE_EVENT" });
  assert.equal(await store.version("b"), 0);
});

test("append() stores the same events twice when the stream was deleted between", async () => {
  const store = shop();
  const event = Paid();
  await store.append("a", event);
  await store.delete("a");
  assert.equal((await store.append("a", event)).version, 1);
  assert.deepEqual(ids(await store.load("a")), [event.id]);
});

test("append() gives the first result inside a transaction too", async () => {
  const store = shop();
  const event = Paid();
  const first = await store.append("a", event);
  await store.transaction(async ({ store }) => {
    assert.deepEqual(await store.append("a", event), first);
    const inside = await store.append("a", Sent());
    assert.deepEqual(await store.append("a", inside.events), inside);
  });
  assert.equal(await store.version("a"), 2);
});
