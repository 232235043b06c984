// Unit tests need no database and no mocks. Here they are top-level statements; put each into a test of any runner.
import {
  Aggregate,
  decider,
  defineEvent,
  type EventOf,
  EventStore,
  Repository,
  Subscription,
} from "event-sourcery";
import { memory } from "event-sourcery/memory";
import { given } from "event-sourcery/testing";
import assert from "node:assert/strict";

// The aggregate under test: a book that one reader at a time can borrow.
const Lent = defineEvent<{ reader: string }>()("Lent");
const Returned = defineEvent("Returned");
const Reminded = defineEvent<{ reader: string }>()("Reminded");
type BookEvent = EventOf<typeof Lent | typeof Returned>;

class NotOnTheShelf extends Error {}

class Book extends Aggregate<BookEvent> {
  static readonly category = "book";
  #reader: string | undefined;

  protected apply(event: BookEvent): void {
    this.#reader = event.type === "Lent" ? event.data.reader : undefined;
  }

  lend(reader: string): void {
    if (this.#reader !== undefined) throw new NotOnTheShelf();
    this.emit(Lent({ reader }));
  }

  giveBack(): void {
    if (this.#reader !== undefined) this.emit(Returned());
  }
}

// Given past events, when a command runs, then these events are emitted, or it is refused.
given(Book).when((book) => book.lend("Ada")).emits(Lent({ reader: "Ada" }));
given(Book, Lent({ reader: "Ada" })).when((book) => book.lend("Alan")).fails(NotOnTheShelf);
given(Book, [Lent({ reader: "Ada" }), Returned()])
  .when((book) => (book.lend("Alan"), book.giveBack()))
  .emits(Lent({ reader: "Alan" }), Returned());
given(Book).when((book) => book.giveBack()).emitsNothing();

// A failing test reports the actual events.
const wrong = () => given(Book).when((book) => book.lend("Ada")).emits(Lent({ reader: "Alan" }));
assert.throws(wrong, assert.AssertionError);

// The same for pure functions.
const shelf = decider({
  initialState: () => 0,
  evolve: (lent: number, event: BookEvent) => event.type === "Lent" ? lent + 1 : lent - 1,
  decide: (reader: string, lent) => lent < 2 ? Lent({ reader }) : [],
});
given(shelf, Lent({ reader: "Ada" })).when("Alan").emits(Lent({ reader: "Alan" }));
given(shelf, [Lent({ reader: "Ada" }), Lent({ reader: "Alan" })]).when("Grace").emitsNothing();

// Code that takes a store gets one in memory: transactions, rollbacks and conflicts work as in a database.
async function swap(store: EventStore<BookEvent>, one: string, other: string): Promise<void> {
  await store.transaction(async ({ store }) => {
    const books = new Repository(store, Book);
    await books.aggregate(one, (book) => book.giveBack());
    await books.aggregate(other, (book) => book.lend("Ada"));
  });
}

const store = new EventStore(memory(), { events: [Lent, Returned] });
await store.append("book:1", Lent({ reader: "Ada" }));
await store.append("book:2", Lent({ reader: "Alan" }));
await assert.rejects(swap(store, "1", "2"), NotOnTheShelf);
assert.equal(await store.version("book:1"), 1); // nothing was given back
await store.append("book:2", Returned());
await swap(store, "1", "2");
assert.deepEqual([await store.version("book:1"), await store.version("book:2")], [2, 3]);

// Consumers, which run in the background elsewhere, run to completion when the test calls `drain`: no sleeps.
const library = new EventStore(memory(), { events: [Lent, Reminded] });
const reminders = new Subscription(library, {
  name: "reminders",
  types: ["Lent"],
  async handler({ streamId, data: { reader } }, { store }) {
    await store.append(streamId, Reminded({ reader }));
  },
});
const letters: string[] = [];
const post = new Subscription(library, {
  name: "post",
  types: ["Reminded"],
  handler: ({ data: { reader } }) => letters.push(`Dear ${reader}`),
});
await library.append("book:3", Lent({ reader: "Alan" }));
assert.equal((await reminders.drain()).handled, 1);
assert.equal((await post.drain()).handled, 1);
assert.deepEqual(letters, ["Dear Alan"]);

// The test can choose times and ids.
const clock = () => new Date("2026-02-03T04:05:06Z");
let ids = 0;
const fixed = new EventStore(memory(), {
  events: [Returned],
  clock,
  generateId: () => `id-${++ids}`,
});
const { events: [event] } = await fixed.append("book:1", Returned());
assert.deepEqual([event.id, event.createdAt], ["id-1", clock()]);
console.log("All tests hold, in", Math.ceil(performance.now()), "ms");
