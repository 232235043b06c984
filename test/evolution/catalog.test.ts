import { type } from "arktype";
import assert from "node:assert/strict";
import { test } from "node:test";
import * as v from "valibot";
import { z } from "zod";
import { defineEvent, DuplicateEventTypeError } from "../../mod.ts";
import { compareCatalogs, eventCatalog } from "../../src/evolution/mod.ts";
import { convert } from "../../examples/evolution/check.ts";

const Placed = defineEvent("Placed", z.object({ sku: z.string(), at: z.date() }), {
  aliases: ["Ordered", "Bought"],
  upcast: [() => ({ sku: "", at: new Date(0) })],
  tags: ({ sku }) => [sku],
});
const Noted = defineEvent<string>()("Noted");
const Closed = defineEvent("Closed");

test("eventCatalog() gives the same text whatever the order of types, fields and names is", () => {
  const reordered = defineEvent("Placed", z.object({ at: z.date(), sku: z.string() }), {
    aliases: ["Bought", "Ordered"],
    upcast: [() => ({ sku: "", at: new Date(0) })],
    tags: () => [],
  });
  const catalog = eventCatalog([Placed, Noted, Closed], { retired: ["B", "A"] });
  const other = eventCatalog([Closed, Noted, reordered], { retired: ["A", "B"] });
  assert.equal(JSON.stringify(catalog), JSON.stringify(other));
  assert.deepEqual(JSON.parse(JSON.stringify(catalog)), catalog);
  assert.deepEqual(catalog, {
    format: 1,
    events: [
      {
        ...{ type: "Closed", version: 1, aliases: [], schema: { "x-type": "undefined" } },
        ...{ tagged: false, sensitive: [] },
      },
      {
        ...{ type: "Noted", version: 1, aliases: [], schema: null },
        ...{ reason: "the type has no schema", tagged: false, sensitive: [] },
      },
      {
        type: "Placed",
        version: 2,
        aliases: ["Bought", "Ordered"],
        schema: {
          type: "object",
          properties: {
            at: { type: "string", format: "date-time", "x-type": "Date" },
            sku: { type: "string" },
          },
          required: ["at", "sku"],
          additionalProperties: false,
        },
        tagged: true,
        sensitive: [],
      },
    ],
    retired: ["A", "B"],
  });
});

test("eventCatalog() describes the output of a schema when its input is another", () => {
  const schema = z.object({ count: z.number().default(1) });
  const [event] = eventCatalog([defineEvent("A", schema)]).events;
  assert.deepEqual(Object(event?.schema).required, ["count"]);
});

test("eventCatalog() describes equal data alike when it is of Valibot, Zod or ArkType", () => {
  const Node = z.object({
    get children() {
      return z.array(Node);
    },
  });
  const catalogs = [
    defineEvent(
      "A",
      v.object({
        ...{ name: v.string(), note: v.optional(v.nullable(v.string())), at: v.date() },
        ...{ lines: v.array(v.object({ cents: v.number() })), kind: v.picklist(["a", "b"]) },
        ...{ big: v.bigint(), by: v.record(v.string(), v.number()), yes: v.boolean() },
      }),
    ),
    defineEvent(
      "A",
      z.object({
        ...{ name: z.string(), note: z.string().nullable().optional(), at: z.date() },
        ...{ lines: z.array(z.object({ cents: z.number() })), kind: z.enum(["a", "b"]) },
        ...{ big: z.bigint(), by: z.record(z.string(), z.number()), yes: z.boolean() },
      }),
    ),
    defineEvent(
      "A",
      type({
        ...{ name: "string", "note?": "string | null", at: "Date", lines: { cents: "number" } },
        ...{ kind: "'a' | 'b'", big: "bigint", by: { "[string]": "number" }, yes: "boolean" },
        lines: type({ cents: "number" }).array(),
      }),
    ),
  ].map((event) => eventCatalog([event], { toJsonSchema: convert }));
  for (const before of catalogs) {
    for (const after of catalogs) {
      const broken = compareCatalogs(before, after).compatible.filter(({ breaks }) => breaks);
      assert.deepEqual([...compareCatalogs(before, after).breaking, ...broken], []);
    }
  }
});

test("eventCatalog() says why there is no schema when one cannot be described", () => {
  const events = [
    defineEvent("Own", v.object({ a: v.string() })),
    defineEvent("Throws", v.string()),
    defineEvent("Text", v.string()),
    defineEvent("Loop", v.string()),
  ];
  const loop: { self?: unknown } = {};
  loop.self = loop;
  const { events: described } = eventCatalog(events, {
    toJsonSchema: (_, name) => {
      if (name === "Throws") throw new Error("cannot be described");
      return name === "Text" ? "a string" : name === "Loop" ? loop : undefined;
    },
  });
  assert.deepEqual(described.map(({ schema }) => schema), [null, null, null, null]);
  const reasons = new Map(described.map(({ type, reason }) => [type, reason]));
  assert.equal(reasons.get("Own"), "valibot describes no schemas; pass toJsonSchema");
  assert.equal(reasons.get("Throws"), "cannot be described");
  assert.equal(reasons.get("Text"), "its description is not a JSON Schema, but a string");
  assert.match(reasons.get("Loop")!, /circular/i);
});

test("eventCatalog() prefers the caller's description when both have one", () => {
  const [event] = eventCatalog([defineEvent("A", z.string())], {
    toJsonSchema: () => ({ type: "number" }),
  }).events;
  assert.deepEqual(event?.schema, { type: "number" });
});

test("eventCatalog() refuses what is not a list of event types, and names that are taken", () => {
  const bad: unknown = { type: "A" };
  assert.throws(() => eventCatalog([bad as typeof Closed]), TypeError);
  assert.throws(() => eventCatalog(bad as readonly []), TypeError);
  assert.throws(() => eventCatalog([], { retired: [""] }), RangeError);
  const Ordered = defineEvent("Ordered");
  assert.throws(() => eventCatalog([Placed, Ordered]), DuplicateEventTypeError);
  assert.throws(() => eventCatalog([Placed], { retired: ["Bought"] }), DuplicateEventTypeError);
  assert.equal(eventCatalog([Placed, Placed]).events.length, 1);
});
