import assert from "node:assert/strict";
import { test } from "node:test";
import { memory } from "../../drivers/memory/mod.ts";
import {
  Aggregate,
  type AnyEventType,
  defineEvent,
  type EventOf,
  EventStore,
  isEventSourceryError,
  Repository,
} from "../../mod.ts";
import { insert, row, watch } from "../support/raw.ts";
import { all, types } from "../support/shop.ts";

interface Today {
  readonly first: string;
  readonly last: string;
}

const Named = defineEvent<Today>()("Named", {
  aliases: ["NameGiven", "Baptised"],
  upcast: [
    (old: unknown) => ({ name: String(old) }),
    (old: unknown) => {
      const [first = "", last = ""] = (old as { name: string }).name.split(" ");
      return { first, last };
    },
  ],
});
const Gone = defineEvent("Gone");

function setUp(unknownEvents?: "error") {
  const driver = memory();
  return { driver, store: new EventStore(driver, { events: [Named, Gone], unknownEvents }) };
}

test("append() notes the version of the data's schema", async () => {
  const { driver, rows } = watch(memory());
  const store = new EventStore(driver, { events: [Named, Gone] });
  await store.append("a", [Named({ first: "A", last: "B" }), Gone()] as const);
  assert.deepEqual(rows().map(({ schemaVersion }) => schemaVersion), [3, 1]);
});

test("load() brings older data up to date, step by step from its version", async () => {
  const { driver, store } = setUp();
  await insert(
    driver,
    "a",
    row({ type: "Named", schemaVersion: 1, data: '"Ada Lovelace"' }),
    row({ type: "Named", schemaVersion: 2, data: '{"name":"Ada Lovelace"}' }),
    row({ type: "Named", schemaVersion: 3, data: '{"first":"Ada","last":"Lovelace"}' }),
  );
  const expected = { first: "Ada", last: "Lovelace" };
  for (const { data } of await store.load("a")) {
    assert.deepEqual(data, expected);
    assert(Object.isFrozen(data));
  }
  assert.equal((await all(store.readAll())).length, 3);
});

test("load() gives upcasters the typed values of the stored version", async () => {
  const driver = memory();
  const given = { at: new Date(5), n: 5n, set: new Set([1]) };
  const Old = defineEvent<typeof given>()("Dated");
  await new EventStore(driver, { events: [Old] }).append("a", Old(given));
  let seen: unknown;
  const Dated = defineEvent<number>()("Dated", { upcast: [(old) => (seen = old, 1)] });
  const [event] = await new EventStore(driver, { events: [Dated] }).load("a");
  assert.equal(event?.data, 1);
  assert.deepEqual(seen, given);
});

test("load() throws CorruptEventError when an upcaster throws or gives what cannot be stored", async () => {
  const steps = [
    () => assert.fail("SECRET"),
    () => () => {},
    async () => 1,
    (old: unknown) => Object.assign(old as object, { a: 2 }), // what is stored is frozen
  ];
  for (const step of steps) {
    const driver = memory();
    await insert(driver, "a", row({ type: "Dated", data: '{"a":1}' }));
    const Dated = defineEvent<unknown>()("Dated", { upcast: [step] });
    const reading = new EventStore(driver, { events: [Dated] }).load("a");
    await assert.rejects(reading, (error: unknown) => {
      assert(isEventSourceryError(error, "CORRUPT_EVENT"));
      assert.match(error.message, /^Cannot read event 1 of stream "a": an upcaster threw/);
      assert.doesNotMatch(error.message, /SECRET/);
      return true;
    });
  }
});

test("load() reads an older name under today's", async () => {
  const { driver, store } = setUp();
  const data = '{"first":"Ada","last":"Lovelace"}';
  await insert(
    driver,
    "a",
    row({ type: "NameGiven", schemaVersion: 3, data }),
    row({ type: "Baptised", schemaVersion: 1, data: '"Ada Lovelace"' }),
  );
  const events = await store.load("a");
  assert.deepEqual(types(events), ["Named", "Named"]);
  assert.equal(events.filter(Named.is).length, 2);
  assert.deepEqual(events[0]?.data, events[1]?.data);
});

test("readAll() finds a type under all of its names", async () => {
  const { driver, store } = setUp();
  const data = '{"first":"Ada","last":"Lovelace"}';
  const names = ["Named", "NameGiven", "Gone", "Baptised"];
  const rows = names.map((type) =>
    type === "Gone" ? row({ type }) : row({ type, schemaVersion: 3, data })
  );
  await insert(driver, "a", ...rows);
  const versions = async (types: readonly string[]) =>
    (await all(store.readAll({ types }))).map(({ version }) => version);
  assert.deepEqual(await versions(["Named"]), [1, 2, 4]);
  assert.deepEqual(await versions(["Gone", "Named"]), [1, 2, 3, 4]);
});

test("append() stores an event under today's name", async () => {
  const { driver, rows } = watch(memory());
  const store = new EventStore(driver, { events: [Named] });
  await store.append("a", Named({ first: "A", last: "B" }));
  assert.equal(rows()[0]?.type, "Named");
  const byHand = { ...Named({ first: "A", last: "B" }), type: "NameGiven" as "Named" };
  await assert.rejects(store.append("a", byHand), { code: "UNKNOWN_EVENT_TYPE" });
});

