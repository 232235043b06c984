import assert from "node:assert/strict";
import { test } from "node:test";
import * as v from "valibot";
import { memory } from "../../drivers/memory/mod.ts";
import {
  defineEvent,
  type EventOf,
  EventStore,
  type Handler,
  type HandlerContext,
  type HandlerEntry,
  type HandlerMap,
  type RecordedEvent,
  type UnknownEvent,
} from "../../mod.ts";
import { expectType, refuses, same } from "./expect.ts";

const Placed = defineEvent("Placed", v.object({ sku: v.string() }));
const Shipped = defineEvent<{ at: Date }>()("Shipped");
const Invited = defineEvent("Invited");

type Placed = EventOf<typeof Placed>;
type Shipped = EventOf<typeof Shipped>;
type Invited = EventOf<typeof Invited>;
type AppEvent = Placed | Shipped | Invited;

/** A database handle, as a driver for one would bring it. */
interface Database {
  query(text: string): string;
}
const database: Database = { query: (text) => text };
const driver = () => memory({ db: database });

test("subscriptions narrow a handler's event when they are given by type", async () => {
  const seen: string[] = [];
  const store = new EventStore(driver(), {
    events: [Placed, Shipped, Invited],
    subscriptions: {
      Placed: [
        async (event, { store: inner, db }) => {
          expectType<RecordedEvent<Placed>>()(event);
          expectType<EventStore<AppEvent, Database>>()(inner);
          expectType<Database>()(db);
          await inner.append("user:1", Invited());
          seen.push(event.data.sku);
        },
        (event) => expectType<string>()(event.data.sku),
      ],
      Shipped: [(event) => expectType<Date>()(event.data.at)],
      Invited: undefined,
      "*": [function (event, { db }) {
        expectType<RecordedEvent<AppEvent>>()(event);
        expectType<Database>()(db);
        seen.push(event.type);
      }],
    },
  });
  expectType<EventStore<AppEvent, Database>>()(store);
  await store.append("order:1", Placed({ sku: "a" }));
  assert.deepEqual(seen, ["Invited", "a", "Placed"]);
});

test("subscriptions narrow a handler's event when they are listed with types", async () => {
  const seen: string[] = [];
  const store = new EventStore(driver(), {
    events: [Placed, Shipped, Invited],
    subscriptions: [
      {
        types: ["Placed"],
        handler: (event, { store: inner, db }) => {
          expectType<RecordedEvent<Placed>>()(event);
          expectType<EventStore<AppEvent, Database>>()(inner);
          expectType<Database>()(db);
          seen.push(event.data.sku);
        },
      },
      {
        types: ["Placed", "Shipped"],
        categories: ["order"],
        handler: async (event) => {
          expectType<RecordedEvent<Placed | Shipped>>()(event);
          await Promise.resolve(seen.push(event.type));
        },
      },
      {
        afterCommit: true,
        handler: (event, { db }) => {
          expectType<RecordedEvent<AppEvent>>()(event);
          expectType<Database>()(db);
          seen.push(`after ${event.type}`);
        },
      },
      { handler: (event) => expectType<RecordedEvent<AppEvent>>()(event) },
      {
        types: ["Invited"],
        afterCommit: true,
        handler(event) {
          expectType<RecordedEvent<Invited>>()(event);
        },
      },
      { types: undefined, handler: (event) => expectType<RecordedEvent<AppEvent>>()(event) },
    ],
  });
  expectType<EventStore<AppEvent, Database>>()(store);
  await store.append("order:1", Placed({ sku: "a" }));
  assert.deepEqual(seen, ["a", "Placed", "after Placed"]);
});

test("subscriptions see unknown events only through their store when it keeps them", () => {
  const events = [Placed, Shipped] as const;
  new EventStore(driver(), {
    events,
    unknownEvents: "keep",
    subscriptions: {
      Placed: [(event, { store }) => {
        expectType<RecordedEvent<Placed>>()(event);
        expectType<EventStore<Placed | Shipped | UnknownEvent, Database>>()(store);
      }],
      "*": [(event) => expectType<RecordedEvent<Placed | Shipped>>()(event)],
    },
  });
  new EventStore(driver(), {
    events,
    unknownEvents: "keep",
    subscriptions: [
      { types: ["Shipped"], handler: (event) => expectType<Date>()(event.data.at) },
      {
        handler: (event, { store }) => {
          expectType<RecordedEvent<Placed | Shipped>>()(event);
          expectType<EventStore<Placed | Shipped | UnknownEvent, Database>>()(store);
        },
      },
    ],
  });
});

