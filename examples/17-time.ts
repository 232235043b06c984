// Time travel: one account, a report and a whole read model, as they were.
import { defineEvent, EventStore } from "event-sourcery";
import { memory } from "event-sourcery/memory";
import assert from "node:assert/strict";

const Deposited = defineEvent<number>()("Deposited");
const Withdrawn = defineEvent<number>()("Withdrawn");
let now = new Date("2026-01-01T00:00:00Z");
const store = new EventStore(memory(), { events: [Deposited, Withdrawn], clock: () => now });

// A year in which Ada and Grace deposit on each first, and Ada withdraws in June.
for (let month = 1; month <= 12; month++) {
  now = new Date(Date.UTC(2026, month - 1, 1, 9));
  await store.append("account:ada", Deposited(100));
  await store.append("account:grace", Deposited(10));
  if (month === 6) await store.append("account:ada", Withdrawn(50));
}
const march = new Date("2026-03-31T23:59:59Z");
const july = new Date("2026-07-01T00:00:00Z");

// One stream, as of an instant: exact, whatever times its events have.
const balance = (at?: Date) =>
  store.fold(
    "account:ada",
    0,
    (sum, event) => sum + (event.type === "Deposited" ? event.data : -event.data),
    { at },
  );
assert.equal(await balance(march), 300);
assert.equal(await balance(july), 550);
assert.equal(await balance(), 1150);

// What happened in a time: since and until are both included.
let second = 0;
for await (const { type, data } of store.readAll({ since: march, until: july })) {
  second += type === "Deposited" ? data : -data;
}
assert.equal(second, 3 * 110 - 50);

// A read model as it was: the same fold over the log, up to the instant.
async function balances(until?: Date): Promise<Map<string, number>> {
  const found = new Map<string, number>();
  for await (const { streamId, type, data } of store.readAll({ until })) {
    const change = type === "Deposited" ? data : -data;
    found.set(streamId, (found.get(streamId) ?? 0) + change);
  }
  return found;
}
assert.deepEqual(Object.fromEntries(await balances(july)), {
  "account:ada": 550,
  "account:grace": 60,
});

// An instant as a position, which all else that reads the log takes.
const position = await store.positionAt(july);
let later = 0;
for await (const _ of store.readAll({ after: position })) later++;
assert.equal(later, 12);
assert.equal(await store.positionAt(new Date("2025-12-31")), 0);
assert.equal(await store.positionAt(new Date("2027-01-01")), await store.position());

console.log(`Ada had ${await balance(march)} in March, ${await balance(july)} in June`);
