import { type } from "arktype";
import assert from "node:assert/strict";
import { test } from "node:test";
import * as v from "valibot";
import { z } from "zod";
import {
  type AnyEventType,
  defineEvent,
  type Event,
  type EventInit,
  type EventOf,
  type EventType,
  type EventTypeOptions,
  type Metadata,
  type RecordedEvent,
  type StandardSchema,
} from "../../mod.ts";
import { expectType, refuses, same } from "./expect.ts";

type Placed = EventOf<typeof Placed>;
type Priced = EventOf<typeof Priced>;
type Closed = EventOf<typeof Closed>;

const Placed = defineEvent<{ sku: string; count: number }>()("Placed");
const Priced = defineEvent<{ cents: number }>()("Priced");
const Closed = defineEvent("Closed");

// As a package on JSR publishes its types: every one is written out.
const Valibot: EventType<Placed> = defineEvent(
  "Placed",
  v.object({ sku: v.string(), count: v.number() }),
);
const Zod: EventType<Placed> = defineEvent(
  "Placed",
  z.object({ sku: z.string(), count: z.number() }),
);
const ArkType: EventType<Placed> = defineEvent("Placed", type({ sku: "string", count: "number" }));
const Unchecked: EventType<Placed> = defineEvent<{ sku: string; count: number }>()("Placed");
const Bare: EventType<Closed> = defineEvent("Closed");
const Defaulted: EventType<Placed, { sku: string; count?: number | undefined }> = defineEvent(
  "Placed",
  v.object({ sku: v.string(), count: v.optional(v.number(), 1) }),
);
const Transformed: EventType<Priced, { cents: string }> = defineEvent(
  "Priced",
  z.object({ cents: z.string().transform(Number) }),
);
const Morphed: EventType<Priced, { cents: string }> = defineEvent(
  "Priced",
  type({ cents: type("string").pipe((text) => Number(text)) }),
);
const Strict: EventType<Placed> = defineEvent(
  "Placed",
  v.strictObject({ sku: v.string(), count: v.number() }),
);
// Whoever gives all that the schema makes may give what it takes.
const Narrowed: EventType<Placed> = defineEvent(
  "Placed",
  z.object({ sku: z.string(), count: z.number().default(1) }),
);

test("EventType holds what a published type says when its schema is any Standard Schema", () => {
  const data = { sku: "a", count: 1 };
  for (const Type of [Valibot, Zod, ArkType, Unchecked, Strict, Narrowed]) {
    assert.deepEqual(Type(data).data, data);
  }
  assert.deepEqual(Defaulted({ sku: "a" }).data, data);
  assert.deepEqual(Transformed({ cents: "5" }).data, Morphed({ cents: "5" }).data);
  assert.equal(Bare().data, undefined);
  same<EventOf<typeof Valibot>, Placed>();
  same<EventOf<typeof Defaulted>, Placed>();
  same<EventOf<typeof Transformed>, Priced>();
  expectType<Placed>()(Defaulted({ sku: "a" }));
  expectType<Priced>()(Morphed({ cents: "5" }));
});

test("defineEvent() infers type, input and output when it is given a schema", () => {
  const FromValibot = defineEvent(
    "Valibot",
    v.object({ at: v.pipe(v.string(), v.transform((text) => new Date(text))) }),
  );
  expectType<EventType<Event<"Valibot", { at: Date }>, { at: string }>>()(FromValibot);
  expectType<Event<"Valibot", { at: Date }>>()(FromValibot({ at: "2026-01-01" }));

  const FromZod = defineEvent("Zod", z.object({ tag: z.string().default("none") }));
  expectType<Event<"Zod", { tag: string }>>()(FromZod({}));
  same<EventOf<typeof FromZod>, Event<"Zod", { tag: string }>>();

  const FromArkType = defineEvent("ArkType", type({ kind: "'big' | 'small'", "note?": "string" }));
  const event = FromArkType({ kind: "big" });
  expectType<"big" | "small">()(event.data.kind);
  expectType<string | undefined>()(event.data.note);

  const Text = defineEvent("Text", v.string());
  expectType<Event<"Text", string>>()(Text("a"));
  const Maybe = defineEvent("Maybe", v.optional(v.string()));
  expectType<Event<"Maybe", string | undefined>>()(Maybe());
});

