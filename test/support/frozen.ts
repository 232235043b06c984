// Freezes everything that the language brings, as SES does, then uses the library: a program of its own, since nothing can
// thaw it again. Prints "done" when all went as it must.
import assert from "node:assert/strict";
import { inspect } from "node:util";

const mod = await import("../../mod.ts");
const { memory } = await import("../../drivers/memory/mod.ts");
const { AggregateDiscardedError, Aggregate, ConcurrencyError, defineEvent, EventStore } = mod;

const intrinsics = Object.getOwnPropertyNames(globalThis).filter((name) => /^[A-Z]/.test(name));
for (const name of intrinsics) {
  const value: unknown = Reflect.get(globalThis, name);
  if (typeof value !== "function") continue;
  const prototype: unknown = Reflect.get(value, "prototype");
  if (typeof prototype === "object" && prototype !== null) Object.freeze(prototype);
}

assert.throws(
  () => {
    const error = new Error("of a test");
    error.name = "Mine";
  },
  TypeError,
  "the intrinsics are frozen",
);

/** What would be assigned to a name that a frozen prototype has. */
const data = {
  ...{ constructor: 1, toString: 2, valueOf: 3, hasOwnProperty: 4, length: 5, name: 6 },
  at: new Date(0),
  list: [new Map([["toString", new Set([1n])]]), new Uint8Array([1]), "\0", -0],
};

type Noted = ReturnType<typeof Noted>;
const Noted = defineEvent<unknown>()("Noted");
class Note extends Aggregate<Noted> {
  static readonly category = "note";
  protected apply(): void {}
  write(): void {
    this.emit(Noted(data));
  }
}

const handled: unknown[] = [];
const store = new EventStore(memory(), {
  events: [Noted],
  subscriptions: { Noted: [(event) => handled.push(event.data)] },
});
await store.append("note:1", Noted(data, { metadata: { toString: "kept" } }));
const [event] = await store.load("note:1");
assert.deepEqual(event?.data, data);
assert.equal(event.metadata["toString"], "kept");
await new mod.Repository(store, Note).aggregate("1", (note) => note.write());
const seen: number[] = [];
const projection = new mod.Projection(store, {
  name: "seen",
  handlers: { Noted: ({ version }) => seen.push(version) },
});
assert.equal((await projection.runOnce()).position, 2);
assert.deepEqual([seen, handled.length], [[1, 2], 2]);

await assert.rejects(store.append("note:1", Noted(1), { expectedVersion: 0 }), (error) => {
  assert(error instanceof ConcurrencyError && error.name === "ConcurrencyError");
  return mod.isEventSourceryError(error, "CONCURRENCY");
});
assert.throws(() => Noted(() => {}), { name: "InvalidEventError" });
await assert.rejects(store.append("note:1", { ...Noted(1), createdAt: new Date(NaN) }), RangeError);
assert.match(inspect(new AggregateDiscardedError("1")), /^AggregateDiscardedError: Cannot/);
console.log("done");
