import type { Driver } from "../driver.ts";
import type { RecordedEvent } from "../event.ts";
import assert from "node:assert/strict";
import { Outbox } from "../outbox.ts";
import { Projection } from "../projection.ts";
import { PermanentError } from "../stops.ts";
import { Subscription } from "../subscription.ts";
import {
  type Bench,
  type Cases,
  Closed,
  dataOf,
  Noted,
  notes,
  range,
  rejects,
  storeOn,
  together,
} from "./bench.ts";

const soon = { minDelay: 0, maxDelay: 0 };

/** Outboxes, subscriptions and projections on a driver. One that serves no consumers refuses them. */
export const consumers: Cases = served({
  async "Outbox publishes what was published, each once and in order"({ store }) {
    await store.append("a", Noted(0));
    await store.publish("a", notes(2));
    await store.publish("b", notes(2, 3));
    await store.append("b", Closed());
    const sent: RecordedEvent[] = [];
    const outbox = new Outbox(store, { publisher: (event) => sent.push(event) });
    const position = await store.position();
    assert.deepEqual(await outbox.runOnce(), { handled: 4, failed: 0, parked: 0, position });
    assert.deepEqual(dataOf(sent), range(1, 4));
    assert.deepEqual(sent, (await recorded(store.readAll({ types: ["Noted"] }))).slice(1));
    assert.deepEqual(await outbox.runOnce(), { handled: 0, failed: 0, parked: 0, position });
    const status = await outbox.status();
    assert.deepEqual(status, {
      position,
      head: position,
      lag: 0,
      parked: 0,
      owner: undefined,
      stalled: false,
    });
  },

  async "Outbox hands over batches, and finds the event that cannot be published"({ store }) {
    await store.publish("a", notes(3));
    await store.publish("b", notes(3, 4));
    await store.publish("a", Noted(7));
    const calls: (readonly unknown[])[] = [];
    const outbox = new Outbox(store, {
      retry: soon,
      publishBatch(events) {
        calls.push(dataOf(events));
        if (events.some(({ data }) => data === 2)) throw new Error("2 is refused");
      },
    });
    const { handled, failed, parked } = await outbox.runOnce();
    assert.deepEqual([handled, failed, parked], [4, 1, 1]);
    assert.deepEqual(calls, [range(1, 7), [1], [2], [4], [5], [6]]);
  },

  async "a failing stream holds up only itself, and goes on where it failed"({ store }) {
    for (const number of range(1, 4)) {
      await store.append("good", Noted(number));
      await store.append("bad", Noted(-number));
    }
    let broken = true;
    const seen: unknown[] = [];
    const subscription = new Subscription(store, {
      name: "reader",
      retry: soon,
      batchSize: 3,
      handler(event) {
        if (broken && event.data === -2) throw new Error("it is broken");
        seen.push(event.data);
      },
    });
    const first = await subscription.runOnce();
    assert.deepEqual([first.handled, first.failed, first.parked], [5, 1, 1]);
    assert.deepEqual(seen, [1, -1, 2, 3, 4]);
    const [parked, ...others] = await subscription.parked();
    assert.deepEqual(others, []);
    assert.deepEqual([parked!.streamId, parked!.attempts, parked!.error], [
      "bad",
      1,
      "Error: it is broken",
    ]);
    assert.equal((await subscription.runOnce()).failed, 1);
    assert.equal((await subscription.parked())[0]!.attempts, 2);
    await store.append("bad", Noted(-5));
    broken = false;
    await subscription.runOnce();
    assert.deepEqual(seen, [1, -1, 2, 3, 4, -2, -3, -4, -5]);
    assert.deepEqual(await subscription.parked(), []);
  },

  async "a stream that failed for good waits for redrive() or discard()"({ store }) {
    await store.append("a", notes(3));
    await store.append("b", Closed());
    let refused: readonly unknown[] = [1, 2];
    const seen: unknown[] = [];
    const subscription = new Subscription(store, {
      name: "reader",
      types: ["Noted"],
      handler(event) {
        if (refused.includes(event.data)) throw new PermanentError("it is refused");
        seen.push(event.data);
      },
    });
    await subscription.drain();
    const [parked] = await subscription.parked();
    assert.deepEqual([parked!.streamId, parked!.dueAt, parked!.attempts], ["a", undefined, 1]);
    assert.equal((await subscription.runOnce()).failed, 0);
    refused = [2];
    assert.equal(await subscription.redrive("a"), 1);
    assert.deepEqual(
      await subscription.runOnce().then(({ handled, failed }) => [handled, failed]),
      [1, 1],
    );
    assert.equal(await subscription.discard("a"), true);
    await subscription.runOnce();
    assert.deepEqual(seen, [1, 3]);
    assert.deepEqual(await subscription.parked(), []);
    assert.equal(await subscription.discard("a"), false);
    assert.equal(await subscription.redrive("a"), 0);
  },

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
  },

  async "a transactional handler takes effect exactly once, with its checkpoint"(
    { driver, store },
  ) {
    const consumer = () =>
      new Subscription(store, {
        name: "copy",
        categories: ["from"],
        retry: soon,
        async handler(event, { store }) {
          await store.append("copy", Noted(event.data));
          if (event.data === 2 && fails) throw new Error("after its write");
        },
      });
    if (!driver.capabilities.transactions) return void assert.throws(consumer, unsupported);
    let fails = true;
    await store.append("from:1", notes(2));
    await store.append("from:2", notes(2, 3));
    const first = await consumer().runOnce();
    assert.deepEqual([first.handled, first.failed, first.parked], [3, 1, 1]);
    assert.deepEqual(dataOf(await store.load("copy")), [1, 3, 4]);
    fails = false;
    await consumer().runOnce();
    const copies = await store.load("copy");
    assert.deepEqual(dataOf(copies), [1, 3, 4, 2]);
    const [source] = await store.load("from:1");
    assert.deepEqual(copies[0]!.metadata, {
      correlationId: source!.id,
      causationId: source!.id,
    });
  },

  async "a projection is rebuilt from the start, and passes over what it has no handler for"(
    { driver, store },
  ) {
    if (!driver.capabilities.transactions) return;
    const model: string[] = [];
    const make = (version: number) =>
      new Projection(store, {
        name: "model",
        version,
        handlers: {
          Noted: ({ data }, { projectionVersion }) =>
            void model.push(`${projectionVersion}:${data}`),
        },
        reset: () => void model.splice(0),
      });
    await store.append("a", [...notes(2), Closed(), Noted(3)]);
    await make(1).runOnce();
    assert.deepEqual(model, ["1:1", "1:2", "1:3"]);
    const { handled } = await make(1).rebuild();
    assert.equal(handled, 3);
    assert.deepEqual(model, ["1:1", "1:2", "1:3"]);
    await make(2).runOnce();
    assert.deepEqual(model, ["1:1", "1:2", "1:3", "2:1", "2:2", "2:3"]);
  },

  async "an inline projection is there when the append is, and is rebuilt"({ driver }) {
    if (!driver.capabilities.transactions) return;
    const store = storeOn(driver);
    const model: unknown[] = [];
    await store.append("a", Noted(1));
    const projection = new Projection(store, {
      name: "model",
      inline: true,
      handlers: { Noted: ({ data }) => void model.push(data) },
      reset: () => void model.splice(0),
    });
    await store.append("a", [Noted(2), Closed()]);
    assert.deepEqual(model, [2]);
    assert.equal((await projection.runOnce()).handled, 0);
    assert.equal((await projection.rebuild()).handled, 2);
    assert.deepEqual(model, [1, 2]);
    await projection.waitFor((await store.append("b", Noted(3))).position);
    assert.deepEqual(model, [1, 2, 3]);
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
    const wrong = new Subscription(store, { name: "shared", lanes: 2, handler() {} });
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

  async "a consumer that wants other events than before is refused, unless that is accepted"(
    { store },
  ) {
    const make = (types: ("Noted" | "Closed")[], acceptFilter = false) =>
      new Subscription(store, { name: "reader", types, acceptFilter, handler() {} });
    await make(["Noted", "Closed"]).runOnce();
    await make(["Closed", "Noted"]).runOnce();
    await rejects(make(["Noted"]).runOnce(), "FILTER_MISMATCH");
    await make(["Noted"], true).runOnce();
    await make(["Noted"]).runOnce();
  },

  async "run() goes on until it is told to stop, and waitFor() waits for it"({ store }) {
    const seen: unknown[] = [];
    const subscription = new Subscription(store, {
      name: "reader",
      handler: (event) => seen.push(event.data),
    });
    const stop = new AbortController();
    const running = subscription.run({ signal: stop.signal, pollInterval: 20 });
    for (const number of range(1, 3)) {
      const { position } = await store.append("a", Noted(number));
      await subscription.waitFor(position, { signal: AbortSignal.timeout(10_000) });
      assert.deepEqual(seen, range(1, number));
    }
    stop.abort();
    await running;
    await store.append("a", Noted(4));
    assert.deepEqual(seen, range(1, 3));
    await assert.rejects(subscription.waitFor(2 ** 40, { signal: AbortSignal.abort("enough") }));
  },

  async "follow() gives what there is, and what comes, until it is told to stop"({ store }) {
    await store.append("a", notes(2));
    const stop = new AbortController();
    const seen: unknown[] = [];
    for await (
      const event of store.follow({ types: ["Noted"], signal: stop.signal, pollInterval: 20 })
    ) {
      seen.push(event.data);
      if (seen.length === 2) await store.append("b", [Closed(), Noted(3)]);
      if (seen.length === 3) stop.abort();
    }
    assert.deepEqual(seen, [1, 2, 3]);
  },
});

function served(cases: Cases): Cases {
  return Object.fromEntries(
    Object.entries(cases).map(([name, run]) => [
      name,
      async (bench: Bench) => {
        if (bench.driver.checkpoints !== undefined) return await run(bench);
        assert.throws(() => new Outbox(bench.store, { publisher() {} }), unsupported);
      },
    ]),
  );
}

function unsupported(error: unknown): boolean {
  return error instanceof Error && "code" in error && error.code === "UNSUPPORTED";
}

async function recorded(events: AsyncIterable<RecordedEvent>): Promise<readonly RecordedEvent[]> {
  const found: RecordedEvent[] = [];
  for await (const event of events) found.push(event);
  return found;
}
