// Events are facts in the past tense, checked by a schema library of your choice.
import { defineEvent, EventStore, InvalidEventError } from "event-sourcery";
import { memory } from "event-sourcery/memory";
import assert from "node:assert/strict";
import { inspect } from "node:util";
import * as v from "valibot";

// Pieces that several events share: coercion, a default, a value type, a custom type.
const Day = v.pipe(v.union([v.date(), v.string()]), v.transform((day) => new Date(day)), v.date());
const Money = v.strictObject({ cents: v.bigint(), currency: v.optional(v.string(), "EUR") });
const OrderId = v.pipe(v.string(), v.regex(/^O-\d+$/, "An order id looks like O-42"));

const SprintStarted = defineEvent(
  "SprintStarted",
  v.strictObject({
    projectKey: v.string(),
    endsAt: Day,
    goals: v.optional(v.array(v.string()), []),
  }),
);
const PaymentFailed = defineEvent(
  "PaymentFailed",
  v.strictObject({ orderId: OrderId, card: v.string(), reason: v.string() }),
);
const OrderCancelled = defineEvent("OrderCancelled", v.strictObject({ orderId: OrderId }));
const InvoiceIssued = defineEvent(
  "InvoiceIssued",
  v.strictObject({
    number: v.string(),
    lines: v.array(v.strictObject({ text: v.string(), price: Money })),
  }),
);

// Defaults are filled in, a date given as text becomes a Date; id and time (UTC) are set automatically.
const sprint = SprintStarted({ projectKey: "PRO", endsAt: "2026-12-01" });
assert.deepEqual(sprint.data.endsAt, new Date(Date.UTC(2026, 11, 1)));
assert.deepEqual(sprint.data.goals, []);
assert.match(sprint.id, /^[0-9a-f-]{36}$/);
assert(Date.now() - sprint.createdAt.getTime() < 60_000);
console.log(sprint); // type, id and time first, then the fields
assert.match(inspect(sprint), /type: [^]* id: [^]* createdAt: [^]* data: [^]* goals: /);

// They can also be given, as when facts are imported from another system.
const given = { id: "2024/117", createdAt: new Date("2024-03-01T12:00:00Z") };
const invoice = InvoiceIssued(
  { number: "117", lines: [{ text: "Desk", price: { cents: 24_900n } }] },
  given,
);
assert.equal(invoice.id, "2024/117");
assert.deepEqual(invoice.createdAt, given.createdAt);

// Invalid data is refused immediately, with the path of every mistake; an unknown key is a mistake, too.
const wrong = { orderId: "42", card: 1234, reason: "expired", cvc: "007" } as unknown;
assert.throws(
  () => PaymentFailed(wrong as Parameters<typeof PaymentFailed>[0]),
  (error) => {
    assert(error instanceof InvalidEventError);
    const paths = error.issues.map(({ path }) => path.join("."));
    assert.deepEqual(paths.toSorted(), ["card", "cvc", "orderId"]);
    assert(error.issues.some(({ message }) => message === "An order id looks like O-42"));
    console.log(error.message); // names the paths, never the data
    return true;
  },
);

// An event cannot be changed, neither before it is stored nor, as seen below, after.
assert.throws(() => Object.assign(sprint.data, { projectKey: "OTHER" }), TypeError);
assert.throws(() => (sprint.data.goals as string[]).push("more"), TypeError);

// A fact is not undone: a failed payment remains; the customer tries another card, or gives up.
const store = new EventStore(memory(), {
  events: [SprintStarted, PaymentFailed, OrderCancelled, InvoiceIssued],
  subscriptions: {
    PaymentFailed: [async ({ streamId, data: { orderId, card } }, { store }) => {
      if (card === "first") {
        await store.append(streamId, PaymentFailed({ orderId, card: "second", reason: "stolen" }));
      } else await store.append(streamId, OrderCancelled({ orderId }));
    }],
  },
});

// Dates, bigints and nested values are read back unchanged.
await store.append("sprint:1", sprint);
await store.append("invoice:117", invoice);
const [started] = (await store.load("sprint:1")).filter(SprintStarted.is);
assert.deepEqual(started?.data, sprint.data);
assert.throws(() => Object.assign(started!.data, { projectKey: "OTHER" }), TypeError);
const [issued] = (await store.load("invoice:117")).filter(InvoiceIssued.is);
assert.deepEqual(issued?.data.lines[0]?.price, { cents: 24_900n, currency: "EUR" });

// All events that follow from one cause share its correlation id; the causation id names the direct cause.
const metadata = { correlationId: "checkout-7", ip: "::1" };
const failed = PaymentFailed({ orderId: "O-42", card: "first", reason: "expired" }, { metadata });
await store.append("order:O-42", failed);
const flow = await store.load("order:O-42");
assert.deepEqual(flow.map(({ type }) => type), [
  "PaymentFailed",
  "PaymentFailed",
  "OrderCancelled",
]);
assert(flow.every((event) => event.metadata.correlationId === "checkout-7"));
assert.equal(flow[1]?.metadata.causationId, flow[0]?.id);
assert.equal(flow[2]?.metadata.causationId, flow[1]?.id);
console.log("checkout-7:", flow.map(({ type }) => type).join(" -> "));
