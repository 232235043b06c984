import { type } from "arktype";
import assert from "node:assert/strict";
import { test } from "node:test";
import * as v from "valibot";
import { z } from "zod";
import { memory } from "../../drivers/memory/mod.ts";
import { defineEvent, EventStore, isEventSourceryError, type StandardSchema } from "../../mod.ts";

/** The same event types, once from each library. */
interface Library {
  readonly name: string;
  readonly Placed: (data: { sku: string; count: number; at: Date }) => { readonly data: unknown };
  readonly Defaulted: (data: { sku: string }) => { readonly data: unknown };
  readonly Transformed: (data: { cents: string }) => { readonly data: unknown };
  readonly Strict: (data: { sku: string }) => { readonly data: unknown };
  readonly Loose: (data: { sku: string }) => { readonly data: unknown };
  readonly Nested: (data: { lines: { sku: string }[] }) => { readonly data: unknown };
}

const libraries: readonly Library[] = [
  {
    name: "Valibot",
    Placed: defineEvent("Placed", v.object({ sku: v.string(), count: v.number(), at: v.date() })),
    Defaulted: defineEvent(
      "Defaulted",
      v.object({ sku: v.string(), count: v.optional(v.number(), 1) }),
    ),
    Transformed: defineEvent(
      "Transformed",
      v.object({ cents: v.pipe(v.string(), v.transform(Number)) }),
    ),
    Strict: defineEvent("Strict", v.strictObject({ sku: v.string() })),
    Loose: defineEvent("Loose", v.object({ sku: v.string() })),
    Nested: defineEvent("Nested", v.object({ lines: v.array(v.object({ sku: v.string() })) })),
  },
  {
    name: "Zod",
    Placed: defineEvent("Placed", z.object({ sku: z.string(), count: z.number(), at: z.date() })),
    Defaulted: defineEvent(
      "Defaulted",
      z.object({ sku: z.string(), count: z.number().default(1) }),
    ),
    Transformed: defineEvent("Transformed", z.object({ cents: z.string().transform(Number) })),
    Strict: defineEvent("Strict", z.strictObject({ sku: z.string() })),
    Loose: defineEvent("Loose", z.object({ sku: z.string() })),
    Nested: defineEvent("Nested", z.object({ lines: z.array(z.object({ sku: z.string() })) })),
  },
  {
    name: "ArkType",
    Placed: defineEvent("Placed", type({ sku: "string", count: "number", at: "Date" })),
    Defaulted: defineEvent("Defaulted", type({ sku: "string", count: "number = 1" })),
    Transformed: defineEvent("Transformed", type({ cents: "string.numeric.parse" })),
    Strict: defineEvent("Strict", type({ "+": "reject", sku: "string" })),
    Loose: defineEvent("Loose", type({ "+": "delete", sku: "string" })),
    Nested: defineEvent("Nested", type({ lines: type({ sku: "string" }).array() })),
  },
];

/** The paths of the issues of the error that this throws. */
function paths(create: () => unknown): readonly (readonly PropertyKey[])[] {
  try {
    create();
  } catch (error) {
    assert(isEventSourceryError(error, "INVALID_EVENT"));
    return error.issues.map(({ path }) => path);
  }
  throw new assert.AssertionError({ message: "It did not throw" });
}

for (const { name, Placed, Defaulted, Transformed, Strict, Loose, Nested } of libraries) {
  const at = new Date("2026-01-31T12:00:00.000Z");

  test(`defineEvent() copies and freezes valid data when ${name} checks it`, () => {
    const given = { sku: "a", count: 1, at };
    const { data } = Placed(given);
    assert.deepEqual(data, given);
    assert.notEqual(data, given);
    assert(Object.isFrozen(data));
    assert(!Object.isFrozen(given));
  });

  test(`defineEvent() fills in defaults when ${name} knows them`, () => {
    assert.deepEqual(Defaulted({ sku: "a" }).data, { sku: "a", count: 1 });
  });

  test(`defineEvent() keeps the output when ${name} transforms`, () => {
    assert.deepEqual(Transformed({ cents: "5" }).data, { cents: 5 });
  });

  test(`defineEvent() names the path of each issue when ${name} refuses data`, () => {
    const wrong: unknown = { sku: 1, count: "many", at };
    assert.deepEqual(paths(() => Reflect.apply(Placed, undefined, [wrong])).toSorted(), [
      ["count"],
      ["sku"],
    ]);
    const deep: unknown = { lines: [{ sku: "a" }, { sku: 2 }] };
    assert.deepEqual(paths(() => Reflect.apply(Nested, undefined, [deep])), [["lines", 1, "sku"]]);
    assert.deepEqual(paths(() => Reflect.apply(Placed, undefined, [undefined])), [[]]);
  });

  test(`defineEvent() does what the schema says of unknown keys when ${name} checks`, () => {
    const extra = { sku: "a", discount: 5 };
    // Zod names the object that holds the key, the others the key.
    assert.deepEqual(paths(() => Strict(extra)), [name === "Zod" ? [] : ["discount"]]);
    assert.deepEqual(Loose(extra).data, { sku: "a" });
  });
}

test("defineEvent() stores the output and reads it without the schema", async () => {
  let runs = 0;
  const Priced = defineEvent(
    "Priced",
    v.pipe(
      v.object({ cents: v.string() }),
      v.transform(({ cents }) => ({ cents: +cents, run: ++runs })),
    ),
  );
  const store = new EventStore(memory(), { events: [Priced] });
  await store.append("price:1", Priced({ cents: "5" }));
  const [event] = await store.load("price:1");
  assert.deepEqual(event?.data, { cents: 5, run: 1 });
  assert.equal(runs, 1);
});

test("defineEvent() says that a schema is async when it answers with a promise", () => {
  const asynchronous: readonly StandardSchema<string, string>[] = [
    v.pipeAsync(v.string(), v.checkAsync(() => Promise.resolve(true))),
    z.string().refine(() => Promise.resolve(true)),
  ];
  for (const schema of asynchronous) {
    assert.throws(() => defineEvent("Slow", schema)("a"), (error: unknown) => {
      const message = String(error);
      return error instanceof TypeError && message.includes('"Slow"') && message.includes("async");
    });
  }
});
