import assert from "node:assert/strict";
import { test } from "node:test";
import { memory } from "../drivers/memory.ts";
import {
  Aggregate,
  decider,
  defineEvent,
  EventStore,
  isEventSourceryError,
  Outbox,
  Projection,
  Repository,
  Subscription,
} from "../mod.ts";
import { all } from "./support/shop.ts";

const Noted = defineEvent<unknown>()("Noted");
const secret = "SECRET-8f3a";
const open = () => new EventStore(memory(), { events: [Noted] });
class Note extends Aggregate<ReturnType<typeof Noted>> {
  protected apply(): void {}
}

type Store = ReturnType<typeof open>;

/** What is refused: an error's name or code, and the word that its message names. */
type Refusal = readonly [use: (store: Store) => unknown, name: string, word: string];

const loose = <T>(value: unknown): T => value as T;
const event = () => Noted({ password: secret });
const long = "x".repeat(1_000_000);

const names: readonly [name: unknown, error: string][] = [
  ["", "RangeError"],
  [long, "RangeError"],
  ["é".repeat(257), "RangeError"],
  ["a\0b", "TypeError"],
  ["\ud800", "TypeError"],
  ["a\udc00", "TypeError"],
  [5, "TypeError"],
  [null, "TypeError"],
  [undefined, "TypeError"],
  [{ toString: () => secret }, "TypeError"],
  [[secret], "TypeError"],
  [Symbol(secret), "TypeError"],
];

const numbers: readonly [number: unknown, error: string][] = [
  [-1, "RangeError"],
  [1.5, "RangeError"],
  [NaN, "RangeError"],
  [Infinity, "RangeError"],
  [2 ** 53, "RangeError"],
  ["1", "TypeError"],
  [1n, "TypeError"],
  [null, "TypeError"],
  [{}, "TypeError"],
];

