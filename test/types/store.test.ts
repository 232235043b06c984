import assert from "node:assert/strict";
import { test } from "node:test";
import { memory } from "../../drivers/memory/mod.ts";
import {
  type AppendOptions,
  type AppendResult,
  defineEvent,
  type Driver,
  type Event,
  type EventOf,
  type EventReader,
  EventStore,
  type EventStoreOptions,
  type EventWriter,
  type FoldOptions,
  type ImportedEvent,
  importEvents,
  type ImportResult,
  type JoinedStore,
  type LoadOptions,
  type ReadAllOptions,
  type RecordedEvent,
  type RetiredEvent,
  type ScopeOptions,
  type StreamAppend,
  type StreamInfo,
  type StreamsOptions,
  type Trace,
  type TraceNode,
  type TransactionContext,
  type UnknownEvent,
} from "../../mod.ts";
import { expectType, refuses, same } from "./expect.ts";

const Placed = defineEvent<{ sku: string }>()("Placed");
const Shipped = defineEvent<{ at: Date }>()("Shipped");
const Invited = defineEvent("Invited");

type Placed = EventOf<typeof Placed>;
type Shipped = EventOf<typeof Shipped>;
type Invited = EventOf<typeof Invited>;
type OrderEvent = Placed | Shipped;
type AppEvent = OrderEvent | Invited;

/** A database handle, as a driver for one would bring it. */
interface Database {
  query(text: string): string;
}
const database: Database = { query: (text) => text };

const open = () => new EventStore(memory({ db: database }), { events: [Placed, Shipped, Invited] });

test("EventStore infers its events and database handle when it is made", () => {
  expectType<EventStore<AppEvent, Database>>()(open());
  expectType<EventStore<Placed, undefined>>()(new EventStore(memory(), { events: [Placed] }));
  const events = [Placed, Shipped] as const;
  expectType<EventStore<OrderEvent, undefined>>()(new EventStore(memory(), { events }));
  const list: (typeof Placed | typeof Shipped)[] = [Placed, Shipped];
  expectType<EventStore<OrderEvent, undefined>>()(new EventStore(memory(), { events: list }));
  expectType<Driver<undefined>>()(memory());
  expectType<Driver<Database>>()(memory({ db: database }));
});

test("append() gives what it was given when one event or several are appended", async () => {
  const store = open();
  const one = await store.append("order:1", Placed({ sku: "a" }));
  expectType<AppendResult<Placed>>()(one);
  expectType<RecordedEvent<Placed>>()(one.events[0]);
  expectType<string>()(one.events[0].data.sku);

  const several = await store.append("order:1", [Placed({ sku: "b" }), Invited()]);
  expectType<AppendResult<Placed | Invited>>()(several);
  expectType<readonly [RecordedEvent<Placed | Invited>, ...RecordedEvent<Placed | Invited>[]]>()(
    several.events,
  );
  const published = await store.publish("order:1", Shipped({ at: new Date() }));
  expectType<AppendResult<Shipped>>()(published);
  const events: readonly AppEvent[] = [Invited()];
  expectType<AppendResult<AppEvent>>()(await store.append("order:1", events));
  assert.equal(await store.version("order:1"), 5);
});

test("appendAll() gives each stream's result when the streams hold different events", async () => {
  const store = open();
  const results = await store.appendAll([
    { streamId: "order:1", events: Placed({ sku: "a" }), expectedVersion: 0 },
    { streamId: "user:1", events: [Invited(), Shipped({ at: new Date() })] },
  ]);
  expectType<readonly [AppendResult<Placed>, AppendResult<Invited | Shipped>]>()(results);
  assert.equal(results[1].version, 2);

  const appends: readonly StreamAppend<AppEvent>[] = [{ streamId: "order:2", events: Invited() }];
  expectType<readonly AppendResult<AppEvent>[]>()(await store.appendAll(appends));
});

test("load() and its kin give the store's recorded events when they read", async () => {
  const store = open();
  await store.append("order:1", Placed({ sku: "a" }));
  expectType<readonly RecordedEvent<AppEvent>[]>()(await store.load("order:1"));
  expectType<AsyncIterable<RecordedEvent<AppEvent>>>()(store.read("order:1"));
  expectType<AsyncIterable<RecordedEvent<AppEvent>>>()(store.readAll({ types: ["Placed"] }));
  expectType<number>()(await store.version("order:1"));
  expectType<number>()(await store.position());
  expectType<number>()(await store.positionAt(new Date()));
  const trace = await store.trace("a");
  expectType<Trace<AppEvent> | undefined>()(trace);
  for (const { event, effects } of trace?.roots ?? []) {
    expectType<RecordedEvent<AppEvent>>()(event);
    expectType<readonly TraceNode<AppEvent>[]>()(effects);
  }
  expectType<readonly StreamInfo[]>()(await store.streams());
  for await (const info of store.streams()) expectType<StreamInfo>()(info);
  const count = await store.fold("order:1", 0, (sum, event) => {
    expectType<RecordedEvent<AppEvent>>()(event);
    return sum + 1;
  });
  expectType<number>()(count);
  const skus = await store.fold(
    "order:1",
    new Set<string>(),
    (all, event) => event.type === "Placed" ? all.add(event.data.sku) : all,
  );
  expectType<Set<string>>()(skus);
  const placed = (await store.load("order:1")).filter(Placed.is);
  expectType<RecordedEvent<Placed>[]>()(placed);
  assert.deepEqual(placed.map(({ data }) => data.sku), ["a"]);
});

