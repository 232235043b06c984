import {
  Aggregate,
  decider,
  defineEvent,
  EventStore,
  importEvents,
  Outbox,
  Projection,
  Repository,
  type StandardSchema,
  Subscription,
} from "event-sourcery";
import { memory } from "event-sourcery/memory";
import { all } from "./shop.ts";

/** The event of these tests. */
export const Noted = defineEvent<unknown>()("Noted");
/** What stands in what is refused, and in no message. */
export const secret = "SECRET-8f3a";

class Note extends Aggregate<ReturnType<typeof Noted>> {
  protected apply(): void {}
}

/** A store of that event, on any driver. */
export type Store = EventStore<ReturnType<typeof Noted>>;

/** What is refused: an error's name or code, and the word that its message names. */
export type Refusal = readonly [use: (store: Store) => unknown, name: string, word: string];

/** Makes the event. */
export const event = (): ReturnType<typeof Noted> => Noted({ password: secret });
/** A name that is far too long. */
export const long: string = "x".repeat(1_000_000);

const loose = <T>(value: unknown): T => value as T;

/** What no name may be, and the error's name. */
export const names: readonly [name: unknown, error: string][] = [
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

/** What no number may be, and the error's name. */
export const numbers: readonly [number: unknown, error: string][] = [
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

const cyclic: { name: string; self?: unknown } = { name: secret };
cyclic.self = [{ cyclic }];

/** What no event may carry. */
const unstorable: readonly unknown[] = [
  cyclic,
  () => secret,
  Symbol(secret),
  new Error(secret),
  JSON.parse(`{"__proto__":{"a":"${secret}"}}`),
  {
    get name() {
      throw new Error(secret);
    },
  },
];

/** Answers with a promise. */
const slow: StandardSchema<string, string> = {
  "~standard": { version: 1, vendor: "test", validate: async () => ({ value: secret }) },
};

/** What stores, events, repositories and deciders refuse. */
export const refusals: readonly Refusal[] = [
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
  ...names.map(([value, name]): Refusal => [
    (store) => importEvents(store, [{ streamId: loose(value), event: event() }]),
    name,
    "streamId",
  ]),
  ...[null, "abc", 5, undefined, [secret]].flatMap((wrong): Refusal[] => [
    [(store) => importEvents(store, loose([wrong])), "TypeError", "item 0 of source"],
    [
      (store) => importEvents(store, [{ streamId: "a", event: loose(wrong) }]),
      "TypeError",
      wrong === null || typeof wrong !== "object" ? "events" : "type",
    ],
  ]),
  ...[null, "abc", 5, {}].map((wrong): Refusal => [
    (store) => importEvents(store, loose(wrong)),
    "TypeError",
    "source",
  ]),
  [(store) => importEvents(loose<Store>({ ...store }), []), "TypeError", "store"],
  [
    (store) => store.transaction(({ store }) => importEvents(store, [])),
    "TypeError",
    "store must be one outside of transactions",
  ],
  ...numbers.map(([value, name]): Refusal => [
    (store) => importEvents(store, [], { batchSize: loose(value) }),
    name,
    "batchSize",
  ]),
  ...[0, 10_001].map((batchSize): Refusal => [
    (store) => importEvents(store, [], { batchSize }),
    "RangeError",
    "batchSize",
  ]),
  ...names.flatMap(([value, name]): Refusal[] => [
    [async (store) => await store.trace(loose(value)), name, "correlationId"],
  ]),
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
    return [
      [(store) => store.append("a", event(), { expectedVersion: bad }), name, "expectedVersion"],
      [(store) => store.load("a", { from: bad }), name, "from"],
      [(store) => store.load("a", { to: bad }), name, "to"],
      [(store) => store.load("a", { limit: bad }), name, "limit"],
      [(store) => store.fold("a", 0, () => 0, { to: bad }), name, "to"],
      [(store) => all(store.readAll({ after: bad })), name, "after"],
      [(store) => all(store.readAll({ before: bad })), name, "before"],
      [async (store) => await store.streams({ limit: bad }), name, "limit"],
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
    (store) => store.append("a", event(), { expectedVersion: loose("none") }),
    "TypeError",
    "expectedVersion",
  ],
  ...[undefined, 0, "any", "streamExists"].map((expectedVersion): Refusal => [
    (store) =>
      store.append("a", event(), { expectedVersion: loose(expectedVersion), expectedEventId: "b" }),
    "TypeError",
    "expectedEventId",
  ]),
  ...names.filter(([value]) => value !== undefined).map(([value, name]): Refusal => [
    (store) => store.append("a", event(), { expectedVersion: 1, expectedEventId: loose(value) }),
    name,
    "expectedEventId",
  ]),
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
  ...unstorable.flatMap((value): Refusal[] => [
    [(store) => store.append("a", Noted(value)), "INVALID_EVENT", "Noted"],
    [(store) => store.append("a", { ...event(), data: [value] }), "INVALID_EVENT", "Noted"],
    [(store) => store.append("a", Noted(1, { metadata: { value } })), "INVALID_EVENT", "metadata"],
  ]),
  [() => defineEvent("Slow", slow)(secret), "TypeError", "async"],
  ...[{ [long]: secret }, { [long.slice(0, 500)]: [() => {}] }].map(
    (subscriptions): Refusal => [
      () => new EventStore(memory(), { events: [Noted], subscriptions: subscriptions as never }),
      "TypeError",
      "xxx",
    ],
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
  ...[secret, 5, []].flatMap((wrong): Refusal[] => [
    [(store) => store.append("a", event(), loose(wrong)), "TypeError", "options"],
    [(store) => store.publish("a", event(), loose(wrong)), "TypeError", "options"],
    [() => new EventStore(memory(), { events: [], clock: loose(wrong) }), "TypeError", "clock"],
    [
      () => new EventStore(memory(), { events: [], generateId: loose(wrong) }),
      "TypeError",
      "generateId",
    ],
  ]),
  [(store) => new Repository(store, loose<typeof Note>(class {})), "TypeError", "aggregateClass"],
  ...[null, "abc", 5, {}].flatMap((wrong): Refusal[] => [
    [() => defineEvent<unknown>()("A", { aliases: loose(wrong) }), "TypeError", "aliases"],
    [() => defineEvent<unknown>()("A", { tags: loose(wrong) }), "TypeError", "tags"],
    [() => defineEvent<unknown>()("A", { upcast: loose(wrong) }), "TypeError", "upcast"],
  ]),
  ...names.filter(([value]) => value !== undefined).flatMap(([value, name]): Refusal[] => [
    [async (store) => await store.streams({ after: loose(value) }), name, "after"],
    ...(value === "" ? [] : [[
      async (store: Store) => await store.streams({ prefix: loose(value) }),
      name,
      "prefix",
    ]] as const),
  ]),
  ...["true", 1, 0, null, {}].flatMap((backwards): Refusal[] => [
    [(store) => store.load("a", { backwards: loose(backwards) }), "TypeError", "backwards"],
    [(store) => all(store.readAll({ backwards: loose(backwards) })), "TypeError", "backwards"],
  ]),
  ...[
    ...["2026-01-01", 0, null, {}].map((date) => [date, "TypeError"] as const),
    ...[new Date(NaN), new Date(-1e14)].map((date) => [date, "RangeError"] as const),
  ].flatMap(([date, name]): Refusal[] => [
    [async (store) => await store.positionAt(loose(date)), name, "date"],
    [(store) => all(store.readAll({ since: loose(date) })), name, "since"],
    [(store) => all(store.readAll({ until: loose(date) })), name, "until"],
  ]),
  [async (store) => await store.streams({ category: loose(5) }), "TypeError", "category"],
  [async (store) => await store.streams({ category: "a\0" }), "TypeError", "category"],
];
