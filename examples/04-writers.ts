// Several writers at once: one is first, the others learn of it and try again. No rule is ever broken.
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

// Two writers have loaded the same version. The second to save learns that it is late.
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

// `aggregate` does what one would do now: load again, decide again, save.
let attempts = 0;
await tables.aggregate("1", async (table, { attempt }) => {
  attempts = attempt;
  if (attempt === 1) await store.append("table:1", SeatTaken({ guest: "Alan" })); // the other writer
  table.seat("Edsger");
});
assert.equal(attempts, 2);
assert.deepEqual((await tables.load("1"))?.guests, ["Ada", "Grace", "Alan", "Edsger"]);

// Twenty guests want the four seats that are left: four get one, sixteen are told.
const results = await Promise.allSettled(
  Array.from({ length: 20 }, (_, n) => tables.aggregate("1", (table) => table.seat(`guest ${n}`))),
);
const refused = results.filter(({ status }) => status === "rejected") as PromiseRejectedResult[];
assert(refused.every(({ reason }) => reason instanceof TableFull));
assert.equal(refused.length, 16);
assert.equal((await tables.load("1"))?.guests.length, Table.seats);

// Who needs no rule appends without an expectation, and never meets a conflict.
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
