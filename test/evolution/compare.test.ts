import assert from "node:assert/strict";
import { test } from "node:test";
import { z } from "zod";
import { defineEvent } from "../../mod.ts";
import {
  type CatalogComparison,
  compareCatalogs,
  type DescribedEvent,
  type EventCatalog,
  eventCatalog,
  type JsonSchema,
} from "../../src/evolution/mod.ts";

const plain: DescribedEvent = {
  ...{ type: "A", version: 1, aliases: [], schema: true, tagged: false, sensitive: [] },
};

function catalog(...events: readonly Partial<DescribedEvent>[]): EventCatalog {
  return { format: 1, events: events.map((event) => ({ ...plain, ...event })), retired: [] };
}

function between(before: z.ZodType, after: z.ZodType): CatalogComparison {
  const [old, now] = [before, after].map((schema) => eventCatalog([defineEvent("A", schema)]));
  return compareCatalogs(old!, now!);
}

/** The changes, as `direction: path reason`. */
function told({ breaking, compatible }: CatalogComparison): string[] {
  return [...breaking, ...compatible].map(({ breaks = "nothing", path, reason }) =>
    `${breaks}: ${path} ${reason}`
  );
}

const text = z.string();
const number = z.number();
const changes: Record<string, [before: z.ZodType, after: z.ZodType, ...told: string[]]> = {
  "nothing changed": [z.object({ a: text }), z.object({ a: text })],
  "a required field is added": [
    z.object({ a: text }),
    z.object({ a: text, b: number }),
    "reading: b is new and required",
  ],
  "an optional field is added": [
    z.object({ a: text }),
    z.object({ a: text, b: number.optional() }),
    "nothing: b is new and optional",
  ],
  "a required field is removed": [
    z.object({ a: text, b: number }),
    z.object({ a: text }),
    "older code: b was required, is gone",
  ],
  "an optional field is removed": [
    z.object({ a: text, b: number.optional() }),
    z.object({ a: text }),
    "nothing: b was optional, is gone",
  ],
  "an optional field becomes required": [
    z.object({ a: text.optional() }),
    z.object({ a: text }),
    "reading: a was optional, is required",
  ],
  "a required field becomes optional": [
    z.object({ a: text }),
    z.object({ a: text.optional() }),
    "older code: a was required, is optional",
  ],
  "a field with a default is added, which no stored event has": [
    z.object({}),
    z.object({ a: text.default("") }),
    "reading: a is new and required",
  ],
  "a type changes": [
    z.object({ lines: z.array(z.object({ price: text })) }),
    z.object({ lines: z.array(z.object({ price: number })) }),
    "reading: lines.*.price was string, is number",
    "older code: lines.*.price was string, is number",
  ],
  "an instant in text becomes a Date": [
    z.object({ at: z.iso.datetime() }),
    z.object({ at: z.date() }),
    "reading: at was date-time, is Date",
    "older code: at was date-time, is Date",
  ],
  "a number becomes a bigint": [
    z.object({ a: z.int() }),
    z.object({ a: z.bigint() }),
    "reading: a was integer, is bigint",
    "older code: a was integer, is bigint",
  ],
  "null is allowed": [
    z.object({ a: text }),
    z.object({ a: text.nullable() }),
    "older code: a may now be null",
  ],
  "null is no longer allowed": [
    z.object({ a: text.nullable() }),
    z.object({ a: text }),
    "reading: a may no longer be null",
  ],
  "a literal is added": [
    z.object({ a: z.enum(["x", "y"]) }),
    z.object({ a: z.enum(["x", "y", "z"]) }),
    'older code: a may now be "z"',
  ],
  "a literal is removed": [
    z.object({ a: z.enum(["x", "y"]) }),
    z.object({ a: z.enum(["x"]) }),
    'reading: a may no longer be "y"',
  ],
  "literals become any text": [
    z.object({ a: z.enum(["x", "y"]) }),
    z.object({ a: text }),
    "older code: a may now be string",
  ],
  "a field of one alternative changes": [
    z.union([
      z.object({ kind: z.literal("card"), number: text }),
      z.object({ kind: z.literal("cash"), due: number }),
    ]),
    z.union([
      z.object({ kind: z.literal("card"), number: text }),
      z.object({ kind: z.literal("cash"), due: text }),
    ]),
    "reading: due was number, is string",
    "older code: due was number, is string",
  ],
  "the values of a record change": [
    z.object({ by: z.record(text, number) }),
    z.object({ by: z.record(text, text) }),
    "reading: by.* was number, is string",
    "older code: by.* was number, is string",
  ],
  "a record becomes an object": [
    z.object({ by: z.record(text, number) }),
    z.object({ by: z.object({ a: number }) }),
    "reading: by.a is new and required",
  ],
  "a tuple grows": [
    z.object({ a: z.tuple([text]) }),
    z.object({ a: z.tuple([text, number]) }),
    "reading: a.1 is required",
    "nothing: a minItems changed, which is checked on write only",
    "nothing: a maxItems changed, which is checked on write only",
    "older code: a.1 is new",
  ],
  "a list becomes a tuple": [
    z.object({ a: z.array(text) }),
    z.object({ a: z.tuple([text]) }),
    "reading: a.0 is required",
    "reading: a may no longer have more items",
    "nothing: a minItems changed, which is checked on write only",
    "nothing: a maxItems changed, which is checked on write only",
  ],
  "lengths, patterns and ranges change": [
    z.object({ a: text, b: number, c: z.email() }),
    z.object({ a: text.min(3).regex(/x/), b: number.max(9), c: text }),
    "nothing: a minLength changed, which is checked on write only",
    "nothing: a pattern changed, which is checked on write only",
    "nothing: b maximum changed, which is checked on write only",
    "nothing: c pattern changed, which is checked on write only",
    "nothing: c format changed, which is checked on write only",
  ],
  "anything becomes something": [
    z.object({ a: z.unknown() }),
    z.object({ a: text }),
    "reading: a was any, is string",
  ],
};

