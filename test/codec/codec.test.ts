import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { memory } from "../../drivers/memory/mod.ts";
import { defineEvent, EventStore, isEventSourceryError } from "../../mod.ts";
import { assertSame, data, text } from "../support/data.ts";
import { insert, row, watch } from "../support/raw.ts";

const Noted = defineEvent<unknown>()("Noted");

function setUp() {
  const watched = watch(memory());
  return { ...watched, store: new EventStore(watched.driver, { events: [Noted] }) };
}

/** What a store gives back for data, and the row that it stored. */
async function store(given: unknown) {
  const { store, rows } = setUp();
  await store.append("notes", Noted(given));
  const [event] = await store.load("notes");
  return { back: event!.data, row: rows()[0]! };
}

async function read(fields: Parameters<typeof row>[0]) {
  const { store, driver } = setUp();
  await insert(driver, "notes", row(fields));
  return (await store.load("notes"))[0]!;
}

/** Fails where a text would break SQL over the column, or a key be read as another one. */
function assertPlain(json: string | null): void {
  if (json === null) return;
  JSON.parse(json, (key, value) => {
    assert.equal(JSON.stringify(key), `"${key}"`);
    if (typeof value === "string") assert.doesNotMatch(value, /[\0\p{Surrogate}]/u);
    return value;
  });
}

test("load() gives back what append() was given when data is any mix of values", async () => {
  await fc.assert(
    fc.asyncProperty(data, async (given) => {
      assertSame((await store(given)).back, given);
    }),
    { numRuns: 500 },
  );
});

test("load() gives back a key with a quote when JSON with a backslash in that place was parsed before", async () => {
  // V8 reads the key as a backslash then (nodejs/node#63785).
  JSON.parse('{"h":[],"\\\\":0}');
  JSON.parse('{"h":[],"%":0,"a\\\\nb":0}');
  for (const more of [{ '"': 2 }, { "%": 2, "a\nb": new Date(0) }, { '"': 2, "\0": 1 }]) {
    const given = { h: 1, ...more };
    assertSame((await store(given)).back, given);
  }
});

test("append() stores no NUL, no lone surrogate and no key with an escape when data holds them anywhere", async () => {
  await fc.assert(
    fc.asyncProperty(data, async (given) => {
      const { row } = await store(given);
      for (const json of [row.data, row.codec]) assertPlain(json);
    }),
    { numRuns: 500 },
  );
});

test("load() gives back metadata when it holds any mix of values", async () => {
  await fc.assert(
    fc.asyncProperty(data, text, async (given, word) => {
      const { store, rows } = setUp();
      const metadata = { correlationId: "c", ["x-" + word]: given, list: [given] };
      await store.append("notes", Noted(1, { metadata }));
      const [event] = await store.load("notes");
      const expected = given === undefined ? { correlationId: "c", list: [given] } : metadata;
      assertSame(event!.metadata, expected);
      assertPlain(rows()[0]!.metadata);
    }),
  );
});

test("append() returns the events that load() will give", async () => {
  await fc.assert(
    fc.asyncProperty(data, async (given) => {
      const { store } = setUp();
      const { events } = await store.append("notes", Noted(given, { metadata: { given: 1 } }));
      assertSame(events, await store.load("notes"));
    }),
  );
});

test("load() keeps the order of a Map, a Set and an object's keys", async () => {
  const { back } = await store({ z: 1, a: new Map([["z", 1], ["a", 2]]), b: new Set([3, 1, 2]) });
  assert(back instanceof Object && "a" in back && "b" in back);
  assert.deepEqual(Object.keys(back), ["z", "a", "b"]);
  assert.deepEqual([...back.a as Map<string, number>], [["z", 1], ["a", 2]]);
  assert.deepEqual([...back.b as Set<number>], [3, 1, 2]);
});

test("load() gives back bytes when there are a million", async () => {
  const bytes = Uint8Array.from({ length: 1_000_000 }, (_, index) => index * 31);
  assert.deepEqual((await store(bytes)).back, bytes);
});

test("append() stores the time of every event as ISO text, whichever came before it", async () => {
  const { store, rows } = setUp();
  const instant = fc.date({
    min: new Date("0001-01-01T00:00:00Z"),
    max: new Date("9999-12-31T23:59:59.999Z"),
    noInvalidDate: true,
  });
  const near = fc.tuple(instant, fc.array(fc.integer({ min: -1500, max: 1500 }), { maxLength: 4 }));
  const last = Date.parse("9999-12-31T23:59:59.999Z");
  await fc.assert(
    fc.asyncProperty(near, async ([first, steps]) => {
      const times = [
        first.getTime(),
        ...steps.map((step) => Math.min(last, first.getTime() + step)),
      ]
        .map((time) => new Date(Math.max(time, -62135596800000)));
      await store.append("notes", times.map((createdAt) => Noted(1, { createdAt })));
      const stored = rows().slice(-times.length).map(({ createdAt }) => createdAt);
      assert.deepEqual(stored, times.map((time) => time.toISOString()));
    }),
  );
});

test("append() stores a date as an ISO string in data", async () => {
  const { row } = await store({ endsAt: new Date("2026-12-01T10:00:00Z"), by: [{ n: 1 }] });
  assert.equal(row.data, '{"endsAt":"2026-12-01T10:00:00.000Z","by":[{"n":1}]}');
  assert.equal(row.codec, '{"/data/endsAt":"date"}');
});

test("append() stores no annotations when data is plain JSON", async () => {
  const { row } = await store({ a: [1, "b", null, true, { c: -1.5 }], "date/~": {} });
  assert.equal(row.codec, null);
});

