// Events that happen later: a reminder that is due, one that is taken back, and two workers that deliver each once.
import { defineEvent, EventStore, Scheduler } from "event-sourcery";
import { memory } from "event-sourcery/memory";
import assert from "node:assert/strict";

const InvoiceIssued = defineEvent<{ cents: number }>()("InvoiceIssued");
const InvoicePaid = defineEvent("InvoicePaid");
const ReminderSent = defineEvent("ReminderSent");
const reminded: string[] = [];
const store = new EventStore(memory(), {
  events: [InvoiceIssued, InvoicePaid, ReminderSent],
  subscriptions: { ReminderSent: [({ streamId }) => reminded.push(streamId)] },
});

/** Issues an invoice and schedules its reminder: both are stored, or none. */
async function issue(number: number, dueAt: Date): Promise<void> {
  await store.transaction(async ({ store }) => {
    await store.append(`invoice:${number}`, InvoiceIssued({ cents: 100 * number }));
    const reminder = ReminderSent(undefined, { id: `invoice-${number}-reminder` });
    await store.schedule(`invoice:${number}`, reminder, { at: dueAt });
  });
}

/** Says whether the reminder was taken back in time. */
async function pay(number: number): Promise<boolean> {
  return await store.transaction(async ({ store }) => {
    await store.append(`invoice:${number}`, InvoicePaid());
    return await store.unschedule(`invoice-${number}-reminder`);
  });
}

const yesterday = new Date(Date.now() - 86_400_000);
const nextWeek = new Date(Date.now() + 7 * 86_400_000);
for (const number of [1, 2]) await issue(number, yesterday);
for (const number of [3, 4]) await issue(number, nextWeek);
assert.equal(await pay(2), true);

const workers = [new Scheduler(store), new Scheduler(store)];
const results = await Promise.all(workers.map((worker) => worker.runOnce()));
assert.equal(results.reduce((sum, { delivered }) => sum + delivered, 0), 1);
assert.deepEqual(reminded, ["invoice:1"]);
assert.equal(await pay(1), false); // too late: it was sent
assert.equal(await pay(3), true);

const { waiting, next } = await workers[0]!.status();
assert.deepEqual([waiting, next! > new Date()], [1, true]);
console.log("One reminder was sent, two were taken back in time, one waits.");
