import {
  defineEvent,
  type Driver,
  EventStore,
  Outbox,
  Projection,
  RetryLaterError,
  Subscription,
} from "event-sourcery";
import { memory } from "event-sourcery/memory";
import assert from "node:assert/strict";
import { test } from "node:test";
import { gate } from "../support/gate.ts";

const Noted = defineEvent<number>()("Noted");
const Closed = defineEvent("Closed");
const soon = { minDelay: 0, maxDelay: 0 };

function open<Db = undefined>(driver?: Driver<Db>) {
  return new EventStore(driver ?? memory(), { events: [Noted, Closed], publishes: true });
}

function notes(...numbers: readonly number[]) {
  return numbers.map((number) => Noted(number));
}

/** A driver whose database has no interactive transactions. */
function withoutTransactions(): Driver<undefined> {
  return new Proxy(memory(), {
    get(driver, key) {
      const value: unknown = Reflect.get(driver, key);
      if (key === "capabilities") return { transactions: false };
      return typeof value === "function" ? value.bind(driver) : value;
    },
  });
}

test("Outbox publishes in batches where its publisher can, and one by one after a failure", async () => {
  const store = open();
  await store.append("a", notes(1, 2, 3));
  const calls: number[][] = [];
  const one = (event: { readonly version: number }) => void calls.push([event.version]);
  const publisher = Object.assign(one, {
    batch(events: readonly { readonly version: number }[]) {
      calls.push(events.map(({ version }) => version));
      if (calls.length === 1) throw new Error("it is too much");
    },
  });
  const outbox = new Outbox(store, { publisher });
  await outbox.drain();
  await store.append("a", notes(4, 5));
  await outbox.drain();
  assert.deepEqual(calls, [[1, 2, 3], [1], [2], [3], [4, 5]]);
});

for (const transaction of [false, true]) {
  const how = transaction ? "in transactions" : "outside of them";
  test(`events of a batch that failed are handled and reported as they are ${how}`, async () => {
    const data = { lines: [{ sku: "tea" }], at: new Date(0), cents: new Map([["tea", 2n]]) };
    const Ordered = defineEvent<unknown>()("Ordered");
    const store = new EventStore(memory(), { events: [Ordered], publishes: true });
    for (const id of ["good", "bad", "fine"]) await store.append(`order:${id}`, Ordered(data));
    const [handled, reported]: [unknown[], unknown[]] = [[], []];
    const handle = (event: { readonly streamId: string; readonly data: unknown }) => {
      if (event.streamId === "order:bad") throw new Error("it is bad");
      handled.push(event.data);
    };
    const consumer = transaction
      ? new Subscription(store, { name: "s", transaction, handler: handle })
      : new Outbox(store, {
        publishBatch(events) {
          if (events.length > 1) throw new Error("one of them is bad");
          handle(events[0]!);
        },
      });
    const stop = new AbortController();
    const run = consumer.run({
      signal: stop.signal,
      onError(_error, context) {
        if (context.phase === "handle") reported.push(context.event);
      },
    });
    await consumer.waitFor(await store.position());
    stop.abort();
    await run;
    assert.deepEqual(reported, await store.load("order:bad"));
    assert.deepEqual(handled, transaction ? [data, data, data] : [data, data]);
    assert.equal((await consumer.parked()).length, 1);
  });
}

test("a failure that asks for a pause is waited for when the lane stops before it, too", async () => {
  const store = open();
  await store.append("a", notes(1));
  let calls = 0;
  const subscription = new Subscription(store, {
    name: "busy",
    onFailure: "stop",
    retry: soon,
    handler() {
      if (++calls === 1) throw new RetryLaterError("it is busy", 300);
    },
  });
  const stop = new AbortController();
  const start = performance.now();
  const run = subscription.run({ signal: stop.signal, pollInterval: 1, onError: () => {} });
  await subscription.waitFor(await store.position());
  assert(performance.now() - start >= 295);
  stop.abort();
  await run;
});

test("a failure counts only when something else succeeded since", async () => {
  const store = open();
  await store.append("bad", notes(0));
  const outbox = new Outbox(store, {
    retry: { ...soon, attempts: 3 },
    publisher(event) {
      if (event.streamId === "bad") throw new Error("it is broken");
    },
  });
  for (let round = 0; round < 20; round++) await outbox.runOnce();
  assert.equal((await outbox.parked())[0]!.attempts, 1);
  assert.equal((await outbox.status()).stalled, true);
  for (let round = 0; round < 3; round++) {
    await store.append(`good:${round}`, notes(1));
    await outbox.runOnce();
  }
  await outbox.runOnce();
  const [parked] = await outbox.parked();
  assert.deepEqual([parked!.attempts, parked!.dueAt], [3, undefined]);
  assert.equal((await outbox.runOnce()).failed, 0);
});