test("transaction() gives what its work gives when the work is sync or async", async () => {
  const store = open();
  const answer = await store.transaction(async ({ store: inner, db }) => {
    expectType<EventStore<AppEvent, Database>>()(inner);
    expectType<Database>()(db);
    return (await inner.append("order:1", Placed({ sku: "a" }))).version;
  });
  expectType<number>()(answer);
  expectType<string>()(await store.transaction(({ db }) => db.query("a")));
  expectType<void>()(await store.transaction(() => {}));
  same<TransactionContext<AppEvent, Database>["store"], EventStore<AppEvent, Database>>();
});

test("using() and scope() give a store of the same events when they are called", () => {
  const store = open();
  expectType<EventStore<AppEvent, Database>>()(store.scope({ tenantId: "a" }));
  same<Parameters<typeof store.using>, [tx: Database]>();
  same<ReturnType<typeof store.using>, JoinedStore<AppEvent, Database>>();
  const bound = (tx: Database): EventStore<AppEvent, Database> => store.using(tx);
  assert.equal(typeof bound, "function");
});

test("EventStore passes as a writer of fewer events and a reader of more", async () => {
  const store = open();
  const place = (orders: EventWriter<OrderEvent>) =>
    orders.append("order:1", Placed({ sku: "a" }), { expectedVersion: "noStream" });
  expectType<AppendResult<Placed>>()(await place(store));

  const app: EventReader<AppEvent> = store;
  const more: EventReader<AppEvent | Event<"Paid", undefined>> = store;
  const any: EventReader = store;
  expectType<readonly RecordedEvent[]>()(await any.load("order:1"));
  const placed: EventWriter<Placed> = store;
  const fewer: EventWriter<Placed> = place.length === 1 ? placed : store;
  const nothing: EventWriter = fewer;
  const same: EventStore<AppEvent> = store;
  const both: EventReader & EventWriter<OrderEvent> = store;
  assert.equal(new Set<object>([app, more, any, placed, fewer, nothing, same, both]).size, 1);
});

test("EventStore reads unknown events too when it keeps them", async () => {
  const events = [Placed, Shipped] as const;
  const store = new EventStore(memory(), { events, unknownEvents: "keep" });
  expectType<EventStore<OrderEvent | UnknownEvent, undefined>>()(store);
  same<UnknownEvent, Event<`?${string}`, unknown>>();

  const describe = (event: OrderEvent | UnknownEvent): string => {
    switch (event.type) {
      case "Placed":
        expectType<Placed>()(event);
        return event.data.sku;
      case "Shipped":
        return event.data.at.toISOString();
      default:
        expectType<UnknownEvent>()(event);
        expectType<unknown>()(event.data);
        return event.type.slice(1);
    }
  };
  await store.append("order:1", Placed({ sku: "a" }));
  assert.deepEqual((await store.load("order:1")).map(describe), ["a"]);
  const failing = new EventStore(memory(), { events, unknownEvents: "error" });
  expectType<EventStore<OrderEvent, undefined>>()(failing);
  const plain = (event: OrderEvent): string => {
    switch (event.type) {
      case "Placed":
        return event.data.sku;
      case "Shipped":
        return "";
      default:
        return event satisfies never;
    }
  };
  assert.equal(plain(Placed({ sku: "b" })), "b");
});

test("importEvents() takes events of the store, sync or async", async () => {
  const store = open();
  const source: ImportedEvent<AppEvent>[] = [{ streamId: "order:1", event: Placed({ sku: "a" }) }];
  expectType<ImportResult>()(await importEvents(store, source));
  async function* later() {
    yield { streamId: "order:1", event: Invited() };
  }
  expectType<ImportResult>()(await importEvents(store.scope({ tenantId: "a" }), later()));
  refuses(() => {
    const Paid = defineEvent("Paid");
    // @ts-expect-error an event that the store does not have
    importEvents(store, [{ streamId: "order:1", event: Paid() }]);
    // @ts-expect-error it is no source
    importEvents(store, { streamId: "order:1", event: Invited() });
  });
});

test("EventStore reads retired events, whose data nobody knows, when it is told of some", async () => {
  const store = new EventStore(memory(), { events: [Placed], retired: ["Viewed", "Left"] });
  type Retired = RetiredEvent<"Viewed"> | RetiredEvent<"Left">;
  same<RetiredEvent<"Viewed">, Event<"?Viewed", unknown>>();
  expectType<EventStore<Placed | Retired, undefined>>()(store);
  expectType<readonly RecordedEvent<Placed | Retired>[]>()(await store.load("order:1"));
  const events = [Placed] as const;
  const keeping = { events, retired: ["Viewed"], unknownEvents: "keep" } as const;
  expectType<EventStore<Placed | UnknownEvent, undefined>>()(new EventStore(memory(), keeping));
  const none = new EventStore(memory(), { events, retired: [] });
  expectType<EventStore<Placed, undefined>>()(none);
  refuses(() => {
    // @ts-expect-error a retired event has no handler
    new EventStore(memory(), { events, retired: ["Viewed"], subscriptions: { "?Viewed": [] } });
  });
});