const refusals: readonly Refusal[] = [
  ...names.flatMap(([value, name]): Refusal[] => {
    const bad = loose<string>(value);
    return [
      [(store) => store.append(bad, event()), name, "streamId"],
      [(store) => store.publish(bad, event()), name, "streamId"],
      [(store) => store.appendAll([{ streamId: bad, events: event() }]), name, "streamId"],
      [(store) => store.load(bad), name, "streamId"],
      [(store) => all(store.read(bad)), name, "streamId"],
      [(store) => store.fold(bad, 0, () => 0), name, "streamId"],
      [(store) => store.version(bad), name, "streamId"],
      [(store) => store.delete(bad), name, "streamId"],
      [(store) => all(store.readAll({ types: [bad] })), name, "types[0]"],
      [(store) => all(store.readAll({ tags: ["a", bad] })), name, "tags[1]"],
      [(store) => store.append("a", { ...event(), id: bad }), name, "id"],
      [(store) => store.append("a", { ...event(), tags: [bad] }), name, "tags[0]"],
    ];
  }),
  ...names.filter(([value]) => /string|number/.test(typeof value)).flatMap(
    ([value, name]): Refusal[] =>
      ["correlationId", "causationId"].map((key) => [
        (store) => store.append("a", { ...event(), metadata: { [key]: value } }),
        name,
        key,
      ]),
  ),
  ...numbers.flatMap(([value, name]): Refusal[] => {
    const bad = loose<number>(value);
    const typed = typeof value === "string" || typeof value !== "number" ? "TypeError" : name;
    return [
      [(store) => store.append("a", event(), { expectedVersion: bad }), typed, "expectedVersion"],
      [(store) => store.load("a", { from: bad }), name, "from"],
      [(store) => store.load("a", { to: bad }), name, "to"],
      [(store) => store.load("a", { limit: bad }), name, "limit"],
      [(store) => store.fold("a", 0, () => 0, { to: bad }), name, "to"],
      [(store) => all(store.readAll({ after: bad })), name, "after"],
      [(store) => all(store.readAll({ limit: bad })), name, "limit"],
    ];
  }),
  [(store) => store.load("a", { from: 0 }), "RangeError", "from"],
  [(store) => store.append("a", []), "RangeError", "0 events"],
  [(store) => store.appendAll([]), "RangeError", "0 streams"],
  [(store) => store.appendAll([{ streamId: "a", events: [] }]), "RangeError", "0 events"],
  [(store) => store.appendAll({ streamId: "a" } as never), "TypeError", "appends"],
  [(store) => store.appendAll([null] as never), "TypeError", "appends"],
  [(store) => store.appendAll([secret] as never), "TypeError", "appends"],
  [
    (store) =>
      store.appendAll([{ streamId: "a", events: event() }, { streamId: "a", events: event() }]),
    "TypeError",
    "one stream twice",
  ],
  [
    (store) => store.append("a", event(), { expectedVersion: loose(secret.slice(0, 0) + "none") }),
    "TypeError",
    "expectedVersion",
  ],
  ...[undefined, null, secret, 5, [null], [undefined], [[event()]], new Array(2), Noted].map(
    (events): Refusal => [(store) => store.append("a", events as never), "TypeError", ""],
  ),
  [
    (store) => store.append("a", { ...event(), type: loose("Other") }),
    "UNKNOWN_EVENT_TYPE",
    "Other",
  ],
  [(store) => store.append("a", { ...event(), type: loose(long) }), "UNKNOWN_EVENT_TYPE", "xxx"],
  [(store) => store.append("a", { ...event(), type: loose([secret]) }), "TypeError", "type"],
  [(store) => store.append("a", { ...event(), type: loose(undefined) }), "TypeError", "type"],
  ...[undefined, secret, 5, null, [], new Map(), new Date(), new Uint8Array(1)].map(
    (metadata): Refusal => [
      (store) => store.append("a", { ...event(), metadata: loose(metadata) }),
      "TypeError",
      "metadata",
    ],
  ),
  ...[secret, 5, [], new Map()].map(
    (metadata): Refusal => [() => Noted(1, { metadata: loose(metadata) }), "TypeError", "metadata"],
  ),
  ...[secret, 5, {}, new Set(["a"])].flatMap((tags): Refusal[] => [
    [() => Noted(1, { tags: loose(tags) }), "TypeError", "tags"],
    [(store) => store.append("a", { ...event(), tags: loose(tags) }), "TypeError", "tags"],
    [(store) => all(store.readAll({ tags: loose(tags) })), "TypeError", "tags"],
    [(store) => all(store.readAll({ types: loose(tags) })), "TypeError", "types"],
    [(store) => all(store.readAll({ categories: loose(tags) })), "TypeError", "categories"],
  ]),
  ...[secret, 5, {}].flatMap((createdAt): Refusal[] => [
    [() => Noted(1, { createdAt: loose(createdAt) }), "TypeError", "createdAt"],
    [(store) => store.fold("a", 0, () => 0, { at: loose(createdAt) }), "TypeError", "at"],
  ]),
  ...[new Date(NaN), new Date(8.64e15), new Date("0000-01-01"), new Date("-000001-01-01")].map(
    (createdAt): Refusal => [() => Noted(1, { createdAt }), "RangeError", "createdAt"],
  ),
  ...[undefined, null, secret, 5, []].flatMap((options): Refusal[] => [
    [(store) => store.scope(options as never), "TypeError", "options"],
    [(store) => new Outbox(store, options as never), "TypeError", "options"],
    [(store) => new Subscription(store, options as never), "TypeError", "options"],
    [(store) => new Projection(store, options as never), "TypeError", "options"],
    [() => decider(options as never), "TypeError", "options"],
    [(store) => new Repository(store, options as never), "TypeError", "aggregateClass"],
    [() => new Repository(options as never, Note), "TypeError", "store"],
    [() => new Outbox((options ?? {}) as never, { publisher() {} }), "TypeError", "store"],
  ]),
  ...[null, secret, 5, []].map(
    (init): Refusal => [() => Noted(1, loose(init)), "TypeError", "init"],
  ),
  ...[null, "abc", 5, {}].flatMap((wrong): Refusal[] => [
    [() => defineEvent<unknown>()("A", { aliases: loose(wrong) }), "TypeError", "aliases"],
    [() => defineEvent<unknown>()("A", { tags: loose(wrong) }), "TypeError", "tags"],
    [() => defineEvent<unknown>()("A", { upcast: loose(wrong) }), "TypeError", "upcast"],
  ]),
  [async (store) => await store.streams({ category: loose(5) }), "TypeError", "category"],
  [async (store) => await store.streams({ category: "a\0" }), "TypeError", "category"],
];

