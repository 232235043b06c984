import type { Driver } from "../../driver/driver.ts";
import type { RecordedEvent } from "../../event/event.ts";
import assert from "node:assert/strict";
import { Outbox } from "../../consumer/outbox.ts";
import { Projection } from "../../consumer/projection.ts";
import { importEvents } from "../../import/import.ts";
import { PermanentError } from "../../errors/consumer.ts";
import { Subscription } from "../../consumer/subscription.ts";
import {
  type Cases,
  Closed,
  Noted,
  notes,
  range,
  rejects,
  type Rig,
  storeOn,
  together,
} from "../rig.ts";

/** Retries without a pause. */
export const soon = { minDelay: 0, maxDelay: 0 };

/** The longest wait for an event that must come, in milliseconds. */
const maxWait = 4000;

/** Outboxes, subscriptions and projections on a driver. One that does not support consumers refuses them. */
export const consumers: Cases = consuming({
  async "a consumer begins where it was told to, once"({ store }) {
    await store.append("a", notes(2));
    const { position: after } = await store.append("a", Noted(3));
    await store.append("a", Noted(4));
    const seen: Record<string, unknown[]> = { now: [], after: [], start: [] };
    const handler = (name: string) => (event: RecordedEvent) => {
      seen[name]!.push(event.data);
    };
    const make = () => [
      new Subscription(store, { name: "now", from: "now", handler: handler("now") }),
      new Subscription(store, { name: "after", from: { after }, handler: handler("after") }),
      new Subscription(store, { name: "start", handler: handler("start") }),
    ];
    for (const consumer of make()) await consumer.runOnce();
    await store.append("a", Noted(5));
    for (const consumer of make()) await consumer.runOnce();
    assert.deepEqual(seen, { now: [5], after: [4, 5], start: range(1, 5) });
    const ahead = { after: await store.position() + 1 };
    const early = new Subscription(store, { name: "ahead", from: ahead, handler() {} });
    await assert.rejects(early.runOnce(), RangeError);
    await store.append("a", Noted(6));
    assert.equal((await early.runOnce()).handled, 0);
  },

  async "a handler learns which events are history to its consumer"({ driver, store }) {
    const { imported, replay, transactions } = driver.capabilities;
    let seen: [data: unknown, replaying: boolean][] = [];
    const look = (event: RecordedEvent, { replaying }: { readonly replaying: boolean }) =>
      void seen.push([event.data, replaying]);
    const make = () => new Subscription(store, { name: "old", handler: look, transaction: false });
    await store.append("a", notes(2));
    if (!replay) return assert.equal((await make().runOnce()).failed, 1, "reading it throws");
    await make().runOnce();
    await store.append("a", Noted(3));
    await make().runOnce();
    if (imported) {
      await importEvents(store, [{ streamId: "b", event: Noted(4) }]);
      const later = new Subscription(store, {
        name: "later",
        from: "now",
        handler: look,
        transaction: false,
      });
      assert.equal((await later.runOnce()).handled, 0);
      await make().runOnce();
    }
    const after = imported ? [[4, true]] : [];
    assert.deepEqual(seen, [[1, true], [2, true], [3, false], ...after]);
    if (!transactions) return;

    seen = [];
    const options = { name: "view", handlers: { Noted: look }, reset() {} };
    const view = new Projection(store, { ...options, from: "now" });
    await view.runOnce();
    await store.append("a", Noted(5));
    await view.runOnce();
    assert.deepEqual(seen, [[5, false]]);
    seen = [];
    await view.rebuild();
    await store.append("a", Noted(6));
    await new Projection(store, options).drain(); // as another process, which finds out that it was set back
    const history = imported ? [1, 2, 3, 4, 5] : [1, 2, 3, 5];
    assert.deepEqual(seen, [...history.map((data) => [data, true]), [6, false]]);
  },

  async "workers share a consumer by its lanes, and each stream stays in order"(bench) {
    const { store } = bench;
    const streams = range(1, 20).map((number) => `s:${number}`);
    for (const number of range(1, 5)) {
      for (const streamId of streams) await store.append(streamId, Noted(number));
    }
    const seen = new Map<string, unknown[]>();
    const make = (driver: Driver) =>
      new Subscription(storeOn(driver), {
        name: "shared",
        lease: 1000,
        lanes: 4,
        batchSize: 7,
        concurrency: 3,
        async handler(event) {
          await Promise.resolve();
          seen.set(event.streamId, [...seen.get(event.streamId) ?? [], event.data]);
        },
      });
    const workers = [make(bench.driver), make(await bench.second())];
    const results = await together(workers.map((worker) => worker.runOnce()));
    const rest = await workers[0]!.runOnce();
    const handled = [...results, rest].reduce((sum, result) => sum + result.handled, 0);
    assert.equal(handled, 100);
    for (const streamId of streams) assert.deepEqual(seen.get(streamId), range(1, 5), streamId);
    const wrong = new Subscription(store, { name: "shared", lease: 1000, lanes: 2, handler() {} });
    await rejects(wrong.runOnce(), "LANES_MISMATCH");
    await wrong.relane(2);
    assert.equal((await wrong.runOnce()).handled, 0);
    await rejects(workers[0]!.runOnce(), "LANES_MISMATCH");
  },

  async "a scoped store's consumer sees its tenant only, another sees all"({ store }) {
    for (const tenantId of ["x", "y"]) {
      await store.scope({ tenantId }).publish("same", Noted(tenantId));
    }
    const sent: unknown[] = [];
    const publisher = (event: RecordedEvent) => sent.push(event.data);
    await new Outbox(store.scope({ tenantId: "x" }), { publisher }).runOnce();
    assert.deepEqual(sent, ["x"]);
    await new Outbox(store, { publisher }).runOnce();
    assert.deepEqual(sent, ["x", "x", "y"]);
    const all = new Subscription(store, {
      name: "all",
      handler: () => Promise.reject(new PermanentError("no")),
    });
    await all.runOnce();
    assert.equal((await all.parked()).length, 2);
    await assert.rejects(all.discard("same"), TypeError);
    assert.equal(await all.discard({ tenantId: "y", streamId: "same" }), true);
  },

  async "a consumer with another filter than before is refused, unless it accepts that"(
    { store },
  ) {
    const make = (types: ("Noted" | "Closed")[], onFilterChange?: "accept") =>
      new Subscription(store, { name: "reader", types, onFilterChange, handler() {} });
    await make(["Noted", "Closed"]).runOnce();
    await make(["Closed", "Noted"]).runOnce();
    const { goneTypes } = await rejects(make(["Noted"]).runOnce(), "FILTER_MISMATCH");
    assert.deepEqual(goneTypes, ["Closed"]);
    await make(["Noted"], "accept").runOnce();
    await make(["Noted"]).runOnce();
  },

  async "run() runs until its signal aborts, and waitFor() waits for it"({ store }) {
    const seen: unknown[] = [];
    const subscription = new Subscription(store, {
      name: "reader",
      handler: (event) => seen.push(event.data),
    });
    const stop = new AbortController();
    const running = subscription.run({
      signal: stop.signal,
      pollInterval: 20,
      onError: () => stop.abort(),
    });
    running.catch(() => stop.abort()); // it is thrown once it is awaited
    try {
      for (const number of range(1, 3)) {
        const { position } = await store.append("a", Noted(number));
        await subscription.waitFor(position, { signal: AbortSignal.timeout(maxWait) });
        assert.deepEqual(seen, range(1, number));
      }
    } finally {
      stop.abort();
      await running;
    }
    await store.append("a", Noted(4));
    assert.deepEqual(seen, range(1, 3));
    await assert.rejects(subscription.waitFor(2 ** 40, { signal: AbortSignal.abort("enough") }));
  },

  async "run() handles immediately what is committed in its process, however rarely it polls"(
    { store, driver },
  ) {
    const seen: unknown[] = [];
    const subscription = new Subscription(store, {
      name: "reader",
      handler: (event) => seen.push(event.data),
    });
    const stop = new AbortController();
    const never = { signal: stop.signal, pollInterval: 3_600_000, onError: () => stop.abort() };
    const running = subscription.run(never);
    running.catch(() => stop.abort());
    const handled = (position: number) =>
      subscription.waitFor(position, { signal: AbortSignal.timeout(maxWait) });
    try {
      for (const number of range(1, 3)) {
        const { position } = await store.append("a", Noted(number));
        await handled(position);
        assert.deepEqual(seen, range(1, number));
      }
      if (!driver.capabilities.transactions) return;
      const { position } = await store.transaction(({ store }) => store.append("a", Noted(4)));
      await handled(position);
      assert.deepEqual(seen, range(1, 4));
    } finally {
      stop.abort();
      await running;
    }
  },

  async "follow() yields present and later events until its signal aborts"({ store }) {
    await store.append("a", notes(2));
    const stop = new AbortController();
    const { signal } = stop;
    const timer = setTimeout(() => stop.abort(), maxWait);
    const seen: unknown[] = [];
    for await (const event of store.follow({ types: ["Noted"], signal, pollInterval: 20 })) {
      seen.push(event.data);
      if (seen.length === 2) await store.append("b", [Closed(), Noted(3)]);
      if (seen.length === 3) stop.abort();
    }
    clearTimeout(timer);
    assert.deepEqual(seen, [1, 2, 3]);
  },
});

/** Cases of consumers; a driver that does not support them must refuse them. */
export function consuming(cases: Cases): Cases {
  return Object.fromEntries(
    Object.entries(cases).map(([name, run]) => [
      name,
      async (bench: Rig) => {
        if (bench.driver.checkpoints !== undefined) return await run(bench);
        assert.throws(() => new Outbox(bench.store, { publisher() {} }), unsupported);
      },
    ]),
  );
}

/** Whether an error is an `UnsupportedError`, also of another copy of the library. */
function unsupported(error: unknown): boolean {
  return error instanceof Error && "code" in error && error.code === "UNSUPPORTED";
}
