// An order that waits for its payment: a process with timeouts, tested without waiting, and stopped in the middle.
import { EventStore, Scheduler } from "event-sourcery";
import { memory } from "event-sourcery/memory";
import { given } from "event-sourcery/testing";
import assert from "node:assert/strict";
import {
  events,
  fulfilment,
  OrderCancelled,
  OrderConfirmed,
  OrderPlaced,
  PaymentReceived,
  PaymentRequested,
  RefundRequested,
  Reminded,
} from "./fulfilment/fulfilment.ts";

// Its rules, with days that pass at once.
const day = 86_400_000;
const inDays = (days: number) => new Date(Date.now() + days * day + 1000);
const patient = fulfilment(new EventStore(memory(), { events }), {
  remind: 3 * day,
  cancel: 7 * day,
});
const placed = OrderPlaced({ orderId: "42", cents: 500 });
const paid = PaymentReceived({ orderId: "42" });
await given(patient).when(placed).emits(PaymentRequested({ cents: 500 }));
await given(patient, placed).when(paid).emits(OrderConfirmed());
await given(patient, placed).at(inDays(3)).emits(Reminded());
await given(patient, placed).at(inDays(7)).emits(Reminded(), OrderCancelled());
await given(patient, [placed, paid]).at(inDays(7)).emitsNothing();
await given(patient, [placed, OrderCancelled()]).when(paid).emits(RefundRequested({ cents: 500 }));

// It runs, with milliseconds for days. Whoever works is stopped in the middle, and others go on.
const store = new EventStore(memory(), { events });
const patience = { remind: 30, cancel: 90 };
const worker = () => ({ process: fulfilment(store, patience), scheduler: new Scheduler(store) });

const first = worker();
const running = [first.process.run(), first.scheduler.run()];
for (const orderId of ["1", "2", "3"]) {
  await store.append(`order:${orderId}`, OrderPlaced({ orderId, cents: 100 }));
}
await store.append("payment:1", PaymentReceived({ orderId: "1" }));
const typesOf = async (orderId: string) =>
  (await store.load(`fulfilment:${orderId}`)).map(({ type }) => type);
const until = async (orderId: string, type: string) => {
  while (!(await typesOf(orderId)).some((found) => found === type)) {
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
};
await until("1", "OrderConfirmed");
await Promise.all([first.process[Symbol.asyncDispose](), first.scheduler[Symbol.asyncDispose]()]);
await Promise.all(running);

const second = worker();
const again = [second.process.run(), second.scheduler.run()];
await until("2", "Reminded");
await store.append("payment:2", PaymentReceived({ orderId: "2" }));
await until("3", "OrderCancelled");
await store.append("payment:3", PaymentReceived({ orderId: "3" })); // too late
await until("3", "RefundRequested");
await Promise.all([second.process[Symbol.asyncDispose](), second.scheduler[Symbol.asyncDispose]()]);
await Promise.all(again);

assert.deepEqual(await typesOf("1"), ["PaymentRequested", "OrderConfirmed"]);
assert.deepEqual(await typesOf("3"), [
  ...["PaymentRequested", "ReminderDue", "Reminded", "PaymentTimedOut", "OrderCancelled"],
  "RefundRequested",
]);
console.log("One paid, one was reminded, one was cancelled, and got its money back.");