test("everything refuses bad input with a clear error, and stores nothing", async () => {
  for (const [index, [use, name, word]] of refusals.entries()) {
    const store = open();
    const shown = `${index}: ${use} with ${name}`;
    let error: unknown;
    try {
      await use(store);
    } catch (caught) {
      error = caught;
    }
    assert(error instanceof Error, shown);
    if (isEventSourceryError(error)) assert.equal(error.code, name, shown);
    else assert.equal(error.name, name, `${shown}: ${error}`);
    assert(error.message.includes(word), `${shown}: ${error.message}`);
    assert(!error.message.includes(secret), `${shown}: ${error.message}`);
    assert(error.message.length < 500, shown);
    assert.deepEqual(await store.streams(), [], shown);
    assert.equal(await store.position(), 0, shown);
  }
});

test("append() refuses an event whose own fields throw, and stores nothing", async () => {
  const store = open();
  for (const key of ["type", "id", "createdAt", "data", "metadata", "tags"]) {
    const bad = Object.defineProperty({ ...event() }, key, {
      get: () => {
        throw new Error(secret);
      },
      enumerable: true,
    });
    await assert.rejects(store.append("a", bad), (error: unknown) => {
      assert(isEventSourceryError(error, "INVALID_EVENT"));
      return !error.message.includes(secret);
    });
  }
  const { proxy, revoke } = Proxy.revocable(event(), {});
  revoke();
  await assert.rejects(store.append("a", proxy), TypeError);
  assert.deepEqual(await store.streams(), []);
});

test("append() refuses what the store's own functions answer wrongly, and stores nothing", async () => {
  const options = [
    [{ clock: () => Date.now() as never }, TypeError],
    [{ clock: () => new Date(NaN) }, RangeError],
    [{ generateId: () => "" }, RangeError],
    [{ generateId: () => 5 as never }, TypeError],
    [{ publishes: () => "yes" as never }, TypeError],
    [{ publishes: (async () => false) as never }, TypeError],
  ] as const;
  for (const [option, kind] of options) {
    const store = new EventStore(memory(), { events: [Noted], ...option });
    await assert.rejects(store.append("a", event()), kind);
    assert.deepEqual(await store.streams(), []);
  }
  const wrong = () => new EventStore(memory(), { events: [Noted], publishes: "yes" as never });
  assert.throws(wrong, TypeError);
});

test("append() takes no options for none", async () => {
  assert.equal((await open().append("a", event(), undefined)).version, 1);
  assert.equal((await open().append("a", event(), loose(null))).version, 1);
  assert.equal((await open().append("a", event(), {})).version, 1);
});

test("everything takes hostile but well-formed names", async () => {
  const hostile = ["'; drop table events; --", '"', "%", "_", "\\", "\n", "\u0001", "\u{1f600}"];
  const store = open();
  for (const name of hostile) {
    const tagged = Noted(name, { id: name, tags: [name], metadata: { correlationId: name } });
    await store.scope({ tenantId: name }).append(name, tagged);
    await store.append(name, tagged);
    const [loaded] = await store.load(name);
    assert.deepEqual([loaded?.id, loaded?.data, loaded?.tags], [name, name, [name]]);
    assert.equal((await all(store.readAll({ tags: [name] }))).length, 2);
  }
});
