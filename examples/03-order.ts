// An order with lines and a total that is always their sum; its history has all that a table would have.
import { Aggregate, defineEvent, type EventOf, EventStore, Repository } from "event-sourcery";
import { memory } from "event-sourcery/memory";
import assert from "node:assert/strict";
import * as v from "valibot";

const Cents = v.pipe(v.number(), v.integer(), v.minValue(0));
const LineAdded = defineEvent(
  "LineAdded",
  v.strictObject({ sku: v.string(), quantity: v.pipe(v.number(), v.minValue(1)), price: Cents }),
);
const LineRemoved = defineEvent("LineRemoved", v.strictObject({ sku: v.string() }));
const OrderSubmitted = defineEvent("OrderSubmitted", v.strictObject({ total: Cents }));
const orderEvents = [LineAdded, LineRemoved, OrderSubmitted] as const;
type OrderEvent = EventOf<typeof orderEvents[number]>;

class OrderClosed extends Error {}
class LimitExceeded extends Error {}

class Order extends Aggregate<OrderEvent> {
  static readonly category = "order";
  static readonly limit = 1000_00;
  readonly lines = new Map<string, number>();
  total = 0;
  status: "draft" | "submitted" = "draft";

  protected apply(event: OrderEvent): void {
    switch (event.type) {
      case "LineAdded": {
        const { sku, quantity, price } = event.data;
        this.lines.set(sku, (this.lines.get(sku) ?? 0) + quantity * price);
        this.total += quantity * price;
        break;
      }
      case "LineRemoved":
        this.total -= this.lines.get(event.data.sku) ?? 0;
        this.lines.delete(event.data.sku);
        break;
      case "OrderSubmitted":
        this.status = "submitted";
        break;
      default:
        event satisfies never; // a new event that is forgotten here does not compile
    }
  }

  add(sku: string, quantity: number, price: number): void {
    if (this.status !== "draft") throw new OrderClosed();
    if (this.total + quantity * price > Order.limit) throw new LimitExceeded();
    this.emit(LineAdded({ sku, quantity, price }));
  }

  remove(sku: string): void {
    if (this.status !== "draft") throw new OrderClosed();
    if (this.lines.has(sku)) this.emit(LineRemoved({ sku }));
  }

  submit(): void {
    if (this.status === "draft") this.emit(OrderSubmitted({ total: this.total }));
  }
}

// A custom clock lets an hour pass between the commands.
let now = new Date("2026-05-04T09:00:00Z");
const store = new EventStore(memory(), { events: orderEvents, clock: () => now });
const orders = new Repository(store, Order);
const command = async (run: (order: Order) => void): Promise<void> => {
  await orders.aggregate("42", run);
  now = new Date(now.getTime() + 3_600_000);
};

await command((order) => order.add("desk", 1, 249_00));
await command((order) => (order.add("lamp", 2, 39_50), order.add("chair", 1, 129_00)));
await command((order) => order.remove("lamp"));
await command((order) => order.submit());
await assert.rejects(command((order) => order.add("rug", 1, 80_00)), OrderClosed);
await assert.rejects(orders.create("43", (order) => order.add("sofa", 2, 600_00)), LimitExceeded);

// The history, as `select version, created_at, type, data` would show it.
const history = await store.load("order:42");
for (const { version, createdAt, type, data } of history) {
  console.log(version, createdAt.toISOString(), type.padEnd(14), JSON.stringify(data));
}

// Replaying from the start gives the same state, and any earlier state as well.
const order = await orders.load("42");
const sum = (lines: Map<string, number>) => [...lines.values()].reduce((a, b) => a + b, 0);
assert(order?.total === 378_00 && order.status === "submitted" && sum(order.lines) === order.total);

const before = await orders.load("42", { version: 3 });
assert(before?.total === 457_00 && before.lines.has("lamp") && sum(before.lines) === before.total);

const early = await orders.load("42", { at: new Date("2026-05-04T09:30:00Z") });
assert(early?.total === 249_00 && early.version === 1);
assert.equal(await orders.load("42", { at: new Date("2026-05-01T00:00:00Z") }), undefined);

console.log(`Order 42: ${order.total / 100}, at half past nine ${early.total / 100}`);
