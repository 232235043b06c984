// Orders, payments and invoices that do not know each other. One is down for a while, and goes on where it was.
import { type Consumer, EventStore, Subscription } from "event-sourcery";
import { memory } from "event-sourcery/memory";
import assert from "node:assert/strict";
import { events, InvoiceIssued } from "./shop/events.ts";
import { invoices } from "./shop/invoices.ts";
import { orders, placeOrder } from "./shop/orders.ts";
import { payments } from "./shop/payments.ts";

// With a database in place of `memory()`, each module may as well run in a process of its own.
const store = new EventStore(memory(), { events });

// The payment company: it refuses one customer, counts what it took, and is not always there.
const company = { up: true, took: new Map<string, number>() };
async function charge(reference: string, customer: string, cents: number): Promise<boolean> {
  if (!company.up) throw new Error("The payment company does not answer");
  if (customer === "Mallory") return false;
  company.took.set(reference, cents);
  return true;
}

/** Runs modules until there is nothing left to do: what one of them writes may concern another. */
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

// An order sets all of it in motion; nobody called anybody.
const others = [orders(store), invoices(store)];
await placeOrder(store, "1", { customer: "Ada", cents: 10_00 });
await placeOrder(store, "2", { customer: "Mallory", cents: 20_00 });
await settle([payments(store, charge), ...others]);
assert.deepEqual(await invoiced(), ["order:1"]);
assert.equal((await store.load("order:2")).at(-1)?.type, "OrderCancelled");

// Payments are down, as when their process is replaced. Orders are placed all the same, the rest of the shop runs.
await placeOrder(store, "3", { customer: "Grace", cents: 30_00 });
await settle(others);
assert.deepEqual(await invoiced(), ["order:1"]);

// They come back, made anew, and go on where they were: what they missed has waited, nothing is done twice.
const again = payments(store, charge);
assert.equal((await again.drain()).handled, 1);
await settle(others);
assert.deepEqual(await invoiced(), ["order:1", "order:3"]);

// Or they are up, and what they need is not: the same, however long that takes.
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

// A new module, added without a change anywhere. It begins at the first event, or with what comes from now on.
const mails: string[] = [];
const mailer = new Subscription(store, {
  name: "mailer",
  types: ["OrderPlaced"],
  handler: ({ data }) => mails.push(`Thank you, ${data.customer}`),
});
await mailer.drain();
assert.equal(mails.length, 5);

// Everything that came of an order can be followed.
const flow: string[] = [];
const [placed] = await store.load("order:5");
for await (const event of store.readAll()) {
  if (event.metadata.correlationId === placed?.id || event.id === placed?.id) flow.push(event.type);
}
assert.deepEqual(flow, ["OrderPlaced", "PaymentReceived", "InvoiceIssued"]);
console.log("Order 5:", flow.join(" -> "));
console.log("Five orders, four payments, four invoices without a hole, one cancelled");
