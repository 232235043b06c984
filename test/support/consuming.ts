import {
  type Consumer,
  consumers,
  forgetConsumer,
  Outbox,
  Projection,
  Subscription,
} from "event-sourcery";
import { long, names, numbers, type Refusal, secret, type Store } from "./refusals.ts";

/** Makes a consumer with some options that may be wrong. */
type Make = (store: Store, options: object) => Consumer;

const outbox: Make = (store, options) =>
  new Outbox(store, Object.assign({ name: "reader", publisher() {} }, options));
const subscription: Make = (store, options) =>
  new Subscription(store, Object.assign({ name: "reader", handler() {} }, options));
const projection: Make = (store, options) =>
  new Projection(store, Object.assign({ name: "reader", handlers: { Noted() {} } }, options));

/** Ends what should have been refused immediately, so that it does not run for ever. */
const signal = AbortSignal.abort();

/** What consumers refuse, in their options and in their methods. */
export const refusals: readonly Refusal[] = [
  ...[outbox, subscription, projection].flatMap((make): Refusal[] => [
    ...wrong(make, "concurrency", [0, "RangeError"], ...numbers),
    ...wrong(make, "batchSize", [0, "RangeError"], ...numbers),
    ...wrong(make, "lanes", [0, "RangeError"], [1025, "RangeError"], ...numbers),
    ...wrong(make, "timeout", [0, "RangeError"], [2 ** 31, "RangeError"], ...numbers),
    ...wrong(make, "lease", [99, "RangeError"], [2 ** 31, "RangeError"], ...numbers),
    ...wrong(make, "retry", ...[null, secret, 5, []].map(typed)),
    ...wrong(make, "retry.attempts", [0, "RangeError"], ...numbers),
    ...wrong(make, "retry.minDelay", [300_001, "RangeError", "retry.maxDelay"], ...numbers),
    ...wrong(make, "retry.maxDelay", [199, "RangeError"], ...numbers),
    ...wrong(make, "from", ...[null, secret, "end", 5, [], {}, () => {}].map(typed)),
    ...wrong(make, "from.after", ...numbers),
    ...wrong(make, "onFilterChange", ...[null, secret, "rebuild", true, ["accept"]].map(typed)),
    ...wrong(make, "onFailure", ...[null, secret, "halt", 5, ["park"]].map(typed)),
  ]),
  ...wrong(outbox, "name", ...names.filter(([name]) => name !== undefined)),
  ...wrong(outbox, "publisher", ...[undefined, null, secret, {}].map(typed)),
  ...wrong(outbox, "publishBatch", ...[null, secret, {}, () => {}].map(typed)),
  ...[undefined, null, secret, {}].map((publishBatch): Refusal => [
    (store) => outbox(store, { publisher: undefined, publishBatch }),
    "TypeError",
    "publishBatch",
  ]),
  ...wrong(subscription, "name", ...names),
  ...wrong(subscription, "handler", ...[undefined, null, secret, {}].map(typed)),
  ...wrong(subscription, "types", ...[null, secret, 5, {}, new Set(["Noted"])].map(typed)),
  ...names.map(([name, error]): Refusal => [
    (store) => subscription(store, { types: ["Noted", name] }),
    error,
    "types[1]",
  ]),
  ...wrong(subscription, "types", [["Other"], "TypeError", "Other"]),
  ...wrong(subscription, "types", [["\n".repeat(500)], "TypeError", '"\\n\\n']),
  ...wrong(projection, "name", ...names),
  ...wrong(projection, "version", [0, "RangeError"], [2 ** 31, "RangeError"], ...numbers),
  ...wrong(projection, "concurrency", [2, "TypeError"]),
  ...wrong(projection, "handlers", ...[undefined, null, secret, 5, [], () => {}].map(typed)),
  ...wrong(projection, "handlers", [{ Noted: secret }, "TypeError", "Noted"]),
  ...wrong(projection, "handlers", [{ Other() {} }, "TypeError", "Other"]),
  ...wrong(projection, "handlers", [{ [long]: secret }, "TypeError", "xxx"]),
  ...wrong(projection, "reset", ...[null, secret, {}].map(typed)),
  [
    (store) => new Projection(store, { name: "reader", handlers: { Noted() {} } }).rebuild(),
    "TypeError",
    "reset",
  ],
  ...[subscription, projection].flatMap((make): Refusal[] => [
    ...wrong(make, "categories", ...[null, secret, 5, {}, new Set(["a"])].map(typed)),
    ...names.filter(([name]) => name !== "").map(([name, error]): Refusal => [
      (store) => make(store, { categories: ["a", name] }),
      error,
      "categories[1]",
    ]),
  ]),
  ...numbers.flatMap(([value, error]): Refusal[] => {
    const bad = value as number;
    const inline: Make = (store) => projection(store, { inline: true });
    const run: Refusal = [
      (store) => subscription(store, {}).run({ pollInterval: bad, signal }),
      error,
      "pollInterval",
    ];
    return [
      ...(bad === Infinity ? [] : [run]), // which asks for no polls
      [(store) => subscription(store, {}).waitFor(bad, { signal }), error, "position"],
      [(store) => inline(store, {}).waitFor(bad, { signal }), error, "position"],
      [(store) => subscription(store, {}).relane(bad), error, "lanes"],
    ];
  }),
  ...[null, secret, 5, []].flatMap((bad): Refusal[] => [
    [(store) => outbox(store, {}).run(bad as never), "TypeError", "options"],
    [() => consumers((bad ?? {}) as never), "TypeError", "store"],
    [() => forgetConsumer((bad ?? {}) as never, { name: "outbox" }), "TypeError", "store"],
    [(store) => forgetConsumer(store, bad as never), "TypeError", "consumer"],
  ]),
  ...[null, secret, 5, {}].map((bad): Refusal => [
    (store) => outbox(store, {}).run({ onError: bad as never, signal }),
    "TypeError",
    "onError",
  ]),
  ...names.map(([name, error]): Refusal => [
    (store) => forgetConsumer(store, { name: name as string }),
    error,
    "name",
  ]),
  ...[...numbers, [0, "RangeError"], [2 ** 31, "RangeError"]].map(([version, error]): Refusal => [
    (store) => forgetConsumer(store, { name: "outbox", version: version as number }),
    error as string,
    "version",
  ]),
  [(store) => outbox(store, {}).run({ pollInterval: 0, signal }), "RangeError", "pollInterval"],
  [(store) => outbox(store, {}).relane(0), "RangeError", "lanes"],
  [(store) => outbox(store, {}).relane(1025), "RangeError", "lanes"],
  ...names.flatMap(([name, error]): Refusal[] => {
    const bad = name as string;
    const inTenant = { tenantId: "", streamId: bad };
    const ofTenant = { tenantId: bad, streamId: "a" };
    return [
      [(store) => outbox(store, {}).discard(bad), error, "stream"],
      [(store) => outbox(store, {}).redrive(inTenant), error, "streamId"],
      [(store) => outbox(store, {}).discard(inTenant), error, "streamId"],
      // Without a stream, all are meant; without a tenant, or with `""`, that of an unscoped store.
      ...(bad === undefined ? [] : [
        [(store) => outbox(store, {}).redrive(bad), error, "stream"] satisfies Refusal,
      ]),
      ...(bad === undefined || bad === "" ? [] : [
        [(store) => outbox(store, {}).redrive(ofTenant), error, "tenantId"] satisfies Refusal,
        [(store) => outbox(store, {}).discard(ofTenant), error, "tenantId"] satisfies Refusal,
      ]),
    ];
  }),
];

/** Refusals of values for an option, such as `"retry.attempts"`, which the message names unless another word is given. */
function wrong(
  make: Make,
  option: string,
  ...values: readonly (readonly [value: unknown, error: string, word?: string])[]
): readonly Refusal[] {
  const [outer, inner] = option.split(".") as [string, string?];
  return values.map(([value, error, word = option]) => [
    (store) => make(store, { [outer]: inner === undefined ? value : { [inner]: value } }),
    error,
    word,
  ]);
}

function typed(value: unknown): readonly [value: unknown, error: string] {
  return [value, "TypeError"];
}
