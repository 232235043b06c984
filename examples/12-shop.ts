// Orders, payments and invoices that do not know each other. One is down for a while, then resumes where it stopped.
import { type Consumer, EventStore, Subscription } from "event-sourcery";
import { memory } from "event-sourcery/memory";
import assert from "node:assert/strict";
import { events, InvoiceIssued } from "./shop/events.ts";
import { invoices } from "./shop/invoices.ts";
import { orders, placeOrder } from "./shop/orders.ts";
import { payments } from "./shop/payments.ts";

// With a database in place of `memory()`, each module can run in its own process.
const store = new EventStore(memory(), { events });

// The payment company: it refuses one customer, counts its payments, and is not always reachable.
const company = { up: true, took: new Map<string, number>() };
async function charge(reference: string, customer: string, cents: number): Promise<boolean> {
  if (!company.up) throw new Error("The payment company does not answer");
  if (customer === "Mallory") return false;
  company.took.set(reference, cents);
  return true;
}

/** Runs modules until none has anything left to do: the events of one may be for another. */
async function settle(modules: readonly Consumer[]): Promise<void> {
  while (true) {
    const results = await Promise.all(modules.map((module) => module.drain()));
    if (results.every(({ handled }) => handled === 0)) return;
  }
}

async function invoiced(): Promise<readonly string[]> {
  const issued = (await store.load("invoices")).filter(InvoiceIssued.is);
  assert(issued.every(({ data, version }) => data.number === version)); // no number is left out
  return issued.map(({ data }) => data.order);
}

// An order triggers everything; no module calls another.
const others = [orders(store), invoices(store)];
await placeOrder(store, "1", { customer: "Ada", cents: 10_00 });
await placeOrder(store, "2", { customer: "Mallory", cents: 20_00 });
await settle([payments(store, charge), ...others]);
assert.deepEqual(await invoiced(), ["order:1"]);
assert.equal((await store.load("order:2")).at(-1)?.type, "OrderCancelled");

// Payments are down, as when their process is replaced. Orders can still be placed, and the rest of the shop works.
await placeOrder(store, "3", { customer: "Grace", cents: 30_00 });
await settle(others);
assert.deepEqual(await invoiced(), ["order:1"]);

// A new instance starts and resumes where the old one stopped: no event is missed, none is handled twice.
const again = payments(store, charge);
assert.equal((await again.drain()).handled, 1);
await settle(others);
assert.deepEqual(await invoiced(), ["order:1", "order:3"]);

// If payments are up but the company is down, the same holds, however long it takes.
company.up = false;
await placeOrder(store, "4", { customer: "Alan", cents: 40_00 });
await placeOrder(store, "5", { customer: "Edsger", cents: 50_00 });
for (let night = 0; night < 100; night++) await again.runOnce();
assert.equal((await again.status()).retrying, 2);
console.log("While payments are down:", (await invoiced()).length, "invoices");
company.up = true;
await settle([again, ...others]);
assert.deepEqual((await invoiced()).toSorted(), ["order:1", "order:3", "order:4", "order:5"]);
assert.deepEqual([...company.took.values()].toSorted(), [10_00, 30_00, 40_00, 50_00]);

// A new module, added without changing the others. It starts at the first event, or with new events only.
const mails: string[] = [];
const mailer = new Subscription(store, {
  name: "mailer",
  types: ["OrderPlaced"],
  handler: ({ data }) => mails.push(`Thank you, ${data.customer}`),
});
await mailer.drain();
assert.equal(mails.length, 5);

// Everything that followed from an order can be traced.
const flow: string[] = [];
const [placed] = await store.load("order:5");
for await (const event of store.readAll()) {
  if (event.metadata.correlationId === placed?.id || event.id === placed?.id) flow.push(event.type);
}
assert.deepEqual(flow, ["OrderPlaced", "PaymentReceived", "InvoiceIssued"]);
console.log("Order 5:", flow.join(" -> "));
console.log("Five orders, four payments, four invoices without a hole, one cancelled");