test("relane() says who is in its way when another worker keeps a lane", async () => {
  const store = open();
  await store.append("a", notes(1));
  const [begun, end] = [gate(), gate()];
  const make = (): Outbox =>
    new Outbox(store, {
      lease: 100,
      publisher() {
        begun.open();
        return end.passed;
      },
    });
  const working = make().runOnce();
  await begun.passed;
  await assert.rejects(make().relane(2), {
    code: "BUSY",
    message:
      'Cannot change consumer "outbox": a worker holds one of its lanes, and kept it for 200 ms',
  });
  end.open();
  assert.equal((await working).handled, 1);
});

test("consumers need transactions only where their handler runs in one", async () => {
  const store = open(withoutTransactions());
  const unsupported = { code: "UNSUPPORTED", message: /no interactive transactions/ };
  const name = "reader";
  assert.throws(() => new Projection(store, { name, handlers: {} }), unsupported);
  const transactional = { name, handler: (_event: unknown, { db }: { db: unknown }) => db };
  assert.throws(() => new Subscription(store, transactional), unsupported);
  await store.append("a", notes(1));
  assert.equal((await new Outbox(store, { publisher() {} }).runOnce()).handled, 1);
});

test("concurrency handles streams side by side, and each in its order", async () => {
  const store = open();
  for (const number of [1, 2, 3]) {
    for (const streamId of ["a", "b", "c", "d"]) await store.append(streamId, notes(number));
  }
  let [running, most] = [0, 0];
  const seen: Record<string, unknown[]> = {};
  const outbox = new Outbox(store, {
    concurrency: 3,
    async publisher({ streamId, data }) {
      most = Math.max(most, ++running);
      await Promise.resolve();
      (seen[streamId] ??= []).push(data);
      running--;
    },
  });
  await outbox.runOnce();
  assert.equal(most, 3);
  const order = [1, 2, 3];
  assert.deepEqual(seen, { a: order, b: order, c: order, d: order });
});

test("a consumer that wants no types or categories is given nothing, and is never behind", async () => {
  const store = open();
  await store.append("a", notes(1));
  for (const filter of [{ types: [] }, { categories: [] }]) {
    const name = JSON.stringify(filter);
    const nothing = new Subscription(store, { name, ...filter, handler: assert.fail });
    assert.deepEqual(await nothing.runOnce(), { handled: 0, failed: 0, parked: 0, position: 1 });
    assert.equal((await nothing.status()).lag, 0);
  }
});

test("a consumer refuses options that are malformed or out of range, by name", () => {
  const store = open();
  const wrong: readonly [object, RegExp][] = [
    [{ name: "" }, /^RangeError: name /],
    [{ concurrency: 0 }, /^RangeError: concurrency .* from 1 .* got 0/],
    [{ batchSize: 1.5 }, /^RangeError: batchSize .* got 1.5/],
    [{ lanes: 1025 }, /^RangeError: lanes must be at most 1024, got 1025/],
    [{ timeout: "1" }, /^TypeError: timeout must be a number, got a string/],
    [{ lease: 5 }, /^RangeError: lease .* from 100 .* got 5/],
    [{ retry: { attempts: 0 } }, /^RangeError: retry.attempts /],
    [{ retry: { minDelay: 10, maxDelay: 5 } }, /^RangeError: retry.maxDelay .* from 10 .* got 5/],
    [{ from: "end" }, /^TypeError: from must be /],
    [{ from: { after: -1 } }, /^RangeError: from.after /],
    [{ onFailure: "halt" }, /^TypeError: onFailure must be /],
    [{ onFilterChange: "rebuild" }, /^TypeError: onFilterChange must be /],
    [{ types: ["Nothing"] }, /^TypeError: Cannot consume "Nothing"/],
    [{ categories: "order" }, /^TypeError: categories must be an array/],
    [{ handler: undefined }, /^TypeError: handler must be a function/],
  ];
  for (const [options, message] of wrong) {
    const make = () =>
      new Subscription(store, Object.assign({ name: "reader", handler() {} }, options));
    assert.throws(make, (error) => message.test(String(error)), String(message));
  }
  const outbox = (options: object) => () =>
    new Outbox(store, Object.assign({ publisher() {} }, options));
  assert.throws(outbox({ publisher: undefined }), /TypeError: publisher or publishBatch must be/);
  assert.throws(outbox({ publishBatch() {} }), /TypeError: .* only one of them/);
});

test("rebuild() of a projection without reset throws", async () => {
  const projection = new Projection(open(), { name: "model", handlers: { Noted() {} } });
  await assert.rejects(projection.rebuild(), { name: "TypeError", message: /reset must be given/ });
});
