// Old events, read by today's upcasts, equal what today's code would have stored.
import assert from "node:assert/strict";
import { test } from "node:test";
import { memory } from "../../drivers/memory/mod.ts";
import { defineEvent, EventStore, type Upcast } from "../../mod.ts";
import { Chance, seed } from "../support/seed.ts";

type Data = Readonly<Record<string, unknown>>;

/** Changes of data, each from what the one before left. */
const steps = [
  (data: Data): Data => ({ ...data, currency: "EUR" }),
  ({ price, ...rest }: Data): Data => ({ ...rest, cents: Number(price) * 100 }),
  (data: Data): Data => ({ ...data, at: new Date(Number(data["cents"])) }),
  (data: Data): Data => ({ ...data, tags: new Set([data["currency"]]) }),
];

test(`an event of any version reads as if it was stored today (seed ${seed})`, async () => {
  const chance = new Chance();
  const driver = memory();
  const expected: Data[] = [];
  for (let number = 0; number < 50; number++) {
    const version = chance.below(steps.length + 1);
    const first: Data = { price: chance.below(100), number };
    const stored = steps.slice(0, version).reduce((data, step) => step(data), first);
    expected.push(steps.slice(version).reduce((data, step) => step(data), stored));
    await storeOf(version).append("a", typeOf(version)(stored));
  }
  const read = await storeOf(steps.length).load("a");
  assert.deepEqual(read.map(({ data }) => data), expected);

  /** The type as it was when it had so many upcasts. */
  function typeOf(count: number) {
    if (count === 0) return defineEvent<Data>()("Priced");
    const upcast = steps.slice(0, count) as unknown as [Upcast<Data>];
    return defineEvent<Data>()("Priced", { upcast });
  }
  function storeOf(count: number) {
    return new EventStore(driver, { events: [typeOf(count)] });
  }
});
