import assert from "node:assert/strict";
import { test } from "node:test";
import { memory } from "../../drivers/memory/mod.ts";
import {
  EventStore,
  type ExpectedVersion,
  isEventSourceryError,
  type RecordedEvent,
} from "../../mod.ts";
import { watch } from "../support/raw.ts";
import { all, events, ids, many, Paid, Placed, Sent, shop, types } from "../support/shop.ts";

test("append() gives stream, version, position and the recorded events", async () => {
  const store = shop();
  await store.append("other", Paid());
  const placed = Placed({ sku: "a" });
  const result = await store.append("order:1", [placed, Paid()]);
  assert.deepEqual([result.streamId, result.version, result.position], ["order:1", 2, 3]);
  const { streamId, version, position, tenantId, id, data } = result.events[0];
  assert.deepEqual([streamId, version, position, tenantId], ["order:1", 1, 2, ""]);
  assert.deepEqual([id, data], [placed.id, { sku: "a" }]);
  assert(Object.isFrozen(result.events[0]));
});

test("driver is the one that the store was made with, in every scope and transaction", async () => {
  const driver = memory();
  const store = new EventStore(driver, { events });
  assert.equal(store.driver, driver);
  assert.equal(store.scope({ tenantId: "acme" }).driver, driver);
  await store.transaction((inside) => assert.equal(inside.store.driver, driver));
});

test("append() takes one event or several, and a recorded one again", async () => {
  const store = shop();
  await store.append("a", Paid());
  await store.append("a", [Paid(), Sent()] as const);
  const other = shop();
  await other.append("b", await store.load("a"));
  assert.deepEqual(ids(await other.load("b")), ids(await store.load("a")));
});

const forged = { streamId: "order:2", version: 70, position: 900, tenantId: "other" };

for (const tenantId of ["", "acme"]) {
  test(`append() for tenant "${tenantId}" believes no place that an event brings`, async () => {
    const { driver, requests } = watch(memory());
    const store = shop(driver).scope({ tenantId });
    await store.append("order:1", Placed({ sku: "a" }));
    const smuggled = [{ ...Sent(), ...forged }, { ...Paid(), ...forged }] as const;
    const result = await store.append("order:1", smuggled);
    const places = [
      { streamId: "order:1", version: 2, position: 2, tenantId },
      { streamId: "order:1", version: 3, position: 3, tenantId },
    ];
    assert.deepEqual(result.events.map(place), places);
    assert.deepEqual([result.streamId, result.version, result.position], ["order:1", 3, 3]);
    assert.deepEqual((await store.load("order:1")).slice(1).map(place), places);
    assert.deepEqual((await all(store.readAll())).slice(1).map(place), places);
    assert.deepEqual(await store.load("order:2"), []);
    for (const { writes } of requests) {
      for (const event of writes.flatMap(({ events }) => events)) {
        assert.deepEqual(Object.keys(event).filter((field) => field in forged), []);
      }
    }
  });
}

test("append() gives an event read elsewhere a place of its own", async () => {
  const store = shop();
  await store.scope({ tenantId: "other" }).append("order:2", [Paid(), Sent()]);
  const [, read] = await store.scope({ tenantId: "other" }).load("order:2");
  const { events: [copy] } = await shop().append("order:1", read!);
  assert.deepEqual(place(copy), { streamId: "order:1", version: 1, position: 1, tenantId: "" });
});

test("append() tells handlers the store's own place of an event", async () => {
  const seen: unknown[] = [];
  const store = new EventStore(memory(), {
    events,
    subscriptions: { "*": [(event) => void seen.push(place(event))] },
  });
  await store.append("order:1", { ...Paid(), ...forged });
  assert.deepEqual(seen, [{ streamId: "order:1", version: 1, position: 1, tenantId: "" }]);
});

test("append() takes a bare UUID, and any well-formed name, as a stream id", async () => {
  const store = shop();
  const names = [crypto.randomUUID(), "it's", '"%_\\', ":", "a:b:c", " ", "é".repeat(256), "😀"];
  for (const name of names) await store.append(name, Placed({ sku: name }));
  for (const name of names) {
    const [event, ...rest] = await store.load(name);
    assert.deepEqual([event?.streamId, event?.data, rest], [name, { sku: name }, []]);
  }
});

const expectations: readonly [ExpectedVersion, fitsNone: boolean, fitsTwo: boolean][] = [
  ["any", true, true],
  ["noStream", true, false],
  ["streamExists", false, true],
  [0, true, false],
  [1, false, false],
  [2, false, true],
  [3, false, false],
];

for (const [expectedVersion, fitsNone, fitsTwo] of expectations) {
  test(`append() keeps the promise when ${expectedVersion} is expected`, async () => {
    for (const [version, fits] of [[0, fitsNone], [2, fitsTwo]] as const) {
      const store = shop();
      if (version > 0) await store.append("order:1", many(version));
      const appending = store.append("order:1", [Sent(), Sent()], { expectedVersion });
      if (fits) assert.equal((await appending).version, version + 2);
      else {
        const error: unknown = await appending.catch((error) => error);
        assert(isEventSourceryError(error, "CONCURRENCY"));
        const { streamId, expected, actual, retryable, transactionAborted } = error;
        assert.deepEqual([streamId, expected, actual], ["order:1", expectedVersion, version]);
        assert.deepEqual([retryable, transactionAborted], [true, false]);
      }
      assert.equal(await store.version("order:1"), fits ? version + 2 : version);
    }
  });
}

