import assert from "node:assert/strict";
import { test } from "node:test";
import { memory } from "../../drivers/memory/mod.ts";
import { defineEvent, EventStore, Projection } from "../../mod.ts";
import { events, Paid, Placed, Sent } from "../support/shop.ts";

const open = () => new EventStore(memory(), { events });

/** Handlers as methods of a class, with state of their own, and a method that handles nothing. */
class Counter {
  #counts: Record<string, number> = {};

  get counts(): Readonly<Record<string, number>> {
    return this.#counts;
  }
  Placed(): void {
    this.count("Placed");
  }
  Paid(): void {
    this.count("Paid");
  }
  count(type: string): void {
    this.#counts[type] = (this.#counts[type] ?? 0) + 1;
  }
}

class CarefulCounter extends Counter {
  override Paid(): void {
    this.count("paid with care");
  }
  readonly Sent = () => this.count("Sent");
}

for (const inline of [false, true]) {
  test(`Projection calls the methods of a class on its object, ${inline ? "" : "not "}inline`, async () => {
    const store = open();
    for (const handlers of [new Counter(), new CarefulCounter()]) {
      const projection = new Projection(store, {
        name: handlers.constructor.name,
        handlers,
        inline,
      });
      await store.append("order:1", [Placed({ sku: "tea" }), Paid(), Sent(), Paid()]);
      await projection.runOnce();
      if (handlers instanceof CarefulCounter) {
        const times = inline ? 1 : 2;
        const counts = { "Placed": times, "paid with care": 2 * times, "Sent": times };
        assert.deepEqual(handlers.counts, counts);
      } else assert.deepEqual(handlers.counts, { Placed: 1, Paid: 2 });
    }
  });
}

test("Projection passes over what neither the object nor its class handles", async () => {
  const constructed = defineEvent("constructor");
  const text = defineEvent("toString");
  const store = new EventStore(memory(), { events: [constructed, text, Paid] });
  const counter = new Counter();
  const projection = new Projection(store, { name: "counter", handlers: counter as object });
  await store.append("a", [constructed(), text(), Paid()]);
  assert.equal((await projection.runOnce()).handled, 1);
  assert.deepEqual(counter.counts, { Paid: 1 });
});

test("Projection throws when handlers have no handler, or one for what is not an event type", () => {
  const make = (handlers: object) => () => new Projection(open(), { name: "model", handlers });
  class Idle {
    placed(): void {}
  }
  for (const handlers of [{}, new Idle(), { Placed: undefined }, Object.create(null)]) {
    assert.throws(make(handlers), { name: "TypeError", message: /^handlers must have a handler/ });
  }
  class Public extends Counter {
    readonly total = 0;
  }
  for (const handlers of [new Public(), { Placed() {}, total() {} }, { constructor() {} }]) {
    assert.throws(make(handlers), { name: "TypeError", message: /"(total|constructor)" is not/ });
  }
  class Mistaken {
    readonly Placed = 5;
  }
  assert.throws(make(new Mistaken()), {
    name: "TypeError",
    message: /handler of "Placed" must be/,
  });
});

test("EventStore takes subscriptions from an object of a class, and calls them on it", async () => {
  class Audit {
    #seen: string[] = [];
    get seen(): readonly string[] {
      return this.#seen;
    }
    get Placed() {
      return [this.note];
    }
    readonly "*" = [this.note];
    note({ type }: { readonly type: string }): void {
      this.#seen.push(type);
    }
  }
  const audit = new Audit();
  const store = new EventStore(memory(), { events, subscriptions: audit });
  await store.append("order:1", [Placed({ sku: "tea" }), Paid()]);
  assert.deepEqual([...audit.seen].sort(), ["Paid", "Placed", "Placed"]);
});

test("EventStore calls a listed handler on its entry", async () => {
  class Entry {
    readonly types = ["Paid"] as const;
    #calls = 0;
    get calls(): number {
      return this.#calls;
    }
    handler(): void {
      this.#calls++;
    }
  }
  const entry = new Entry();
  const store = new EventStore(memory(), { events, subscriptions: [entry] });
  await store.append("order:1", [Placed({ sku: "tea" }), Paid()]);
  assert.equal(entry.calls, 1);
});

test("EventStore throws when subscriptions have a key that is not an event type, or a class has none", () => {
  const make = (subscriptions: object) => () => new EventStore(memory(), { events, subscriptions });
  make({})();
  make([])();
  make(Object.create(null))();
  assert.throws(make({ Plaecd: [] }), { name: "TypeError", message: /"Plaecd" is not/ });
  assert.throws(make(new Counter()), { name: "TypeError", message: /"Placed" must be a list/ });
  assert.throws(make(new (class {})()), { name: "TypeError", message: /must have a list of/ });
});