for (const [name, [before, after, ...expected]] of Object.entries(changes)) {
  test(`compareCatalogs() tells what breaks when ${name}`, () => {
    assert.deepEqual(told(between(before, after)), expected);
  });
}

test("compareCatalogs() compares schemas that contain themselves", () => {
  const list = (value: z.ZodType) => {
    const Item: z.ZodType = z.lazy(() => z.object({ value, next: Item.nullable() }));
    return z.object({ first: Item });
  };
  assert.deepEqual(told(between(list(text), list(text))), []);
  const { breaking } = between(list(text), list(number));
  assert.deepEqual(breaking.map(({ path }) => path), ["first.next.value", "first.value"]);
});

test("compareCatalogs() takes what it cannot tell to break", () => {
  const compare = (before: JsonSchema, after: JsonSchema) =>
    told(compareCatalogs(catalog({ schema: before }), catalog({ schema: after })));
  const lost = { properties: { a: { $ref: "#/$defs/Lost" }, b: true }, type: "object" };
  assert.deepEqual(compare(lost, lost), []);
  const was = "something that cannot be compared";
  assert.deepEqual(compare(lost, { ...lost, required: ["b"] }), [
    `reading: a was ${was}, is ${was}`,
    "reading: b was optional, is required",
    `older code: a was ${was}, is ${was}`,
  ]);
  const around: JsonSchema = { $ref: "#/$defs/A", $defs: { A: { $ref: "#/$defs/A" } } };
  assert.equal(compare(around, { type: "string" }).length, 2);
  const wide = (type: string): JsonSchema => ({
    allOf: Array.from({ length: 9 }, () => ({ anyOf: [{ type }, { type: "null" }] })),
  });
  assert.equal(compare(wide("string"), wide("number")).length, 2);
});

test("compareCatalogs() takes an upcast to answer for data of a version that rose", () => {
  const [before, after] = [{ type: "string" }, { type: "number" }];
  const rose = compareCatalogs(catalog({ schema: before }), catalog({ schema: after, version: 2 }));
  assert.deepEqual(rose.breaking, []);
  assert.deepEqual(told(rose), [
    "older code:  version was 1, is 2",
    "older code:  was string, is number",
  ]);
  const fell = compareCatalogs(catalog({ version: 3 }), catalog({ version: 2 }));
  assert.deepEqual(told(fell), ["reading:  version was 3, is 2"]);
});

test("compareCatalogs() follows names through aliases and retired types", () => {
  const before = catalog({ aliases: ["Old"] });
  const compare = (after: EventCatalog) => told(compareCatalogs(before, after));
  const gone = (what: string) =>
    `reading:  ${what} is gone: keep it, name it as an alias, or retire it`;
  assert.deepEqual(compare(catalog()), [gone("the type"), gone('alias "Old"')]);
  assert.deepEqual(compare(catalog({})), [gone('alias "Old"')]);
  assert.deepEqual(compare({ ...catalog(), retired: ["A", "Old"] }), [
    "nothing:  the type is retired",
    'nothing:  alias "Old" is retired',
  ]);
  const renamed = catalog({ type: "B", aliases: ["A", "Old"], schema: { type: "string" } });
  assert.deepEqual(compare(renamed), [
    "reading:  was any, is string",
    'older code:  is now named "B"',
  ]);
  assert.deepEqual(told(compareCatalogs(catalog(), before)), ["older code:  is new"]);
  const split = catalog({}, { type: "B", aliases: ["Old"], schema: { type: "string" } });
  assert.deepEqual(compare(split), [
    "reading:  was any, is string",
    'older code:  gave an alias to "B"',
  ]);
});

test("compareCatalogs() tells what becomes of sensitive fields", () => {
  const schema = {
    type: "object",
    properties: { a: { type: "array", items: { type: "string" } } },
  };
  const clear = catalog({ schema });
  const sealed = catalog({ schema, sensitive: ["a.*"] });
  assert.deepEqual(told(compareCatalogs(sealed, clear)), ["privacy: a.* was sensitive, is not"]);
  assert.equal(compareCatalogs(sealed, clear).breaking.length, 1);
  assert.deepEqual(told(compareCatalogs(clear, sealed)), [
    "nothing: a.* is sensitive now; events stored before keep it in the clear",
  ]);
  const removed = compareCatalogs(sealed, catalog({ schema: { type: "object" } }));
  assert.deepEqual(told(removed), ["nothing: a was optional, is gone"]);
});

test("compareCatalogs() says so when there is no schema, or tags are no longer derived", () => {
  const none = catalog({ schema: null, reason: "the type has no schema", tagged: true });
  assert.deepEqual(told(compareCatalogs(none, catalog({}))), [
    "nothing:  its data is not comparable: until now, the type has no schema",
    "nothing:  no longer derives tags, by which events are found",
  ]);
  assert.deepEqual(told(compareCatalogs(catalog({}), none)), [
    "nothing:  its data is not comparable: the type has no schema",
  ]);
});

test("compareCatalogs() refuses what is not a catalogue", () => {
  const bad: unknown[] = [undefined, [], {}, { ...catalog(), format: 2 }, { format: 1 }];
  for (const value of bad) {
    assert.throws(() => compareCatalogs(value as EventCatalog, catalog()), TypeError);
    assert.throws(() => compareCatalogs(catalog(), value as EventCatalog), TypeError);
  }
});
