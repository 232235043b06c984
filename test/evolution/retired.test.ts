import assert from "node:assert/strict";
import { test } from "node:test";
import { memory } from "../../drivers/memory/mod.ts";
import {
  Aggregate,
  decider,
  defineEvent,
  DuplicateEventTypeError,
  type EventOf,
  EventStore,
  Repository,
  UnknownEventTypeError,
} from "../../mod.ts";
import { all } from "../support/shop.ts";

const Added = defineEvent<number>()("Added");
const Viewed = defineEvent<{ by: string }>()("Viewed");

async function setUp() {
  const driver = memory();
  const before = new EventStore(driver, { events: [Added, Viewed] });
  await before.append("cart:1", [Added(1), Viewed({ by: "Ada" }), Added(2), Viewed({ by: "Al" })]);
  return { driver, store: new EventStore(driver, { events: [Added], retired: ["Viewed"] }) };
}

test("load() and readAll() read retired events under their own numbers", async () => {
  const { store } = await setUp();
  const read = await store.load("cart:1");
  assert.deepEqual(read.map(({ type, version }) => [type, version]), [
    ["Added", 1],
    ["?Viewed", 2],
    ["Added", 3],
    ["?Viewed", 4],
  ]);
  assert.deepEqual(read[1]?.data, { by: "Ada" });
  const found = await all(store.readAll({ types: ["?Viewed"] }));
  assert.deepEqual(found.map(({ position }) => position), [2, 4]);
});

test("repositories and deciders pass retired events over, and append behind them", async () => {
  class Cart extends Aggregate<EventOf<typeof Added>> {
    static readonly category = "cart";
    sum = 0;
    protected apply({ data }: EventOf<typeof Added>): void {
      this.sum += data;
    }
    add(): void {
      this.emit(Added(this.sum));
    }
  }
  const { store } = await setUp();
  await new Repository(store, Cart).aggregate("1", (cart) => cart.add());
  const adding = decider({
    category: "cart",
    initialState: () => 0,
    evolve: (sum, { data }: EventOf<typeof Added>) => sum + data,
    decide: (_: "add", sum) => Added(sum),
  });
  await adding.handle(store, "1", "add");
  const last = (await store.load("cart:1")).filter(Added.is).at(-1);
  assert.deepEqual([last?.version, last?.data], [6, 6]);
});

test("EventStore still refuses unknown events that are not retired, and names in use", async () => {
  const { driver, store } = await setUp();
  await new EventStore(driver, { events: [defineEvent("Gone")] }).append("cart:1", [
    defineEvent("Gone")(),
  ]);
  await assert.rejects(store.load("cart:1"), UnknownEventTypeError);
  const make = (retired: readonly string[]) => new EventStore(driver, { events: [Added], retired });
  assert.throws(() => make(["Added"]), DuplicateEventTypeError);
  assert.throws(() => make(["?Viewed"]), TypeError);
  assert.throws(() => make([""]), RangeError);
});
