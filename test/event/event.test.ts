import assert from "node:assert/strict";
import { test } from "node:test";
import { inspect } from "node:util";
import * as v from "valibot";
import { defineEvent, isEventSourceryError } from "../../mod.ts";

const TurnedOn = defineEvent("TurnedOn");
const SprintStarted = defineEvent(
  "SprintStarted",
  v.strictObject({
    projectKey: v.pipe(v.string(), v.toUpperCase()),
    endsAt: v.date(),
    goals: v.optional(v.array(v.object({ name: v.string() })), []),
  }),
);
const Noted = defineEvent<unknown>()("Noted");
const endsAt = new Date("2026-12-01");

test("defineEvent() makes a factory of plain objects with id, time, metadata, tags and data", () => {
  const before = Date.now();
  const event = SprintStarted({ projectKey: "PRO", endsAt });
  assert.deepEqual(Object.keys(event), ["type", "id", "createdAt", "data", "metadata", "tags"]);
  assert.equal(Object.getPrototypeOf(event), Object.prototype);
  assert.equal(event.type, "SprintStarted");
  assert.deepEqual(event.data, { projectKey: "PRO", endsAt, goals: [] });
  assert(event.createdAt.getTime() >= before && event.createdAt.getTime() <= Date.now());
  assert.deepEqual([event.metadata, event.tags], [{}, []]);
});

test("defineEvent() stores the output of the schema", () => {
  assert.equal(SprintStarted({ projectKey: "pro", endsAt }).data.projectKey, "PRO");
});

test("defineEvent() makes events without data when there is no schema", () => {
  assert.equal(TurnedOn().data, undefined);
});

test("defineEvent() takes id, time, metadata and tags when they are given", () => {
  const createdAt = new Date("2020-01-01T00:00:00Z");
  const given = {
    id: "my-id",
    createdAt,
    metadata: { correlationId: "c", user: "u" },
    tags: ["t"],
  };
  const event = TurnedOn(undefined, given);
  assert.deepEqual(event, { type: "TurnedOn", data: undefined, ...given });
});

test("defineEvent() chooses by itself what is given as undefined", () => {
  const init = { id: undefined, createdAt: undefined, metadata: undefined, tags: undefined };
  const event = TurnedOn(undefined, init);
  assert.equal(event.id.length, 36);
  assert.deepEqual([event.metadata, event.tags], [{}, []]);
});

test("defineEvent() freezes an event deeply", () => {
  const event = SprintStarted(
    { projectKey: "PRO", endsAt, goals: [{ name: "a" }] },
    { metadata: { nested: { list: [1] } }, tags: ["a"] },
  );
  const nested = event.metadata["nested"] as { list: number[] };
  const parts = [event, event.data, event.data.goals, event.data.goals[0], event.metadata, nested];
  for (const part of [...parts, nested.list, event.tags]) assert(Object.isFrozen(part));
  assert.throws(() => Object.assign(event.data, { projectKey: "X" }), TypeError);
});

test("defineEvent() copies data, so that the caller's changes do not reach the event", () => {
  const list = [1];
  const given = {
    list,
    at: new Date(5),
    map: new Map([["a", list]]),
    set: new Set([1]),
    bytes: new Uint8Array([1]),
  };
  const event = Noted(given);
  list.push(2);
  given.at.setTime(6);
  given.map.set("b", []);
  given.set.add(2);
  given.bytes[0] = 2;
  assert.deepEqual(event.data, {
    list: [1],
    at: new Date(5),
    map: new Map([["a", [1]]]),
    set: new Set([1]),
    bytes: new Uint8Array([1]),
  });
  assert(!Object.isFrozen(list));
});

test("defineEvent() copies time, metadata and tags", () => {
  const init = { createdAt: new Date(5), metadata: { list: [1] }, tags: ["a"] };
  const event = TurnedOn(undefined, init);
  init.createdAt.setTime(6);
  init.metadata.list.push(2);
  init.tags.push("b");
  assert.deepEqual(event.createdAt, new Date(5));
  assert.deepEqual([event.metadata, event.tags], [{ list: [1] }, ["a"]]);
});

test("defineEvent() makes tags of the data", () => {
  const Placed = defineEvent<{ sku: string }>()("Placed", { tags: ({ sku }) => [`sku:${sku}`] });
  assert.deepEqual(Placed({ sku: "a" }).tags, ["sku:a"]);
  assert.deepEqual(Placed({ sku: "a" }, { tags: ["own"] }).tags, ["own"]);
  assert.deepEqual(Placed({ sku: "a" }, { tags: ["b", "b"] }).tags, ["b"]);
});