test("Handler stands alone when a module writes its handlers apart from the store", async () => {
  const seen: string[] = [];
  const onPlaced: Handler<Placed, AppEvent, Database> = (event, { db }) =>
    seen.push(db.query(event.data.sku));
  const onAny: Handler<AppEvent> = (event) => seen.push(event.type);
  const map: HandlerMap<AppEvent, Database> = { Placed: [onPlaced], "*": [onAny] };
  const entry: HandlerEntry<AppEvent, Database> = { handler: onAny };
  const events = [Placed, Shipped, Invited] as const;
  const mapped = new EventStore(driver(), { events, subscriptions: map });
  const listed = new EventStore(driver(), {
    events,
    subscriptions: [entry, { types: ["Placed"], handler: onPlaced }],
  });
  await mapped.append("order:1", Placed({ sku: "a" }));
  await listed.append("order:1", Placed({ sku: "b" }));
  assert.deepEqual(seen, ["a", "Placed", "Placed", "b"]);
  same<HandlerContext<AppEvent, Database>["db"], Database>();
  same<HandlerContext<AppEvent, Database>["store"], EventStore<AppEvent, Database>>();
});

test("publishes is given the store's events when it is a function", async () => {
  const store = new EventStore(driver(), {
    events: [Placed, Shipped],
    publishes: (event) => {
      expectType<Placed | Shipped>()(event);
      return event.type === "Placed";
    },
  });
  assert.equal((await store.append("order:1", Placed({ sku: "a" }))).version, 1);
});

test("subscriptions do not compile when they are misused", () => {
  const events = [Placed, Shipped, Invited] as const;
  const Unlisted = defineEvent("Unlisted");
  const onShipped: Handler<Shipped, AppEvent, Database> = () => {};
  refuses(() => {
    // @ts-expect-error a type that the store does not have
    new EventStore(driver(), { events, subscriptions: { Paid: [() => {}] } });
    // @ts-expect-error the same in a list
    new EventStore(driver(), { events, subscriptions: [{ types: ["Paid"], handler: () => {} }] });
    // @ts-expect-error an unknown key of an entry
    new EventStore(driver(), { events, subscriptions: [{ type: "Placed", handler: () => {} }] });
    // @ts-expect-error an entry without a handler
    new EventStore(driver(), { events, subscriptions: [{ types: ["Placed"] }] });
    // @ts-expect-error a handler that stands in no list
    new EventStore(driver(), { events, subscriptions: { Placed: () => {} } });
    // @ts-expect-error a handler of another type's events
    new EventStore(driver(), { events, subscriptions: { Placed: [onShipped] } });
    // @ts-expect-error a handler of one type for events of all
    new EventStore(driver(), { events, subscriptions: [{ handler: onShipped }] });
    // @ts-expect-error a handler that wants another database
    new EventStore(memory(), { events, subscriptions: { Shipped: [onShipped] } });
    new EventStore(driver(), {
      events,
      subscriptions: {
        // @ts-expect-error what only another type has
        Placed: [(event) => event.data.at],
        // @ts-expect-error what only some types have
        "*": [(event) => event.data.sku],
        // @ts-expect-error an event of no type of the store
        Invited: [(_event, { store }) => store.append("a", Unlisted())],
      },
    });
    new EventStore(driver(), {
      events,
      // @ts-expect-error a type that the store does not have, one of two
      subscriptions: [{ types: ["Placed", "Paid"], handler: () => {} }],
    });
    new EventStore(driver(), {
      events,
      // @ts-expect-error a handler of another type's events
      subscriptions: [{ types: ["Placed"], handler: onShipped }],
    });
    new EventStore(driver(), {
      events,
      subscriptions: [
        // @ts-expect-error what only another type has
        { types: ["Placed"], handler: (event) => event.data.at },
        // @ts-expect-error what only one of the two types has
        { types: ["Placed", "Shipped"], handler: (event) => event.data.sku },
        // @ts-expect-error a query that the database does not take
        { afterCommit: true, handler: (_event, { db }) => db.query(1) },
      ],
    });
  });
});
