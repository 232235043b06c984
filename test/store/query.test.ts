import assert from "node:assert/strict";
import { test } from "node:test";
import { memory } from "../../drivers/memory/mod.ts";
import {
  type AppendCondition,
  defineEvent,
  type EventOf,
  type EventQuery,
  EventStore,
  isEventSourceryError,
  type MatchOf,
  type RecordedEvent,
  type UnknownEvent,
} from "../../mod.ts";
import { expectType, same } from "../types/expect.ts";
import { watch } from "../support/raw.ts";

const Placed = defineEvent<{ sku: string }>()("Placed");
const Shipped = defineEvent<{ at: string }>()("Shipped");
const Invited = defineEvent("Invited");
type Placed = EventOf<typeof Placed>;
type Shipped = EventOf<typeof Shipped>;
type Invited = EventOf<typeof Invited>;
type AppEvent = Placed | Shipped | Invited;

const events = [Placed, Shipped, Invited] as const;
const open = () => new EventStore(memory(), { events });

test("query() gives the events of its types when every item names some", async () => {
  const store = open();
  const one = await store.query({ types: ["Placed"], tags: ["a"] });
  expectType<readonly RecordedEvent<Placed>[]>()(one.events);
  const two = await store.query([{ types: ["Placed"] }, { types: ["Shipped", "Placed"] }]);
  expectType<readonly RecordedEvent<Placed | Shipped>[]>()(two.events);
  const all = await store.query([{ types: ["Placed"] }, { tags: ["a"] }]);
  expectType<readonly RecordedEvent<AppEvent>[]>()(all.events);
  expectType<AppendCondition>()(all.condition);
  const any: EventQuery<AppEvent["type"]> = { tags: ["a"] };
  expectType<readonly RecordedEvent<AppEvent>[]>()((await store.query(any)).events);
  const types: readonly ("Placed" | "Invited")[] = ["Placed"];
  expectType<readonly RecordedEvent<Placed | Invited>[]>()((await store.query({ types })).events);
  // @ts-expect-error: no event of the store has this type.
  await assert.rejects(store.query({ types: ["Plced"] }));
  // @ts-expect-error: not in a list either.
  await assert.rejects(store.query([{ types: ["Placed"] }, { types: ["Plced"] }]));
  same<MatchOf<AppEvent | UnknownEvent, { readonly types: readonly ["?Old"] }>, UnknownEvent>();
});

const malformed: readonly [unknown, typeof TypeError | typeof RangeError | string][] = [
  [{}, TypeError],
  [[], TypeError],
  [[{}], TypeError],
  [[{ tags: ["a"] }, {}], TypeError],
  [{ types: [] }, TypeError],
  [{ tags: [] }, TypeError],
  [{ types: ["Placed"], tags: [] }, TypeError],
  [undefined, TypeError],
  [null, TypeError],
  ["Placed", TypeError],
  [{ tags: "a" }, TypeError],
  [{ tags: [1] }, TypeError],
  [{ tags: [""] }, RangeError],
  [{ tags: ["a\0"] }, TypeError],
  [{ tags: ["a".repeat(600)] }, RangeError],
  [Array.from({ length: 17 }, () => ({ tags: ["a"] })), RangeError],
  [[, { tags: ["a"] }], TypeError],
  [{ types: ["Nope"] }, "UNKNOWN_EVENT_TYPE"],
  [{ types: ["?Placed"] }, "UNKNOWN_EVENT_TYPE"],
];

test("query() and conditions refuse a malformed query, and send nothing", async () => {
  const { driver, requests } = watch(memory());
  const store = new EventStore(driver, { events });
  for (const [query, expected] of malformed) {
    const condition = { query: query as EventQuery, after: 0 };
    const calls = [
      () => store.query(query as { tags: [] }),
      () => store.append("a", Invited(), { condition }),
      () => store.publish("a", Invited(), { condition }),
      () => store.appendAll([{ streamId: "a", events: Invited() }], { condition }),
    ];
    for (const call of calls) {
      await assert.rejects(
        call,
        (error) =>
          typeof expected === "string"
            ? isEventSourceryError(error) && error.code === expected
            : error instanceof expected,
        JSON.stringify(query),
      );
    }
  }
  assert.deepEqual(requests, []);
});

test("append() refuses a malformed condition, and sends nothing", async () => {
  const { driver, requests } = watch(memory());
  const store = new EventStore(driver, { events });
  const query = { tags: ["a"] };
  const conditions: readonly unknown[] = [
    null,
    "a",
    [],
    query,
    { query },
    { query, after: -1 },
    { query, after: "0" },
    { query, after: 0, seen: "1" },
    { query, after: 0, seen: [0] },
    { query, after: 0, seen: [1.5] },
    { query, after: 0, seen: [, 1] },
  ];
  for (const given of conditions) {
    const condition = given as AppendCondition;
    const call = store.append("a", Invited(), { condition });
    await assert.rejects(
      call,
      (error) => error instanceof TypeError || error instanceof RangeError,
    );
  }
  const condition = { query, after: 0 };
  const appends = [{ streamId: "a", events: Invited(), condition }];
  await assert.rejects(store.appendAll(appends), /condition belongs to the whole step/);
  assert.deepEqual(requests, []);
});

test("query() keeps what it checked when the caller changes the query", async () => {
  const store = open();
  const query = { tags: ["a"] };
  const { condition } = await store.query(query);
  query.tags[0] = "b";
  assert.deepEqual(condition, { query: { tags: ["a"] }, after: 0, seen: [] });
});

test("query() and conditions ask for all names under which a type is stored", async () => {
  const driver = memory();
  const Called = defineEvent("Called");
  const Renamed = defineEvent<undefined>()("Invited", { aliases: ["Called"] });
  const old = new EventStore(driver, { events: [Called] });
  const store = new EventStore(driver, { events: [Renamed] });
  const query = { types: ["Invited"] } as const;
  const before = await store.query(query);
  await old.append("a", Called());
  const { events } = await store.query(query);
  assert.deepEqual(events.map(({ type }) => type), ["Invited"]);
  await assert.rejects(
    store.append("a", Renamed(), before),
    (error) => isEventSourceryError(error, "CONCURRENCY") && error.condition?.type === "Called",
  );
});

test("query() finds events of types that the store does not know, and keeps", async () => {
  const driver = memory();
  await new EventStore(driver, { events }).append("a", Invited());
  const store = new EventStore(driver, { events: [Placed], unknownEvents: "keep" });
  const { events: found } = await store.query({ types: ["?Invited"] });
  expectType<readonly RecordedEvent<UnknownEvent>[]>()(found);
  assert.equal(found.length, 1);
});