test("defineEvent() gives tags the data that is stored", () => {
  const schema = v.pipe(v.string(), v.toUpperCase());
  const Renamed = defineEvent("Renamed", schema, { tags: (name) => [name] });
  assert.deepEqual(Renamed("a").tags, ["A"]);
});

test("defineEvent() throws InvalidEventError with every path when data does not fit", () => {
  const given = { projectKey: 1, goals: [{ name: "a" }, { name: 2 }], extra: "SECRET" };
  assert.throws(() => SprintStarted(given as never), (error: unknown) => {
    assert(isEventSourceryError(error, "INVALID_EVENT"));
    const paths = error.issues.map(({ path }) => path.join("."));
    assert.deepEqual(paths.sort(), ["endsAt", "extra", "goals.1.name", "projectKey"]);
    for (const { message } of error.issues) assert(message.length > 0);
    assert.equal(error.type, "SprintStarted");
    assert.match(
      error.message,
      /^Cannot use event "SprintStarted": invalid data at .*"goals\[1\]\.name"/,
    );
    assert.doesNotMatch(error.message, /SECRET/);
    return true;
  });
});

test("defineEvent() throws InvalidEventError when data is given to an event without any", () => {
  const wrong = TurnedOn as (data: unknown) => unknown;
  assert.throws(() => wrong({ a: "SECRET" }), (error: unknown) => {
    assert(isEventSourceryError(error, "INVALID_EVENT"));
    assert.doesNotMatch(error.message, /SECRET/);
    return true;
  });
});

test("defineEvent() throws TypeError when the schema answers with a promise", () => {
  const schema = v.objectAsync({ a: v.string() });
  const Slow = defineEvent(
    "Slow",
    schema as unknown as v.ObjectSchema<{ a: v.StringSchema<undefined> }, undefined>,
  );
  assert.throws(() => Slow({ a: "SECRET" }), (error: unknown) => {
    assert(error instanceof TypeError);
    assert.match(error.message, /^Cannot create event "Slow": its schema is async/);
    return true;
  });
});

test("defineEvent() throws InvalidEventError when the schema throws", () => {
  const schema = v.pipe(
    v.string(),
    v.transform((text): string => {
      throw new Error(text);
    }),
  );
  const Broken = defineEvent("Broken", schema);
  assert.throws(() => Broken("SECRET"), (error: unknown) => {
    assert(isEventSourceryError(error, "INVALID_EVENT"));
    assert.doesNotMatch(error.message, /SECRET/);
    assert(error.cause instanceof Error);
    return true;
  });
});

test("defineEvent() throws when a name is malformed", () => {
  for (const name of ["", "a\0b", "\ud800", "x".repeat(513), "é".repeat(257), "?Old", 1, null]) {
    const wrong = (error: unknown) => error instanceof TypeError || error instanceof RangeError;
    assert.throws(() => defineEvent(name as string), wrong);
    assert.throws(() => defineEvent<string>()("Fine", { aliases: [name as string] }), wrong);
  }
});

test("defineEvent() takes a name when it is odd but well-formed", () => {
  for (const name of ["it's", '"%_\\', "__proto__", "é".repeat(256), "a?", "😀"]) {
    assert.equal(defineEvent(name)().type, name);
  }
});

test("defineEvent() throws TypeError when schema, upcast or tags are wrong", () => {
  assert.throws(
    () => defineEvent("A", {} as never),
    /schema of event "A" must be a Standard Schema/,
  );
  assert.throws(
    () => defineEvent<1>()("A", { upcast: [1 as never] }),
    /must be a list of functions/,
  );
  const Wrong = defineEvent<1>()("A", { tags: () => "text" as never });
  assert.throws(() => Wrong(1), { name: "TypeError", message: /^tags must be an array/ });
});

test("EventType tells its name and its schema", () => {
  assert.equal(SprintStarted.type, "SprintStarted");
  assert.equal(SprintStarted.schema?.["~standard"].vendor, "valibot");
  assert.equal(TurnedOn.schema, undefined);
});

test("is() filters events of the type", () => {
  const events = [TurnedOn(), SprintStarted({ projectKey: "A", endsAt }), TurnedOn()];
  assert.equal(events.filter(TurnedOn.is).length, 2);
  assert.deepEqual(events.filter(SprintStarted.is).map(({ data }) => data.projectKey), ["A"]);
});

test("inspect() shows type, id, time and then the data of an event", () => {
  const printed = inspect(SprintStarted({ projectKey: "PRO", endsAt }));
  const shown = ["type", "SprintStarted", "id", "createdAt", "data", "projectKey", "metadata"];
  const places = shown.map((word) => printed.indexOf(word));
  assert.deepEqual(places, places.toSorted((a, b) => a - b));
  assert(!places.includes(-1), printed);
});