test("options take undefined when they are left out", async () => {
  const options: EventStoreOptions<Placed, undefined> = {
    events: [Placed],
    subscriptions: undefined,
    publishes: undefined,
    unknownEvents: undefined,
    clock: undefined,
    generateId: undefined,
    onError: undefined,
  };
  const store = new EventStore(memory({ db: undefined, busyTimeout: undefined }), {
    ...options,
    events: [Placed],
    subscriptions: undefined,
  });
  const append: AppendOptions = { expectedVersion: undefined };
  const load: LoadOptions = {
    from: undefined,
    to: undefined,
    limit: undefined,
    backwards: undefined,
  };
  const all: ReadAllOptions = {
    after: undefined,
    limit: undefined,
    categories: undefined,
    types: undefined,
    tags: undefined,
    since: undefined,
    until: undefined,
  };
  const fold: FoldOptions = { to: undefined, at: undefined };
  const streams: StreamsOptions = { category: undefined };
  const scope: ScopeOptions = { tenantId: undefined, metadata: undefined };
  await store.scope(scope).append("order:1", Placed({ sku: "a" }), append);
  assert.equal((await store.load("order:1", load)).length, 1);
  assert.equal(await store.fold("order:1", 0, (sum) => sum + 1, fold), 1);
  assert.equal((await store.streams(streams)).length, 1);
  for await (const event of store.readAll(all)) expectType<RecordedEvent<Placed>>()(event);
});

test("EventStore does not compile when it passes as a store of other events", () => {
  refuses(() => {
    const store = open();
    const orders = new EventStore(memory({ db: database }), { events: [Placed, Shipped] });
    // @ts-expect-error it would read events that its reader does not expect
    const fewer: EventStore<OrderEvent> = store;
    // @ts-expect-error it would refuse events that it says it takes
    const more: EventStore<AppEvent> = orders;
    // @ts-expect-error a reader of fewer events
    const reader: EventReader<OrderEvent> = store;
    // @ts-expect-error a writer of more events
    const writer: EventWriter<AppEvent> = orders;
    // @ts-expect-error a writer of any event
    const any: EventWriter<Event> = store;
    // @ts-expect-error a writer of events of the same name with other data
    const renamed: EventWriter<Event<"Placed", { title: string }>> = store;
    // @ts-expect-error both together
    const both: EventReader & EventWriter<AppEvent> = orders;
    // @ts-expect-error another database
    const elsewhere: EventStore<AppEvent, string> = store;
    const only: EventWriter<OrderEvent> = store;
    // @ts-expect-error a writer does not read
    only.load("order:1");
    // @ts-expect-error a writer of orders stores no invitations
    only.append("user:1", Invited());
    const read: EventReader<AppEvent> = store;
    // @ts-expect-error a reader does not write
    read.append("user:1", Invited());
    return [fewer, more, reader, writer, any, renamed, both, elsewhere];
  });
});

test("EventStore does not compile when it is misused", () => {
  const Unlisted = defineEvent("Unlisted");
  refuses(async () => {
    const store = open();
    // @ts-expect-error no events
    new EventStore(memory(), {});
    // @ts-expect-error a name is not an event type
    new EventStore(memory(), { events: ["Placed"] });
    // @ts-expect-error an event is not an event type
    new EventStore(memory(), { events: [Placed({ sku: "a" })] });
    // @ts-expect-error no driver
    new EventStore({ events: [Placed] });
    // @ts-expect-error an unknown option
    new EventStore(memory(), { events: [Placed], publish: true });
    // @ts-expect-error an unknown way with unknown events
    new EventStore(memory(), { events: [Placed], unknownEvents: "ignore" });
    // @ts-expect-error an event that the store does not have
    store.append("order:1", Unlisted());
    // @ts-expect-error one of several
    store.append("order:1", [Placed({ sku: "a" }), Unlisted()]);
    // @ts-expect-error an event type instead of its event
    store.append("order:1", Invited);
    // @ts-expect-error an unknown expectation
    store.append("order:1", Invited(), { expectedVersion: "new" });
    // @ts-expect-error an unknown option
    store.append("order:1", Invited(), { version: 1 });
    // @ts-expect-error a position is not a bigint
    store.readAll({ after: 1n });
    // @ts-expect-error an event that the store does not have, in one stream of two
    store.appendAll([{ streamId: "a", events: Invited() }, { streamId: "b", events: Unlisted() }]);
    // @ts-expect-error a handle of another database
    store.using("transaction");
    const [first] = await store.load("order:1");
    // @ts-expect-error there may be none
    first.version;
    // @ts-expect-error the type is not told yet
    first?.data.sku;
    // @ts-expect-error what is recorded is frozen
    if (first !== undefined) first.version = 2;
  });
});
