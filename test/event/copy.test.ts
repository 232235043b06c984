import assert from "node:assert/strict";
import { test } from "node:test";
import { runInNewContext } from "node:vm";
import { memory } from "../../drivers/memory/mod.ts";
import { defineEvent, EventStore, isEventSourceryError } from "../../mod.ts";

const Noted = defineEvent<unknown>()("Noted");
const secret = "SECRET-8f3a";

class Person {
  readonly name = secret;
}

const cyclic: { name: string; self?: unknown } = { name: secret };
cyclic.self = [{ cyclic }];

const cyclicMap = new Map<string, unknown>([[secret, 1]]);
cyclicMap.set("self", cyclicMap);

function nested(depth: number, wrap: (inner: unknown) => unknown): unknown {
  let value: unknown = secret;
  for (let level = 0; level < depth; level++) value = wrap(value);
  return value;
}

function throwing(): never {
  throw new Error(secret);
}

function holes(): unknown[] {
  const list: unknown[] = [secret, 1, 2];
  delete list[1];
  return list;
}

const revoked = Proxy.revocable({}, {});
revoked.revoke();

/** What cannot be stored, and where in it the fault is. */
const bad: Record<string, readonly [value: unknown, path?: string]> = {
  "a function": [() => secret],
  "a symbol": [Symbol(secret)],
  "a class instance": [new Person()],
  "a class": [Person],
  "an error": [new Error(secret)],
  "a promise": [Promise.resolve(secret)],
  "a regular expression": [/SECRET/],
  "a boxed string": [Object(secret)],
  "a URL": [new URL(`https://example.com/${secret}`)],
  "a subclass of Date": [new (class Day extends Date {})()],
  "a subclass of Map": [new (class Bag extends Map {})()],
  "a subclass of Array": [new (class List extends Array {})()],
  "an ArrayBuffer": [new ArrayBuffer(8)],
  "floats": [new Float64Array(1)],
  "a WeakMap": [new WeakMap()],
  "an invalid date": [new Date(NaN)],
  "a sparse array": [holes()],
  "an empty array of length 5": [new Array(5)],
  "an array with a name and a hole": [Object.assign([, 1], { name: secret })],
  "an array with a name": [Object.assign([1], { name: secret })],
  "a symbol as a key": [{ [Symbol("key")]: secret }, "Symbol(key)"],
  "the key __proto__": [JSON.parse(`{"__proto__":{"a":"${secret}"}}`), "__proto__"],
  "a getter that throws": [
    Object.defineProperty({}, "name", { get: throwing, enumerable: true }),
    "name",
  ],
  "an item that throws": [Object.defineProperty([1], 0, { get: throwing, enumerable: true }), "0"],
  "a proxy that throws": [new Proxy({}, { ownKeys: throwing })],
  "a proxy that hides its prototype": [new Proxy({}, { getPrototypeOf: throwing })],
  "a revoked proxy": [revoked.proxy],
  "something in a list": [[1, [() => secret]], "1.0"],
  "something in an object": [{ lines: [{ price: () => secret }] }, "lines.0.price"],
  "something in a map's value": [new Map([["a", () => secret]]), "0.1"],
  "something in a map's key": [new Map([[() => secret, "a"]]), "0.0"],
  "something in a set": [new Set([1, () => secret]), "1"],
};

const endless: Record<string, unknown> = {
  "a cycle": cyclic,
  "a cycle through a map": cyclicMap,
  "100,000 objects": nested(100_000, (inner) => ({ inner })),
  "100,000 lists": nested(100_000, (inner) => [inner]),
  "100,000 maps": nested(100_000, (inner) => new Map([[1, inner]])),
  "100,000 sets": nested(100_000, (inner) => new Set([inner])),
};

function assertRefused(make: () => unknown, path: readonly string[] | undefined): void {
  assert.throws(make, (error: unknown) => {
    assert(isEventSourceryError(error, "INVALID_EVENT"), String(error));
    assert(!error.message.includes(secret), error.message);
    assert(error.message.length < 400);
    assert.equal(error.issues.length, 1);
    if (path !== undefined) assert.deepEqual(error.issues[0]?.path.map(String), path);
    return true;
  });
}