test("defineEvent() infers type and data when there is no schema", () => {
  expectType<EventType<Closed>>()(Closed);
  expectType<Closed>()(Closed());
  expectType<Closed>()(Closed(undefined, { id: "a" }));
  expectType<EventType<Placed>>()(Placed);
  expectType<Placed>()(Placed({ sku: "a", count: 1 }));
  expectType<"Placed">()(Placed.type);
  expectType<StandardSchema<unknown, { sku: string; count: number }> | undefined>()(Placed.schema);
  const Renamed = defineEvent("Renamed", undefined, { aliases: ["Old"], tags: () => ["a"] });
  expectType<EventType<Event<"Renamed", undefined>>>()(Renamed);
  assert.deepEqual(Renamed().tags, ["a"]);
  const Options = defineEvent<{ a: number } | undefined>()("Options");
  expectType<Event<"Options", { a: number } | undefined>>()(Options());
});

test("Event has exactly its fields when its type and data are given", () => {
  const event = Placed({ sku: "a", count: 1 });
  expectType<string>()(event.id);
  expectType<Date>()(event.createdAt);
  expectType<Metadata>()(event.metadata);
  expectType<string | undefined>()(event.metadata.correlationId);
  expectType<unknown>()(event.metadata["anything"]);
  expectType<readonly string[]>()(event.tags);
  same<Event["data"], unknown>();
  same<Event["type"], string>();
  same<RecordedEvent<Placed | Priced>, RecordedEvent<Placed> | RecordedEvent<Priced>>();
  same<RecordedEvent<Placed>["version"], number>();
  same<RecordedEvent<Placed>["position"], number>();
  same<RecordedEvent<Placed>["data"], { sku: string; count: number }>();
});

test("Event is what defineEvent() makes when it is written out", () => {
  same<Placed, Event<"Placed", { sku: string; count: number }>>();
  same<Priced, Event<"Priced", { cents: number }>>();
  same<Closed, Event<"Closed", undefined>>();
});

test("EventOf gives a union when it is given a union", () => {
  const all = [Placed, Priced, Closed] as const;
  same<EventOf<(typeof all)[number]>, Placed | Priced | Closed>();
  const any: readonly AnyEventType[] = [...all, Valibot, Transformed, Morphed, Defaulted];
  assert.equal(any.length, 7);
});

test("is() narrows events and recorded events when it filters them", () => {
  const events: (Placed | Priced | Closed)[] = [Placed({ sku: "a", count: 1 }), Closed()];
  expectType<Placed[]>()(events.filter(Placed.is));
  expectType<Closed | undefined>()(events.find(Closed.is));
  assert.deepEqual(events.filter(Placed.is).map(({ data }) => data.sku), ["a"]);

  const recorded: RecordedEvent<Placed | Priced | Closed>[] = [];
  expectType<RecordedEvent<Placed>[]>()(recorded.filter(Placed.is));
  expectType<number[]>()(recorded.filter(Priced.is).map(({ data }) => data.cents));

  const Written: EventType<Event<"Placed", { sku: string; count: number }>> = Placed;
  const [written] = events.filter(Written.is);
  const data: { sku: string; count: number } | undefined = written?.data;
  assert.equal(data?.sku, "a");

  const [first] = events;
  if (first !== undefined && !Placed.is(first)) expectType<Priced | Closed>()(first);
  const unknown: Event = Placed({ sku: "a", count: 1 });
  if (Placed.is(unknown)) expectType<string>()(unknown.data.sku);
  if (Defaulted.is(unknown)) expectType<number>()(unknown.data.count);
});

test("defineEvent() checks the last upcast and lets callers annotate old data", () => {
  const Named = defineEvent("Named", v.object({ first: v.string() }), {
    upcast: [
      (old: { name: string }) => ({ names: [old.name] }),
      (old: { names: string[] }) => ({ first: old.names[0] ?? "" }),
    ],
    aliases: ["Called"],
    tags: (data) => {
      expectType<{ first: string }>()(data);
      return [`first:${data.first}`];
    },
  });
  expectType<EventType<Event<"Named", { first: string }>>>()(Named);
  assert.deepEqual(Named({ first: "a" }).tags, ["first:a"]);

  const Counted = defineEvent<{ total: number }>()("Counted", {
    upcast: [(old) => {
      expectType<unknown>()(old);
      return { total: Number(old) };
    }],
    tags: ({ total }) => {
      expectType<number>()(total);
      return [];
    },
  });
  same<EventOf<typeof Counted>, Event<"Counted", { total: number }>>();

  const Parsed = defineEvent("Parsed", z.object({ n: z.string().transform(Number) }), {
    upcast: [(old: { m: number }) => ({ n: old.m })],
    tags: ({ n }) => [n.toFixed(0)],
  });
  assert.deepEqual(Parsed({ n: "7" }).tags, ["7"]);
});