test("append() stores data that reads by hand when it is not plain JSON", async () => {
  const { row } = await store({
    total: 12n,
    seats: new Set(["A1"]),
    prices: new Map([["A1", 5]]),
    bytes: new Uint8Array([1, 2]),
    ratio: NaN,
    "a/b~c": -0,
  });
  assert.deepEqual(JSON.parse(row.data!), {
    total: "12",
    seats: ["A1"],
    prices: [["A1", 5]],
    bytes: "AQI=",
    ratio: "NaN",
    "a/b~c": "-0",
  });
  assert.equal(JSON.parse(row.codec!)["/data/a~1b~0c"], "number");
});

test("append() stores no data when an event has none", async () => {
  const { row, back } = await store(undefined);
  assert.equal(row.data, null);
  assert.equal(back, undefined);
});

test("load() tells null from no data", async () => {
  assert.equal((await store(null)).back, null);
});

test("load() does not take data for annotations when it looks like them", async () => {
  const given = { codec: { "/data/a": "date" }, a: "2026-01-01", "/data/a": "date" };
  assert.deepEqual((await store(given)).back, given);
});

test("load() pollutes no prototype when a row written by hand has such keys", async () => {
  const data = '{"__proto__":{"polluted":1},"constructor":{"prototype":{"polluted":1}}}';
  for (const codec of [null, '{"/data/__proto__/polluted":"undefined"}', '{"__proto__":"date"}']) {
    const event = await read({ data, codec, metadata: data }).catch((error) => error);
    assert.equal(Reflect.get({}, "polluted"), undefined);
    assert.equal(Reflect.get(event, "polluted"), undefined);
    if (event instanceof Error) continue;
    assert.equal(Object.getPrototypeOf(event.data), Object.prototype);
    assert.equal(event.metadata["polluted"], undefined);
  }
});

test("load() pollutes no prototype when an annotated object has such a key", async () => {
  const { data } = await read({
    data: '{"%005f_proto__":{"polluted":1},"a%0000":1}',
    codec: '{"/data":"object"}',
  });
  assert.equal(Object.getPrototypeOf(data), Object.prototype);
  assert.equal(Reflect.get(data as object, "a\0"), 1);
});

const corrupted: readonly [data: string, note: string][] = [
  ["12", "date"],
  ['"SECRET"', "date"],
  ['"SECRET"', "bigint"],
  ['""', "bigint"],
  ['"0x10"', "bigint"],
  ["1.5", "bigint"],
  ['"SECRET"', "number"],
  ['"12"', "number"],
  ["{}", "number"],
  ['"SECRET!"', "bytes"],
  ["[1]", "bytes"],
  ['"SECRET"', "map"],
  ["[1]", "map"],
  ["[[1]]", "map"],
  ["{}", "set"],
  ['"SECRET"', "set"],
  ["[1]", "object"],
  ['{"SECRET\\\\":1}', "object"],
  ["null", "object"],
  ['"SECRET\\\\"', "string"],
  ['"SECRET\\""', "string"],
  ["1", "string"],
  ['"SECRET"', "undefined"],
  ["1", "SECRET"],
  ["1", "__proto__"],
  ["1", "constructor"],
];

test("load() throws CorruptEventError when an annotation does not fit the data", async () => {
  for (const [data, note] of corrupted) {
    const codec = JSON.stringify({ "/data": note });
    const error: unknown = await read({ data, codec }).catch((error) => error);
    assert(isEventSourceryError(error, "CORRUPT_EVENT"), `${note} over ${data}`);
    assert.equal(error.message, 'Cannot read event 1 of stream "notes": its data does not decode');
    assert.deepEqual([error.streamId, error.version], ["notes", 1]);
    assert(error.cause instanceof Error);
    assert.doesNotMatch(error.cause.message, /SECRET/);
  }
});

test("load() throws CorruptEventError when annotations are no object of strings", async () => {
  for (const codec of ["1", '"text"', "[]", "true", '{"/data":1}']) {
    const reading = read({ data: "1", codec });
    await assert.rejects(reading, { code: "CORRUPT_EVENT" }, codec);
  }
});

test("load() throws CorruptEventError when metadata or the time cannot be read", async () => {
  await assert.rejects(read({ metadata: "[]" }), { code: "CORRUPT_EVENT" });
  await assert.rejects(read({ metadata: "null" }), { code: "CORRUPT_EVENT" });
  await assert.rejects(read({ createdAt: "yesterday" }), { code: "CORRUPT_EVENT" });
});

test("load() gives events that are frozen deeply", async () => {
  const { back } = await store({ list: [{ a: [1] }], date: new Date(0), map: new Map() });
  const walk = (value: unknown): void => {
    if (typeof value !== "object" || value === null) return;
    if (value instanceof Date || value instanceof Map) return;
    assert(Object.isFrozen(value));
    Object.values(value).forEach(walk);
  };
  walk(back);
});

test("load() is not affected when an event that was loaded before has been changed", async () => {
  const { store } = setUp();
  const given = { map: new Map([["a", 1]]), at: new Date(0), bytes: new Uint8Array(1) };
  const appended = await store.append("notes", Noted(given));
  const loaded = await store.load("notes");
  for (const event of [appended.events[0], loaded[0]!]) {
    const { map, at, bytes } = event.data as typeof given;
    map.set("b", 2);
    at.setTime(1);
    bytes[0] = 1;
    event.createdAt.setTime(0);
  }
  const [event] = await store.load("notes");
  assert.deepEqual(event!.data, given);
  assert.notEqual(event!.createdAt.getTime(), 0);
});