test("EventStore throws DuplicateEventTypeError when two types claim one name", () => {
  const make = (events: readonly AnyEventType[]) => new EventStore(memory(), { events });
  const NameGiven = defineEvent("NameGiven");
  const Alias = defineEvent<undefined>()("Alias", { aliases: ["Gone"] });
  for (
    const [events, type] of [
      [[Gone, defineEvent("Gone")], "Gone"],
      [[Named, NameGiven], "NameGiven"],
      [[NameGiven, Named], "NameGiven"],
      [[Gone, Alias], "Gone"],
    ] as const
  ) {
    assert.throws(() => make(events), { code: "DUPLICATE_EVENT_TYPE", type });
  }
  make([Gone, Gone]);
});

test("EventStore throws TypeError when its events are no event types", () => {
  for (const events of [undefined, null, Gone, ["Gone"], [() => {}], [{ type: "Gone" }], [null]]) {
    assert.throws(() => new EventStore(memory(), { events: events as never }), TypeError);
  }
  assert.throws(() => new EventStore({} as never, { events: [Gone] }), TypeError);
  assert.throws(() => new EventStore(memory(), undefined as never), TypeError);
});

test("EventStore throws TypeError when unknownEvents is nothing it knows", () => {
  const options = { events: [Gone], unknownEvents: "Keep" as never };
  assert.throws(() => new EventStore(memory(), options), { name: "TypeError", message: /"keep"/ });
});

test("load() throws UnknownEventTypeError for a stored type that is not defined", async () => {
  for (const unknownEvents of [undefined, "error"] as const) {
    const { driver, store } = setUp(unknownEvents);
    await insert(driver, "a", row({ type: "Gone" }), row({ type: "Old Thing", data: '"SECRET"' }));
    const readings = [
      () => store.load("a"),
      () => all(store.readAll()),
      () => store.fold("a", 0, () => 0),
    ];
    for (const reading of readings) {
      await assert.rejects(reading, (error: unknown) => {
        assert(isEventSourceryError(error, "UNKNOWN_EVENT_TYPE"));
        assert.equal(error.type, "Old Thing");
        assert.match(error.message, /"Old Thing".*"events".*"aliases".*unknownEvents: "keep"/);
        assert.doesNotMatch(error.message, /SECRET/);
        return true;
      });
    }
    assert.equal(await store.version("a"), 2);
    assert.equal((await store.append("a", Gone())).version, 3);
    assert.equal((await all(store.readAll({ types: ["Gone"] }))).length, 2);
  }
});

/** A store that keeps unknown events, and one of those between two others. */
async function keeping() {
  const driver = memory();
  const store = new EventStore(driver, { events: [Gone], unknownEvents: "keep" });
  const old = row({
    type: "OldThing",
    schemaVersion: 7,
    data: '{"at":"1970-01-01T00:00:00.000Z"}',
    codec: '{"/data/at":"date"}',
  });
  await insert(driver, "thing:1", row({ type: "Gone" }), old, row({ type: "Gone" }));
  return { driver, store };
}

test("load() marks the type of an unknown event when the store keeps them", async () => {
  const { store } = await keeping();
  const events = await store.load("thing:1");
  assert.deepEqual(types(events), ["Gone", "?OldThing", "Gone"]);
  assert.deepEqual(events[1]?.data, { at: new Date(0) });
});

test("readAll() finds unknown events by their marked name", async () => {
  const { store } = await keeping();
  const versions = async (types: readonly string[]) =>
    (await all(store.readAll({ types }))).map(({ version }) => version);
  assert.deepEqual(await versions(["?OldThing"]), [2]);
  assert.deepEqual(await versions(["?OldThing", "Gone"]), [1, 2, 3]);
  assert.deepEqual(await versions(["?Gone"]), []);
});

test("append() throws UnknownEventTypeError when an unknown event that was kept comes back", async () => {
  const { store } = await keeping();
  const [, old] = await store.load("thing:1");
  await assert.rejects(store.append("b", old!), { code: "UNKNOWN_EVENT_TYPE" });
});

test("Repository passes over unknown events, and counts them", async () => {
  const { store } = await keeping();
  const applied: string[] = [];
  class Thing extends Aggregate<EventOf<typeof Gone>> {
    static readonly category = "thing";
    protected apply({ type }: EventOf<typeof Gone>): void {
      applied.push(type);
    }
    go(): void {
      this.emit(Gone());
    }
  }
  const things = new Repository(store, Thing);
  await things.aggregate("1", (thing) => {
    assert.equal(thing.version, 3);
    thing.go();
  });
  assert.deepEqual(applied, ["Gone", "Gone", "Gone"]);
  assert.equal(await store.version("thing:1"), 4);
});

test("load() throws NewerEventError when a newer release stored the event", async () => {
  const driver = memory();
  const Paid = defineEvent<{ cents: number }>()("Paid");
  const Newer = defineEvent<{ amount: number }>()("Paid", {
    upcast: [(old: { cents: number }) => ({ amount: old.cents / 100 })],
  });
  await new EventStore(driver, { events: [Newer] }).append("a", Newer({ amount: 5 }));
  for (const unknownEvents of ["error", "keep"] as const) {
    const older = new EventStore(driver, { events: [Paid], unknownEvents });
    await assert.rejects(older.load("a"), { code: "NEWER_EVENT", schemaVersion: 2, latest: 1 });
  }
});