test("EventInit and EventTypeOptions take undefined when an option is left out", () => {
  const init: EventInit = {
    id: undefined,
    createdAt: undefined,
    metadata: { correlationId: undefined, causationId: undefined, user: "a" },
    tags: undefined,
  };
  const options: EventTypeOptions<number> = {
    upcast: undefined,
    aliases: undefined,
    tags: undefined,
  };
  assert.equal(defineEvent("N", v.number(), options)(1, init).data, 1);
});

test("defineEvent() does not compile when it is misused", () => {
  refuses(() => {
    // @ts-expect-error a wrong type of data
    Placed({ sku: 1, count: 1 });
    // @ts-expect-error too little data
    Placed({ sku: "a" });
    // @ts-expect-error data that the type does not have
    Placed({ sku: "a", count: 1, extra: true });
    // @ts-expect-error no data
    Placed();
    // @ts-expect-error data for an event without any
    Closed({ sku: "a" });
    // @ts-expect-error the output of a schema where its input is wanted
    Transformed({ cents: 5 });
    // @ts-expect-error an unknown field of the second argument
    Closed(undefined, { author: "a" });
    // @ts-expect-error an id that is not a string
    Closed(undefined, { id: 1 });
    // @ts-expect-error a correlation id that is not a string
    Closed(undefined, { metadata: { correlationId: 1 } });
    // @ts-expect-error a value that is not a schema
    defineEvent("X", { parse: () => 1 });
    // @ts-expect-error options where the schema belongs
    defineEvent("X", { aliases: ["Y"] });
    // @ts-expect-error an unknown option
    defineEvent("X", v.number(), { alias: ["Y"] });
    // @ts-expect-error an event's data is frozen, and so are its fields
    Closed().type = "Closed";
    // @ts-expect-error one event is not another
    const placed: Placed = Priced({ cents: 1 });
    // @ts-expect-error an event is not recorded before it is stored
    const recorded: RecordedEvent<Placed> = Placed({ sku: "a", count: 1 });
    return [placed, recorded];
  });
});

test("EventType does not compile when it says something else than its definition", () => {
  refuses(() => {
    // @ts-expect-error another name
    const name: EventType<Placed> = defineEvent("Order", v.object({ sku: v.string() }));
    // @ts-expect-error other data
    const data: EventType<Closed> = defineEvent("Closed", v.string());
    const cents = z.object({ cents: z.string().transform(Number) });
    // @ts-expect-error the schema takes a string
    const input: EventType<Priced> = defineEvent("Priced", cents);
    // @ts-expect-error there is no data
    const none: EventType<Placed> = defineEvent("Placed");
    return [name, data, input, none];
  });
});

test("upcast does not compile when its last step does not return today's data", () => {
  const old = (data: { m: number }) => ({ m: data.m });
  const today = (data: { m: number }) => ({ n: data.m });
  refuses(() => {
    // @ts-expect-error the only step
    defineEvent<{ n: number }>()("X", { upcast: [old] });
    // @ts-expect-error the last step of two
    defineEvent<{ n: number }>()("X", { upcast: [today, old] });
    // @ts-expect-error the only step, beside a schema
    defineEvent("X", v.object({ n: v.number() }), { upcast: [old] });
    // @ts-expect-error no step at all
    defineEvent<{ n: number }>()("X", { upcast: [] });
    // @ts-expect-error tags that are no strings
    defineEvent<{ n: number }>()("X", { tags: (data) => [data.n] });
    return defineEvent<{ n: number }>()("X", { upcast: [old, today] });
  });
});

test("is() does not compile when a narrowed event is used as another", () => {
  const events: (Placed | Priced)[] = [];
  refuses(() => {
    // @ts-expect-error only Placed is left
    events.filter(Placed.is).map(({ data }) => data.cents);
    // @ts-expect-error a string is not an event
    Placed.is("Placed");
  });
});