for (const [name, [value, path]] of Object.entries(bad)) {
  test(`an event refuses ${name}, in data and metadata, with its path`, () => {
    const keys = path === undefined ? [] : path.split(".");
    assertRefused(() => Noted(value), keys);
    assertRefused(() => Noted({ at: [value] }), ["at", "0", ...keys]);
    assertRefused(() => Noted(1, { metadata: { at: value } }), ["metadata", "at", ...keys]);
  });
}

for (const [name, value] of Object.entries(endless)) {
  test(`an event refuses ${name} deep`, () => {
    assertRefused(() => Noted(value), undefined);
    assertRefused(() => Noted(1, { metadata: { value } }), undefined);
  });
}

test("append() refuses the same in events that were made by hand, and stores nothing", async () => {
  const store = new EventStore(memory(), { events: [Noted] });
  const fine = Noted(1);
  for (const [name, [value]] of Object.entries(bad)) {
    for (const event of [{ ...fine, data: value }, { ...fine, metadata: { value } }]) {
      await assert.rejects(store.append("a", [Noted(1), event]), (error: unknown) => {
        assert(isEventSourceryError(error, "INVALID_EVENT"), name);
        return !error.message.includes(secret);
      });
    }
  }
  assert.deepEqual(await store.streams(), []);
});

test("append() refuses what a Map, a Set or a Date became after its event was made", async () => {
  const changes: ((data: { map: Map<unknown, unknown>; set: Set<unknown>; at: Date }) => void)[] = [
    ({ map }) => map.set("f", () => secret),
    ({ map }) => map.set("self", map),
    ({ set }) => set.add(new Person()),
    ({ at }) => at.setTime(NaN),
  ];
  const store = new EventStore(memory(), { events: [Noted] });
  for (const change of changes) {
    const event = Noted({ map: new Map(), set: new Set(), at: new Date(0) });
    change(event.data as never);
    await assert.rejects(store.append("a", event), (error: unknown) => {
      assert(isEventSourceryError(error, "INVALID_EVENT"));
      return !error.message.includes(secret);
    });
  }
  const event = Noted(1);
  event.createdAt.setTime(NaN);
  await assert.rejects(store.append("a", event), RangeError);
  assert.deepEqual(await store.streams(), []);
});

test("an event takes 400 levels", async () => {
  const store = new EventStore(memory(), { events: [Noted] });
  for (const wrap of [(inner: unknown) => ({ inner }), (inner: unknown) => [inner]]) {
    const deep = nested(400, wrap);
    const { streamId } = await store.append("a", Noted(deep));
    assert.deepEqual((await store.load(streamId, { backwards: true, limit: 1 }))[0]?.data, deep);
  }
});

test("an event takes what is plain, though it comes from elsewhere", () => {
  assert.deepEqual(Noted(Object.assign(Object.create(null), { a: 1 })).data, { a: 1 });
  assert.deepEqual(Noted(new Proxy({ a: 1 }, {})).data, { a: 1 });
  assert.deepEqual(Noted(runInNewContext("({ a: [1] })")).data, { a: [1] });
  assert.deepEqual(
    Noted({
      get a() {
        return 1;
      },
    }).data,
    { a: 1 },
  );
});

test("an event keeps the bytes of a Buffer", () => {
  const { data } = Noted(Buffer.from([1, 2]));
  assert.deepEqual(data, new Uint8Array([1, 2]));
  assert.equal(Object.getPrototypeOf(data), Uint8Array.prototype);
});

test("an event takes names of built-in members as keys", () => {
  const data = { constructor: 1, toString: 2, toJSON: 3, hasOwnProperty: 4, length: 5, then: 6 };
  assert.deepEqual(Noted(data).data, data);
});

test("append() refuses an event by hand whose fields cannot be read, and names no type", async () => {
  const store = new EventStore(memory(), { events: [Noted] });
  const event = new Proxy({ ...Noted(1) }, { get: throwing });
  await assert.rejects(store.append("a", event), {
    code: "INVALID_EVENT",
    type: "unknown",
    message: 'Cannot use event "unknown": reading its fields threw at the top',
  });
});
