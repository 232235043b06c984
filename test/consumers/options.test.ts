import {
  type Consumer,
  defineEvent,
  type Driver,
  EventStore,
  Outbox,
  Projection,
  Subscription,
} from "event-sourcery";
import { memory } from "event-sourcery/memory";
import assert from "node:assert/strict";
import { test } from "node:test";

const Noted = defineEvent<number>()("Noted");
const Closed = defineEvent("Closed");
const soon = { minDelay: 0, maxDelay: 0 };

function open<Db = undefined>(driver?: Driver<Db>) {
  return new EventStore(driver ?? memory(), { events: [Noted, Closed], publishes: true });
}

function notes(...numbers: readonly number[]) {
  return numbers.map((number) => Noted(number));
}

interface Made {
  readonly store: ReturnType<typeof open>;
  readonly consumer: Consumer;
}

function make(consumer: (store: Made["store"]) => Consumer): Made {
  const store = open();
  return { store, consumer: consumer(store) };
}

function numberOf({ data }: { readonly data: unknown }): number {
  assert(typeof data === "number");
  return data;
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

/** A promise, and what resolves it. */
function gate(): { readonly passed: Promise<void>; readonly open: () => void } {
  let open = () => {};
  const passed = new Promise<void>((resolve) => open = resolve);
  return { passed, open };
}

test("a consumer finishes what is in flight, and nothing more, when it is disposed of", async () => {
  const store = open();
  await store.append("a", notes(1, 2));
  const [begun, end] = [gate(), gate()];
  const seen: number[] = [];
  const subscription = new Subscription(store, {
    name: "reader",
    types: ["Noted"],
    async handler({ data }) {
      begun.open();
      await end.passed;
      seen.push(data);
    },
  });
  const running = subscription.run();
  await begun.passed;
  const disposed = subscription[Symbol.asyncDispose]();
  end.open();
  await disposed;
  assert.deepEqual(seen, [1]);
  await running;
  const { position, owner } = await subscription.status();
  assert.deepEqual([position, owner], [1, undefined]);
});

/** Consumers of each way to handle, one event at a time. */
const consumers: Record<string, (handle: (number: number) => unknown) => Made> = {
  "each event": (handle) =>
    make((store) => new Outbox(store, { publisher: (event) => handle(numberOf(event)) })),
  "a batch": (handle) =>
    make((store) =>
      new Outbox(store, { batchSize: 1, publishBatch: ([event]) => handle(numberOf(event!)) })
    ),
  "a transaction": (handle) =>
    make((store) =>
      new Projection(store, {
        name: "model",
        batchSize: 1,
        handlers: { Noted: ({ data }) => handle(data) },
      })
    ),
};

for (const [way, made] of Object.entries(consumers)) {
  for (const method of ["runOnce", "drain"] as const) {
    test(`${method}() handles nothing when its signal is aborted already, by ${way}`, async () => {
      const seen: number[] = [];
      const { store, consumer } = made((number) => seen.push(number));
      await store.append("a", notes(1, 2));
      const nothing = { handled: 0, failed: 0, parked: 0, position: 0 };
      assert.deepEqual(await consumer[method]({ signal: AbortSignal.abort() }), nothing);
      assert.deepEqual(seen, []);
      const { position, owner } = await consumer.status();
      assert.deepEqual([position, owner], [0, undefined]);
      assert.equal((await consumer[method]()).handled, 2);
    });

    test(`${method}() ends what is in flight when its signal aborts, by ${way}`, async () => {
      const [begun, end] = [gate(), gate()];
      const order: unknown[] = [];
      const { store, consumer } = made(async (number) => {
        begun.open();
        await end.passed;
        order.push(number);
      });
      await store.append("a", notes(1, 2, 3));
      const stop = new AbortController();
      const call = consumer[method]({ signal: stop.signal });
      const returned = call.then(() => order.push("returned"));
      await begun.passed;
      stop.abort();
      // Time enough to return too early.
      await new Promise((resolve) => setTimeout(resolve, 20));
      assert.deepEqual(order, []);
      end.open();
      await returned;
      assert.deepEqual(order, [1, "returned"]);
      assert.deepEqual(await call, { handled: 1, failed: 0, parked: 0, position: 1 });
      const { position, lag, owner } = await consumer.status();
      assert.deepEqual([position, lag, owner], [1, 2, undefined]);
      assert.equal((await consumer[method]()).handled, 2);
      assert.deepEqual(order, [1, "returned", 2, 3]);
    });
  }
}

test("waitFor() rejects with its signal's reason, before and while it waits", async () => {
  const store = open();
  const outbox = new Outbox(store, { publisher() {} });
  const { position } = await store.append("a", notes(1));
  const reason = new Error("changed my mind");
  const because = (error: unknown) => error === reason;
  await assert.rejects(outbox.waitFor(position, { signal: AbortSignal.abort(reason) }), because);
  const stop = new AbortController();
  const waiting = outbox.waitFor(position, { signal: stop.signal });
  setTimeout(() => stop.abort(reason), 20);
  await assert.rejects(waiting, because);
  await outbox.runOnce();
  await outbox.waitFor(position, { signal: new AbortController().signal });
});

test("a pass leaves nothing behind at the signal that it was given", async () => {
  const { signal } = new AbortController();
  const listeners: unknown[] = [];
  signal.addEventListener = (_type: string, listener: unknown) => void listeners.push(listener);
  signal.removeEventListener = (_type: string, listener: unknown) =>
    void listeners.splice(listeners.indexOf(listener), 1);
  const store = open();
  await store.append("a", notes(1));
  const outbox = new Outbox(store, { publisher: () => assert.equal(listeners.length, 1) });
  assert.equal((await outbox.runOnce({ signal })).handled, 1);
  assert.deepEqual(listeners, []);
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
    message: 'Cannot change the lanes of consumer "outbox": another worker kept one for 200 ms',
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
    [{ onFailure: "stop" }, /^TypeError: onFailure must be /],
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
  const projection = new Projection(open(), { name: "model", handlers: {} });
  await assert.rejects(projection.rebuild(), { name: "TypeError", message: /reset must be given/ });
});
