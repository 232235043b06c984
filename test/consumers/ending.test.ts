// What no retry heals ends a run, and every process sees it until the consumer runs again.
import {
  ConnectionError,
  consumers,
  EventStore,
  forgetConsumer,
  isEventSourceryError,
  Outbox,
  Projection,
  Subscription,
} from "event-sourcery";
import { memory } from "event-sourcery/memory";
import assert from "node:assert/strict";
import { test } from "node:test";
import { until } from "../support/journal.ts";
import { Noted, open as openStage, replace } from "../support/relay.ts";
import { running } from "../support/running.ts";
import { engines, stage } from "../support/stage.ts";

const timeout = 60_000;
const quiet = { pollInterval: 10, onError() {} };
const open = () => new EventStore(memory(), { events: [Noted] });

test(
  "run() rejects when the filter or the lanes differ, and status() shows why until it runs again",
  {
    timeout,
  },
  async () => {
    const store = open();
    const make = (more: object = {}) =>
      new Subscription(store, { name: "reader", handler() {}, ...more });
    await make().runOnce();
    for (
      const [more, code] of [
        [{ types: ["Noted"] }, "FILTER_MISMATCH"],
        [{ lanes: 2 }, "LANES_MISMATCH"],
      ] as const
    ) {
      const failing = make(more);
      let thrown: unknown;
      await assert.rejects(failing.run(quiet), (error) => {
        thrown = error;
        return isEventSourceryError(error, code);
      });
      const { error, lag } = await make().status();
      assert.deepEqual([error?.code, error?.message, lag], [code, (thrown as Error).message, 0]);
      assert.deepEqual((await consumers(store)).map(({ error }) => error), [error]);
      await assert.rejects(failing.runOnce(), { code });
      await make().runOnce();
      assert.equal((await make().status()).error, undefined);
    }
  },
);

test("an idle run() clears the error that another release of its consumer has left", {
  timeout,
}, async () => {
  const store = open();
  const make = (more: object = {}) =>
    new Subscription(store, { name: "reader", handler() {}, ...more });
  const right = make();
  await running([right], async () => {
    await right.waitFor(0);
    await assert.rejects(make({ types: ["Noted"] }).run(quiet), { code: "FILTER_MISMATCH" });
    await until(async () => (await right.status()).error === undefined);
  });
});

test("run() rejects when its consumer was forgotten, and begins anew when it is made again", {
  timeout,
}, async () => {
  const store = open();
  const seen: number[] = [];
  const make = () =>
    new Subscription(store, { name: "reader", handler: ({ data }) => void seen.push(data) });
  const { position } = await store.append("a", Noted(1));
  const forgotten = make();
  const run = forgotten.run(quiet);
  await forgotten.waitFor(position);
  await until(async () => (await forgotten.status()).owner === undefined);
  assert.equal(await forgetConsumer(store, { name: "reader" }), true);
  await store.append("a", Noted(2));
  await assert.rejects(run, { code: "LANES_MISMATCH", message: /it was forgotten/ });
  assert.deepEqual([seen, await consumers(store)], [[1], []]);
  await make().runOnce();
  assert.deepEqual(seen, [1, 1, 2]);
});

test("run() survives a lost connection, and goes on", { timeout }, async () => {
  const whole = memory();
  let broken = true;
  let asked = 0;
  const store = new EventStore(
    replace(whole, {
      async settled() {
        asked++;
        if (broken) throw new ConnectionError();
        return await whole.settled();
      },
    }),
    { events: [Noted] },
  );
  const told: [string, number | undefined, boolean][] = [];
  const reader = new Subscription(store, {
    name: "reader",
    retry: { minDelay: 1, maxDelay: 2 },
    handler() {},
  });
  const { position } = await store.append("a", Noted(1));
  await running([reader], async () => {
    await until(() => asked > 5);
    broken = false;
    await reader.waitFor(position);
  }, {
    onError: (error, { consumer, phase, event, attempt, retryAt }) => {
      assert.ok(isEventSourceryError(error, "CONNECTION"));
      assert.deepEqual([consumer, phase, event], ["reader", "pass", undefined]);
      told.push([phase, attempt, retryAt !== undefined]);
    },
  });
  assert.deepEqual(told.slice(0, 3), [["pass", 1, true], ["pass", 2, true], ["pass", 3, true]]);
  assert.equal((await reader.status()).error, undefined);
});

test("FilterMismatchError names the types and categories that are new or gone", async () => {
  const store = open();
  const make = (types: string[] | undefined, categories?: string[]) =>
    new Subscription(store, { name: "reader", handler() {}, ...{ types, categories } as object });
  await make(["Noted"], ["order"]).runOnce();
  await assert.rejects(make(undefined, ["cart", "order"]).runOnce(), {
    code: "FILTER_MISMATCH",
    message: /it wants all other types as well, it wants category "cart" as well; .*onFilterChange/,
    newTypes: ["*"],
    goneTypes: [],
    newCategories: ["cart"],
    goneCategories: [],
  });
  await assert.rejects(make(["Noted"], []).runOnce(), {
    message: /it no longer wants category "order";/,
    goneCategories: ["order"],
  });
  await assert.rejects(new Outbox(store, { name: "reader", publisher() {} }).runOnce(), {
    message: /it wants only published events now/,
  });
});

test("two workers of a release that start together rebuild once", { timeout }, async () => {
  const store = open();
  let resets = 0;
  const make = (categories: readonly string[]) =>
    new Projection(store, {
      name: "model",
      categories,
      handlers: { Noted() {} },
      reset: () => void resets++,
      onFilterChange: "rebuild",
    });
  await make(["a"]).runOnce();
  await Promise.all([make(["b"]).runOnce(), make(["b"]).runOnce()]);
  assert.equal(resets, 1);
});

for (const engine of engines) {
  test(`releases of a projection on ${engine} that rebuild do not do so without end`, {
    timeout,
  }, async () => {
    await using shared = await stage(engine);
    const { url, store } = shared;
    const other = openStage(engine, url);
    const resets: string[] = [];
    const make = (of: typeof store, release: string, categories: readonly string[]) =>
      new Projection(of, {
        name: "model",
        categories,
        handlers: { Noted() {} },
        reset: () => void resets.push(release),
        onFilterChange: "rebuild",
      });
    try {
      await store.append("a:1", Noted(1));
      const old = make(store, "old", ["a"]);
      const ending = old.run(quiet);
      const ended = assert.rejects(ending, { code: "FILTER_MISMATCH", newCategories: [] });
      await old.waitFor(1);
      assert.deepEqual(resets, []);
      const young = [1, 2].map(() => make(other.store, "young", ["a", "b"]));
      await running(young, async () => {
        await until(() => resets.length > 0);
        // It meets the new filter once it gets the lane that the others compete for.
        let open = true;
        const noticed = ended.finally(() => open = false);
        while (open) await young[0]!.waitFor((await store.append("b:1", Noted(2))).position);
        await noticed;
      });
      await store.append("a:1", Noted(3));
      await assert.rejects(old.runOnce(), { code: "FILTER_MISMATCH" });
      await assert.rejects(old.run(quiet), { code: "FILTER_MISMATCH" });
      assert.deepEqual(resets, ["young"]);
      await make(other.store, "young", ["b", "a"]).runOnce();
      assert.deepEqual(resets, ["young"]);
    } finally {
      await other.close();
    }
  });
}