test("append() lets one writer through when several expect the same version", async () => {
  const store = shop();
  const writers = Array.from({ length: 10 }, () => many(2));
  const outcomes = await Promise.allSettled(
    writers.map((events) => store.append("a", events, { expectedVersion: 0 })),
  );
  assert.equal(outcomes.filter(({ status }) => status === "fulfilled").length, 1);
  assert.equal(await store.version("a"), 2);
});

test('append() never conflicts when "any" is expected', async () => {
  const store = shop();
  await Promise.all(Array.from({ length: 10 }, () => store.append("a", many(2))));
  const versions = (await store.load("a")).map(({ version }) => version);
  assert.deepEqual(versions, Array.from({ length: 20 }, (_, index) => index + 1));
});

test('append() sends again what lost a race when "any" is expected', async () => {
  let races = 3;
  const lost = {
    status: "refused",
    conflict: { kind: "race", versions: [0] },
    transactionAborted: false,
  } as const;
  const { driver, requests } = watch(memory(), async () => races-- > 0 ? lost : undefined);
  assert.equal((await shop(driver).append("a", Paid())).version, 1);
  assert.equal(requests.length, 4);
});

test("publish() marks its events for the outbox", async () => {
  const { driver, rows } = watch(memory());
  const store = shop(driver);
  await store.publish("a", [Paid(), Sent()]);
  await store.append("a", Paid());
  assert.deepEqual(rows().map(({ published }) => published), [true, true, false]);
});

test("append() publishes what the store publishes", async () => {
  for (
    const [publishes, expected] of [[true, [true, true]], [undefined, [false, false]]] as const
  ) {
    const { driver, rows } = watch(memory());
    await new EventStore(driver, { events, publishes }).append("a", [Paid(), Sent()]);
    assert.deepEqual(rows().map(({ published }) => published), expected);
  }
  const { driver, rows } = watch(memory());
  const store = new EventStore(driver, { events, publishes: ({ type }) => type === "Sent" });
  await store.append("a", [Paid(), Sent()]);
  assert.deepEqual(rows().map(({ published }) => published), [false, true]);
});

test("appendAll() appends to several streams and answers in order", async () => {
  const store = shop();
  await store.append("b", Paid());
  const results = await store.appendAll([
    { streamId: "b", events: Paid(), expectedVersion: 1 },
    { streamId: "a", events: [Placed({ sku: "a" }), Paid()], expectedVersion: "noStream" },
  ]);
  const shown = results.map(({ streamId, version, events }) => [streamId, version, events.length]);
  assert.deepEqual(shown, [["b", 2, 1], ["a", 2, 2]]);
  assert.deepEqual(types(await store.load("a")), ["Placed", "Paid"]);
});

test("appendAll() stores nothing when one of the streams is elsewhere", async () => {
  const store = shop();
  const appending = store.appendAll([
    { streamId: "a", events: Paid() },
    { streamId: "b", events: Paid(), expectedVersion: 7 },
  ]);
  await assert.rejects(appending, { code: "CONCURRENCY", streamId: "b", expected: 7, actual: 0 });
  assert.deepEqual(await store.streams(), []);
});

test("load() gives an empty list when there is no stream", async () => {
  assert.deepEqual(await shop().load("nothing"), []);
});

test("delete() removes a stream, which starts again at version 1", async () => {
  const store = shop();
  const first = Paid();
  await store.append("a", [first, Sent()]);
  await store.append("b", Paid());
  await store.delete("a");
  assert.deepEqual([await store.version("a"), await store.version("b")], [0, 1]);
  assert.deepEqual((await all(store.readAll())).map(({ streamId }) => streamId), ["b"]);
  const { version, position } = await store.append("a", first, { expectedVersion: "noStream" });
  assert.deepEqual([version, position], [1, 4]);
});

test("delete() does nothing when there is no stream", async () => {
  const store = shop();
  await store.append("a", Paid());
  await store.delete("b");
  assert.equal(await store.version("a"), 1);
});

test("EventStore takes the time from its clock when an event brings none", async () => {
  const clock = () => new Date("2026-01-31T12:00:00.000Z");
  const store = new EventStore(memory(), { events, clock });
  const own = new Date("2020-01-01T00:00:00.000Z");
  await store.append("a", [Paid(), Paid(undefined, { createdAt: own })]);
  const times = (await store.load("a")).map(({ createdAt }) => createdAt);
  assert.deepEqual(times, [clock(), own]);
});

test("EventStore takes ids from generateId when an event brings none", async () => {
  let made = 0;
  const store = new EventStore(memory(), { events, generateId: () => `id-${++made}` });
  const { events: stored } = await store.append("a", [Paid(), Paid(undefined, { id: "own" })]);
  assert.deepEqual(ids(stored), ["id-1", "own"]);
  assert.equal(stored[0].metadata.correlationId, "id-1");
  assert.deepEqual(ids(await store.load("a")), ["id-1", "own"]);
});

test("EventStore takes an event that was made by hand as it is when it has a clock", async () => {
  const store = new EventStore(memory(), { events, clock: () => new Date(0) });
  const byHand = { ...Paid(), createdAt: new Date(5) };
  await store.append("a", byHand);
  await store.append("a", { ...byHand, id: "another" });
  byHand.id = "changed";
  await store.append("a", byHand);
  assert.deepEqual(ids(await store.load("a")).slice(1), ["another", "changed"]);
  for (const { createdAt } of await store.load("a")) assert.deepEqual(createdAt, new Date(5));
});

/** Where an event says that it is stored. */
function place({ streamId, version, position, tenantId }: RecordedEvent) {
  return { streamId, version, position, tenantId };
}
