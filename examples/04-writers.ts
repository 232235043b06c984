// Concurrent writers: one is first, the others get a conflict and retry. No rule is ever broken.
import {
  Aggregate,
  ConcurrencyError,
  defineEvent,
  type EventOf,
  EventStore,
  Repository,
} from "event-sourcery";
import { memory } from "event-sourcery/memory";
import assert from "node:assert/strict";

const SeatTaken = defineEvent<{ guest: string }>()("SeatTaken");
type TableEvent = EventOf<typeof SeatTaken>;

class TableFull extends Error {}

class Table extends Aggregate<TableEvent> {
  static readonly category = "table";
  static readonly seats = 8;
  readonly guests: string[] = [];

  protected apply(event: TableEvent): void {
    this.guests.push(event.data.guest);
  }

  seat(guest: string): void {
    if (this.guests.length === Table.seats) throw new TableFull();
    this.emit(SeatTaken({ guest }));
  }
}

const store = new EventStore(memory(), { events: [SeatTaken] });
const tables = new Repository(store, Table);
await tables.create("1", (table) => table.seat("Ada"));

// Two writers have loaded the same version. The second one to save gets a conflict.
const mine = await tables.load("1");
const yours = await tables.load("1");
assert(mine && yours);
mine.seat("Grace");
yours.seat("Edsger");
await tables.save(mine);
await assert.rejects(tables.save(yours), (error) => {
  assert(error instanceof ConcurrencyError && error.retryable);
  assert.deepEqual([error.expected, error.actual], [1, 2]);
  console.log(error.message);
  return true;
});

// `aggregate` does what has to be done then: load again, decide again, save.
let attempts = 0;
await tables.aggregate("1", async (table, { attempt }) => {
  attempts = attempt;
  if (attempt === 1) await store.append("table:1", SeatTaken({ guest: "Alan" })); // the other writer
  table.seat("Edsger");
});
assert.equal(attempts, 2);
assert.deepEqual((await tables.load("1"))?.guests, ["Ada", "Grace", "Alan", "Edsger"]);

// Twenty guests want the four remaining seats: four get one, sixteen are refused.
const results = await Promise.allSettled(
  Array.from({ length: 20 }, (_, n) => tables.aggregate("1", (table) => table.seat(`guest ${n}`))),
);
const refused = results.filter(({ status }) => status === "rejected") as PromiseRejectedResult[];
assert(refused.every(({ reason }) => reason instanceof TableFull));
assert.equal(refused.length, 16);
assert.equal((await tables.load("1"))?.guests.length, Table.seats);

// An append that protects no rule needs no expected version, and never conflicts.
await Promise.all(
  Array.from({ length: 20 }, (_, n) => store.append("queue", SeatTaken({ guest: `guest ${n}` }))),
);
assert.equal(await store.version("queue"), 20);

// An expectation can also be about existence alone.
const late = SeatTaken({ guest: "late" });
await assert.rejects(
  store.append("table:1", late, { expectedVersion: "noStream" }),
  ConcurrencyError,
);
await assert.rejects(
  store.append("table:2", late, { expectedVersion: "streamExists" }),
  ConcurrencyError,
);

// The same event appended again, after a lost connection say, is stored once.
const first = await store.append("table:3", late);
const again = await store.append("table:3", late);
assert.deepEqual([again.version, again.position], [first.version, first.position]);
console.log(`8 seats, 24 guests: ${refused.length} were told that the table is full`);
