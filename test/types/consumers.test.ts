import assert from "node:assert/strict";
import { test } from "node:test";
import { memory } from "../../drivers/memory/mod.ts";
import {
  Consumer,
  type ConsumerContext,
  defineEvent,
  type ErrorContext,
  type EventOf,
  EventStore,
  Outbox,
  Projection,
  type RecordedEvent,
  Subscription,
} from "../../mod.ts";
import { webhook } from "../../src/publishers/mod.ts";
import { expectType, refuses } from "./expect.ts";

const Placed = defineEvent<{ sku: string }>()("Placed");
const Shipped = defineEvent<{ at: Date }>()("Shipped");

type Placed = EventOf<typeof Placed>;
type Shipped = EventOf<typeof Shipped>;
type AppEvent = Placed | Shipped;

const receiver = { source: "/shop", url: "https://partner.example", secret: "" };
const db = new Map<string, number>();
const store = new EventStore(memory({ db }), { events: [Placed, Shipped] });

test("consumers infer their events and the database handle from the store", async () => {
  const narrowed = new Subscription(store, {
    name: "narrowed",
    types: ["Placed"],
    handler: (event, context) => {
      expectType<RecordedEvent<Placed>>()(event);
      expectType<ConsumerContext<AppEvent, typeof db>>()(context);
    },
  });
  const whole = new Subscription(store, {
    name: "whole",
    handler: (event) => expectType<RecordedEvent<AppEvent>>()(event),
  });
  const outbox = new Outbox(store, {
    publisher: (event) => expectType<RecordedEvent<AppEvent>>()(event),
  });
  const batches = new Outbox(store, {
    name: "batches",
    publishBatch: (events) => expectType<readonly RecordedEvent<AppEvent>[]>()(events),
  });
  const projection = new Projection(store, {
    name: "model",
    handlers: { Placed: ({ data }, { db }) => db.set(data.sku, 1) },
    reset: ({ db }) => db.clear(),
    onFilterChange: "rebuild",
  });
  const all: readonly Consumer[] = [narrowed, whole, outbox, batches, projection];
  for (const consumer of all) {
    assert.ok(consumer instanceof Consumer);
    assert.equal((await consumer.runOnce()).handled, 0);
  }
  const annotated: readonly [Outbox, Subscription, Projection<AppEvent, typeof db>] = [
    outbox,
    narrowed,
    projection,
  ];
  assert.ok(annotated[0] instanceof Outbox && annotated[1] instanceof Subscription);
});

test("consumers do not compile when they are misused", () => {
  refuses(() => {
    // @ts-expect-error a consumer of no kind
    new Consumer();
    // @ts-expect-error a type that the store does not have
    new Subscription(store, { name: "a", types: ["Paid"], handler() {} });
    // @ts-expect-error only a projection can be rebuilt
    new Subscription(store, { name: "a", handler() {}, onFilterChange: "rebuild" });
    // @ts-expect-error the same of an outbox
    new Outbox(store, { publisher() {}, onFilterChange: "rebuild" });
    // @ts-expect-error the store has a type that the publisher cannot encode
    new Outbox(store, { publisher: webhook({ ...receiver, events: [Placed] }) });
    new Outbox(store, { publisher: webhook({ ...receiver, events: [Placed, Shipped] }) });
    // @ts-expect-error what became `onFilterChange`
    new Projection(store, { name: "a", handlers: {}, acceptFilter: true });
    // @ts-expect-error what only one of the types has
    new Subscription(store, { name: "a", handler: ({ data }) => data.sku });
  });
});

test("onError is given a context whose event may be all of it, or what identifies it", () => {
  const onError = (_error: unknown, { phase, event, retryAt }: ErrorContext) => {
    expectType<"handle" | "pass" | "lease" | "outbox">()(phase);
    expectType<number | undefined>()(event?.position);
    expectType<Date | undefined>()(retryAt);
  };
  const outbox = new Outbox(store, { name: "told", publisher() {} });
  assert.equal(typeof outbox.run, "function");
  refuses(() => void outbox.run({ onError }));
});
