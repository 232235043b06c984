import assert from "node:assert/strict";
import { type Cases, dataOf, newEvent, Noted, type Rig, write } from "../rig.ts";

const bytes = Uint8Array.from({ length: 256 }, (_, index) => index);
const controls = String.fromCharCode(...Array(32).keys(), 0x7f, 0x80, 0x2028, 0x2029, 0xfeff);

/** Data is read back equal to what was stored. */
export const encoding: Cases = {
  async "load() returns plain values unchanged"(rig) {
    await roundtrip(rig, [
      ...[
        null,
        true,
        false,
        0,
        1,
        -1,
        0.1,
        1e21,
        5e-324,
        Number.MAX_VALUE,
        2 ** 53 - 1,
        -(2 ** 53),
      ],
      ...[
        "",
        "text",
        " ",
        "null",
        "123",
        '"quoted"',
        "it's",
        "a\\b",
        "%_?$1:x",
        "{}",
        "é\u{1F680}",
      ],
      ...["\n\r\t", controls, "e\u0301 is not \u00e9", "\uFFFD"],
    ]);
  },

  async "load() returns values that JSON cannot express"(rig) {
    await roundtrip(rig, [
      ...[undefined, NaN, Infinity, -Infinity, -0],
      ...[0n, -1n, 2n ** 100n],
      ...["\0", "a\0b", "\ud800", "\udc00\ud800", "\\u0000"],
      ...["1970-01-01T00:00:00.001Z", "0001-01-01", "9999-12-31"].map((text) => new Date(text)),
      ...[bytes, new Uint8Array()],
      ...[new Map<unknown, unknown>([["a", 1], [{ b: 2n }, new Date(0)], [NaN, -0]]), new Map()],
      ...[new Set<unknown>([1, "1", null, undefined, [1n]]), new Set()],
    ]);
  },

  async "load() returns nested values of all kinds"(rig) {
    const leaf = { date: new Date(1), big: 1n, bytes, nan: NaN, nothing: undefined, "": null };
    await roundtrip(rig, [
      ...[{}, [], [[]], [{}], { a: { b: { c: [] } } }],
      { leaf, list: [leaf, [leaf]], map: new Map([["k", leaf]]), set: new Set([[leaf]]) },
      [undefined, null, -0, [undefined]],
      { "/": 1n, "~": 2n, "~1": 3n, "/data": 4n, "a/b~c": { "~0/": 5n } },
      { "a b": 1, "'": 2, '"': 3, "\\": 4, "\n": 5, "%": 6, "é": 7, "\u{1F680}": 8, "a.b": 9 },
      { "\0": 1, "\ud800": { "a\0": 2n } },
      { constructor: 1, toString: 2, hasOwnProperty: 3, prototype: { a: 1 }, length: 4 },
      { $date: "not a date", codec: { "/data": "date" }, "/data/codec": "bigint" },
      nested(400),
    ]);
  },

  async "load() keeps the order of keys"({ store }) {
    const data = { zebra: 1, apple: { y: 1, x: 2 }, "a longer key": 3, b: 4, B: 5 };
    await store.append("a", Noted(data));
    const [event] = await store.load("a");
    assert.equal(JSON.stringify(event?.data), JSON.stringify(data));
  },

  async "load() distinguishes no data from null"({ store }) {
    await store.append("a", [Noted(undefined), Noted(null), Noted("null")]);
    assert.deepEqual(dataOf(await store.load("a")), [undefined, null, "null"]);
  },

  async "load() returns metadata and tags unchanged"({ store }) {
    const metadata = {
      correlationId: "c",
      user: { name: "it's \u{1F680}", since: new Date(1), "a/b": 1n, list: [undefined, -0, bytes] },
      "\0": "\0",
      data: { date: 1 },
      plain: null,
    };
    const tags = ["b", "a", "it's", 'say "x"', "{a,b}", "a\\b", "NULL", "null", " ", "é\u{1F680}"];
    const event = Noted({ date: new Date(2) }, { metadata, tags });
    await store.append("a", event);
    const [loaded] = await store.load("a");
    assert.deepEqual(loaded?.metadata, metadata);
    assert.deepEqual(loaded.tags, tags);
    assert.deepEqual(loaded.data, event.data);
    for await (const found of store.readAll({ tags })) assert.deepEqual(found, loaded);
  },

  async "load() returns instants to the millisecond"({ store }) {
    const instants = [
      ...["2026-01-31T12:00:00.000Z", "2026-01-31T12:00:00.001Z", "2026-06-30T23:59:59.999Z"],
      ...["1969-12-31T23:59:59.999Z", "0001-01-01T00:00:00.001Z", "9999-12-31T23:59:59.999Z"],
      ...["0099-03-01T00:00:00.010Z", "1582-10-10T00:00:00.100Z", "2026-03-29T02:30:00.120Z"],
    ].map((text) => new Date(text));
    await store.append("a", instants.map((createdAt) => Noted(createdAt, { createdAt })));
    const events = await store.load("a");
    assert.deepEqual(events.map(({ createdAt }) => createdAt), instants);
    assert.deepEqual(dataOf(events), instants);
  },

  async "load() of the driver parses exactly the JSON it was given"({ driver }) {
    const event = newEvent({
      data: '{"b":[1.50,-0.0,1e2,"\\ud83d\\ude80","\\u007f\\/"],"a":{"b":null}}',
      metadata: '{"z":"1","a":{"z":[]}}',
      codec: '{"/data/b/1":"number"}',
      schemaVersion: 7,
      tags: ["t"],
      published: true,
    });
    await driver.append([{ tenantId: "t", writes: [write("c:1", "any", event)] }]);
    const { events: [stored] } = await driver.load({
      ...{ tenantId: "t", streamId: "c:1", from: 1, to: 9, limit: 9, backwards: false },
    });
    const { createdAt, position, imported = false, ...rest } = stored!;
    assert.equal(imported, false);
    assert.equal(new Date(createdAt).toISOString(), event.createdAt);
    assert.ok(Number.isSafeInteger(position) && position > 0);
    assert.deepEqual(rest, {
      ...{ id: event.id, type: "Noted", streamId: "c:1", tenantId: "t", version: 1 },
      data: JSON.parse(event.data!),
      metadata: { z: "1", a: { z: [] } },
      codec: { "/data/b/1": "number" },
      ...{ schemaVersion: 7, tags: ["t"], published: true },
    });
  },
};

async function roundtrip({ store }: Rig, values: readonly unknown[]): Promise<void> {
  const { events } = await store.append("values", values.map((value) => Noted(value)));
  const loaded = await store.load("values");
  assert.equal(loaded.length, values.length);
  for (const [index, value] of values.entries()) {
    assert.deepEqual(loaded[index]?.data, value);
    assert.deepEqual(events[index]?.data, value);
  }
}

function nested(depth: number): unknown {
  return depth === 0 ? "deep" : depth % 2 === 0 ? [nested(depth - 1)] : { in: nested(depth - 1) };
}
