// Whatever is sealed opens equal, and reads as its mask once its subject is forgotten; nothing of it is stored readable.
import { defineEvent, type Driver, EventStore, isEventSourceryError } from "event-sourcery";
import { memory } from "event-sourcery/memory";
import { subjectKeys } from "event-sourcery/privacy";
import fc from "fast-check";
import assert from "node:assert/strict";
import { test } from "node:test";
import { assertSame, data as anyData } from "../support/data.ts";
import { seed } from "../support/seed.ts";

/** All paths through plain objects and lists, as they may be written. */
function pathsOf(value: unknown): readonly string[] {
  if (typeof value !== "object" || value === null) return [];
  if (Array.isArray(value)) {
    const inner = value.map((item) => new Set(pathsOf(item)));
    const plain = value.every((item) => item === null || isPlain(item));
    return [
      "*",
      ...(plain ? [...new Set(inner.flatMap((set) => [...set]))].map((path) => `*.${path}`) : []),
    ];
  }
  if (!isPlain(value)) return [];
  return Object.entries(value).filter(([key]) => !/^$|^\*$|\./.test(key)).flatMap((
    [key, item],
  ) => [key, ...pathsOf(item).map((path) => `${key}.${path}`)]);
}

const isPlain = (value: unknown) =>
  typeof value === "object" && value !== null &&
  (Array.isArray(value) || Object.getPrototypeOf(value) === Object.prototype);

/** Chooses paths that do not overlap. */
function choose(paths: readonly string[], picks: readonly number[]): readonly string[] {
  const chosen: string[] = [];
  const overlap = (one: readonly string[], other: readonly string[]) =>
    one.slice(0, other.length).every((step, at) =>
      step === other[at] || step === "*" || other[at] === "*"
    ) || other.slice(0, one.length).every((step, at) =>
      step === one[at] || step === "*" || one[at] === "*"
    );
  for (const pick of picks) {
    const path = paths[pick % paths.length]!;
    if (!chosen.some((one) => overlap(one.split("."), path.split(".")))) chosen.push(path);
  }
  return chosen;
}

/** The data with masks, by a walk of its own. */
function mask(value: unknown, masks: Readonly<Record<string, unknown>>): unknown {
  const walk = (item: unknown, at: readonly string[]): unknown => {
    const found = Object.entries(masks).find(([path]) => {
      const steps = path.split(".");
      return steps.length === at.length &&
        steps.every((step, index) => step === "*" || step === at[index]);
    });
    if (at.length > 0 && found !== undefined) return found[1];
    if (Array.isArray(item)) return item.map((inner, index) => walk(inner, [...at, String(index)]));
    if (!isPlain(item)) return item;
    return Object.fromEntries(
      Object.entries(item as object).map(([key, inner]) => [key, walk(inner, [...at, key])]),
    );
  };
  return walk(value, []);
}

const marked = (driver: Driver) =>
  driver.load({ tenantId: "", streamId: "s", from: 1, to: 1, limit: 1, backwards: false });

test("any data opens equal, and reads as masked once it is forgotten", async () => {
  let sealed = 0;
  const property = fc.asyncProperty(
    fc.dictionary(fc.constantFrom("a", "b", "~/", "\0", "constructor"), anyData, {
      minKeys: 1,
      noNullPrototype: true,
    }),
    fc.array(fc.nat(), { minLength: 1, maxLength: 3 }),
    fc.array(anyData, { minLength: 3, maxLength: 3 }),
    async (data, picks, values) => {
      const paths = choose(pathsOf(data), picks);
      if (paths.length === 0) return;
      const fields = Object.fromEntries(paths.map((path, index) => [path, values[index]]));
      const Any = defineEvent<unknown>()("Any", {
        sensitive: { subject: () => "someone", fields },
      });
      const driver = memory();
      const store = new EventStore(driver, { events: [Any], keys: subjectKeys() });
      const event = Any(data);
      const result = await store.append("s", event).catch((error: unknown) => {
        // One of several items on the way is no object.
        assert.ok(isEventSourceryError(error, "INVALID_EVENT"));
        return undefined;
      });
      if (result === undefined) return assert.equal(await store.version("s"), 0);
      assertSame(result.events[0].data, data);
      assertSame((await store.load("s"))[0]!.data, data);
      const { events: [raw] } = await marked(driver);
      if (raw?.codec?.["sealed"] === undefined) return; // an empty list on the way
      sealed++;
      await store.forget("someone");
      assertSame((await store.load("s"))[0]!.data, mask(data, fields));
    },
  );
  await fc.assert(property, { seed, numRuns: 300 });
  assert.ok(sealed > 100, `${sealed} sealed`);
});
