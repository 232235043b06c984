// Two versions of a read model, compared before one switches; and a rebuild that is given up on the way.
import { defineEvent, EventStore, Projection, type RowKey } from "event-sourcery";
import { memory } from "event-sourcery/memory";
import assert from "node:assert/strict";
import { test } from "node:test";
import { places } from "../support/places.ts";

const Noted = defineEvent<number>()("Noted");

type Rows = readonly (readonly [RowKey, unknown])[];

/** Compares a version 2 with a version 1, and tells which versions were read to their end or closed. */
function versions(before: Rows, after: Rows) {
  const store = new EventStore(memory(), { events: [Noted] });
  const model = new Projection(store, { name: "model", version: 2, handlers: { Noted() {} } });
  const closed: number[] = [];
  async function* rows(version: number) {
    try {
      yield* version === 1 ? before : after;
    } finally {
      closed.push(version);
    }
  }
  return { closed, model, rows };
}

test("compare() counts rows that are the same, changed, missing and added", async () => {
  const before: Rows = [["a", 1], ["b", { at: new Date(1), n: 1n }], ["c", 3], ["e", 5]];
  const after: Rows = [["a", 1], ["b", { at: new Date(2), n: 1n }], ["d", 4], ["e", 5], ["f", 6]];
  const { closed, model, rows } = versions(before, after);
  const { examples, ...counts } = await model.compare({ rows });
  assert.deepEqual(counts, { same: 2, changed: 1, missing: 1, added: 2 });
  assert.deepEqual(examples.map(({ kind, key }) => [kind, key]), [
    ["changed", "b"],
    ["missing", "c"],
    ["added", "d"],
    ["added", "f"],
  ]);
  assert.deepEqual(examples[2], { kind: "added", key: "d", before: undefined, after: 4 });
  assert.deepEqual(closed.sort(), [1, 2]);
});

test("compare() bounds its examples by kind", async () => {
  const { model } = versions([], []);
  async function* rows(version: number) {
    for (let key = 0; key < 2000; key++) yield [key, version] as const;
  }
  const { changed, examples } = await model.compare({ rows, examples: 3 });
  assert.deepEqual([changed, examples.map(({ key }) => key)], [2000, [0, 1, 2]]);
});

test("compare() tells rows apart by all that they hold", async () => {
  const equal: [unknown, unknown][] = [
    [{ a: 1, b: undefined }, { a: 1 }],
    [[1n, NaN, new Date(5)], [1n, NaN, new Date(5)]],
    [new Map([["a", { b: 1 }]]), new Map([["a", { b: 1 }]])],
    [new Set([1, 2]), new Set([2, 1])],
    [new Uint8Array([1, 2]), new Uint8Array([1, 2])],
    [0, -0],
  ];
  const unequal: [unknown, unknown][] = [
    [1, 1n],
    [1, "1"],
    [null, undefined],
    [{}, []],
    [{}, null],
    [new Date(1), new Date(2)],
    [new Date(1), {}],
    [[1, 2], [1]],
    [{ a: [1, { b: 2n }] }, { a: [1, { b: 3n }] }],
    [new Map([["a", 1]]), new Map([["a", 2]])],
    [new Set([1]), new Set([2])],
    [new Set([1]), {}],
    [new Uint8Array([1]), new Uint8Array([2])],
    [new Uint8Array([1]), [1]],
  ];
  for (const [pairs, kind] of [[equal, "same"], [unequal, "changed"]] as const) {
    for (const [index, [before, after]] of pairs.entries()) {
      const { model, rows } = versions([["a", before]], [["a", after]]);
      assert.equal((await model.compare({ rows }))[kind], 1, `${kind} ${index}`);
    }
  }
});

test("compare() orders texts by their bytes, dates, and lists item by item", async () => {
  const keys: readonly RowKey[][] = [
    ["A", "B", "a", "b", "\uffee", "\u{1f600}"],
    [-1, 2, 10],
    [new Date(1), new Date(2)],
    [["a"], ["a", 1], ["a", 2], ["b", 0]],
  ];
  for (const ordered of keys) {
    const all: Rows = ordered.map((key) => [key, 1]);
    const { model, rows } = versions(all, all.slice(1));
    const { same, missing } = await model.compare({ rows });
    assert.deepEqual([same, missing], [ordered.length - 1, 1]);
  }
  const reversed: Rows = [["b", 1], ["a", 1]];
  const { model, rows } = versions(reversed, reversed);
  const order = (a: RowKey, b: RowKey) => a > b ? -1 : a < b ? 1 : 0;
  assert.equal((await model.compare({ rows, order })).same, 2);
});

test("compare() refuses rows out of order without naming a key, and closes both", async () => {
  for (const wrong of [[["secret", 1], ["a", 1]], [["a", 1], ["a", 1]], [["a", 1], [1, 1]]]) {
    const { closed, model, rows } = versions([["z", 1]], wrong as unknown as Rows);
    await assert.rejects(model.compare({ rows }), (error: Error) => {
      assert.ok(error instanceof TypeError);
      assert.match(error.message, /row 2 of version 2 does not come after the one before it/);
      assert.doesNotMatch(error.message, /secret/);
      return true;
    });
    assert.deepEqual(closed.sort(), [1, 2]);
  }
});

test("compare() refuses what cannot be compared, and ends when its signal aborts", async () => {
  const { closed, model, rows } = versions([["a", 1]], [["a", 1]]);
  await assert.rejects(model.compare({ rows, before: 2 }), /before must be another version/);
  await assert.rejects(model.compare({ rows, examples: -1 }), RangeError);
  await assert.rejects(
    model.compare({ rows, signal: AbortSignal.abort(new Error("enough")) }),
    /enough/,
  );
  assert.deepEqual(closed.sort(), [1, 2]);
  const store = new EventStore(memory(), { events: [Noted] });
  const first = new Projection(store, { name: "model", handlers: { Noted() {} } });
  await assert.rejects(first.compare({ rows }), RangeError);
});

for (const [name, open] of Object.entries(places)) {
  test(
    `a rebuild that is cancelled goes on with the next run, on ${name}`,
    { timeout: 30_000 },
    async () => {
      const { driver, close } = await open();
      try {
        const store = new EventStore(driver, { events: [Noted] });
        await store.append("a", Array.from({ length: 20 }, (_, index) => Noted(index)));
        let [seen, resets]: [number[], number] = [[], 0];
        const stop = new AbortController();
        let cancels = false;
        const model = new Projection(store, {
          name: "model",
          batchSize: 5,
          handlers: {
            Noted({ data }) {
              seen.push(data);
              if (cancels && data === 7) stop.abort();
            },
          },
          reset: () => {
            seen = [];
            resets++;
          },
        });
        const whole = Array.from({ length: 20 }, (_, index) => index);
        await model.runOnce();
        await model.rebuild({ signal: AbortSignal.abort() });
        assert.deepEqual([seen, resets], [whole, 0], "nothing was emptied");
        cancels = true;
        const { handled } = await model.rebuild({ signal: stop.signal });
        assert.deepEqual([handled, seen, resets], [10, whole.slice(0, 10), 1]);
        assert.equal((await model.runOnce()).handled, 10);
        assert.deepEqual([seen, resets], [whole, 1]);
      } finally {
        await close();
      }
    },
  );
}
