import assert from "node:assert/strict";
import { test } from "node:test";
import { memory } from "../../drivers/memory/mod.ts";
import {
  Aggregate,
  decider,
  defineEvent,
  type EventOf,
  EventStore,
  Outbox,
  Repository,
  Subscription,
  type TraceNode,
} from "../../mod.ts";

const Placed = defineEvent("Placed");
const Reserved = defineEvent("Reserved");
const Paid = defineEvent("Paid");
const Shipped = defineEvent("Shipped");
const Noted = defineEvent("Noted");
const events = [Placed, Reserved, Paid, Shipped, Noted] as const;

class Order extends Aggregate<EventOf<typeof events[number]>> {
  static readonly category = "order";
  protected apply(): void {}
  ship(): void {
    this.emit(Shipped());
  }
}

const payment = decider({
  category: "payment",
  initialState: () => 0,
  evolve: (count: number, _: EventOf<typeof Paid>) => count + 1,
  decide: (_command: "pay") => Paid(),
});

type Tree = readonly [type: string, ...Tree[]];
const shape = (nodes: readonly TraceNode[]): readonly Tree[] =>
  nodes.map(({ event, effects }): Tree => [event.type, ...shape(effects)]);

test("trace() follows a flow through handlers, consumers, repositories, deciders and the outbox", async () => {
  const store = new EventStore(memory(), {
    events,
    publishes: true,
    subscriptions: {
      Placed: [(_, { store }) => store.append("stock:1", Reserved())],
    },
  });
  const paying = new Subscription(store, {
    name: "paying",
    types: ["Reserved"],
    handler: (_, { store }) => payment.handle(store, "1", "pay"),
  });
  const shipping = new Subscription(store, {
    name: "shipping",
    types: ["Paid"],
    transaction: true,
    handler: (_, { store }) => new Repository(store, Order).aggregate("1", (order) => order.ship()),
  });
  const elsewhere = new EventStore(memory(), { events });
  const outbox = new Outbox(store, {
    publisher: async ({ id, metadata, type }) => {
      // The receiver's own store, which continues the flow by what the message carries.
      const { correlationId } = metadata;
      if (type === "Shipped") {
        const metadata = { correlationId, causationId: id };
        await elsewhere.append("n", Noted(undefined, { metadata }));
      }
    },
  });
  const { events: [placed] } = await store.append("order:1", Placed());
  for (const consumer of [paying, shipping, outbox]) await consumer.drain();

  const trace = await store.trace(placed.id);
  assert.deepEqual(shape(trace!.roots), [["Placed", ["Reserved", ["Paid", ["Shipped"]]]]]);
  assert.deepEqual([trace!.events, trace!.complete], [4, true]);
  const received = await elsewhere.trace(placed.id);
  assert.deepEqual(shape(received!.roots), [["Noted"]]);
});

test("trace() says that a flow of more than 10,000 events is not complete, however deep it is", async () => {
  const store = new EventStore(memory(), { events });
  const chain = (from: number, to: number) =>
    Array.from({ length: to - from }, (_, index) =>
      Noted(undefined, {
        id: String(from + index),
        metadata: { correlationId: "0", causationId: String(from + index - 1) },
      }));
  await store.append("a", chain(0, 10_000));
  const whole = await store.trace("0");
  assert.deepEqual([whole!.events, whole!.complete], [10_000, true]);
  await store.append("a", chain(10_000, 10_001));
  const part = await store.trace("0");
  assert.deepEqual([part!.events, part!.complete], [10_000, false]);
  let depth = 0;
  for (let nodes = part!.roots; nodes.length > 0; nodes = nodes[0]!.effects) depth++;
  assert.equal(depth, 10_000);
});
