// When a consumer ends: by a signal, or by its disposal. What is in flight is finished.
import {
  type Consumer,
  defineEvent,
  EventStore,
  Outbox,
  Projection,
  Subscription,
} from "event-sourcery";
import { memory } from "event-sourcery/memory";
import assert from "node:assert/strict";
import { test } from "node:test";
import { gate } from "../support/gate.ts";

const Noted = defineEvent<number>()("Noted");

function open() {
  return new EventStore(memory(), { events: [Noted], publishes: true });
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

test("a signal is listened to once, by however many consumers and passes", async () => {
  const stop = new AbortController();
  const { signal } = stop;
  const listeners: unknown[] = [];
  const listen = signal.addEventListener.bind(signal);
  signal.addEventListener = (type: string, listener: EventListener | EventListenerObject) => {
    listeners.push(listener);
    listen(type, listener);
  };
  const store = open();
  await store.append("a", notes(1));
  const outboxes = Array.from(
    { length: 20 },
    (_, index) => new Outbox(store, { name: `outbox ${index}`, publisher() {} }),
  );
  const following = (async () => {
    for await (const _ of store.follow({ signal }));
  })();
  const runs = outboxes.map((outbox) => outbox.run({ signal }));
  await Promise.all(outboxes.map((outbox) => outbox.waitFor(1, { signal })));
  await Promise.all(outboxes.map((outbox) => outbox.runOnce({ signal })));
  assert.equal(listeners.length, 1);
  stop.abort();
  await Promise.all([...runs, following]);
});

/** A signal that counts its listeners. */
function counted(signal: AbortSignal): () => number {
  let count = 0;
  const { addEventListener, removeEventListener } = signal;
  signal.addEventListener = function (...args: Parameters<typeof addEventListener>) {
    count++;
    addEventListener.apply(this, args);
  };
  signal.removeEventListener = function (...args: Parameters<typeof removeEventListener>) {
    count--;
    removeEventListener.apply(this, args);
  };
  return () => count;
}

test("waitFor() and follow() leave no listener behind: on Deno it would keep the process running", async () => {
  const store = open();
  const reader = new Subscription(store, { name: "reader", handler() {} });
  const wait = new AbortController();
  const listeners = counted(wait.signal);
  const [running, run] = [new AbortController(), { pollInterval: 10 }];
  const { position } = await store.append("a", notes(1));
  const waits = [1, 2].map(() => reader.waitFor(position, { signal: wait.signal }));
  const ran = reader.run({ ...run, signal: running.signal });
  assert.equal(listeners(), 1);
  await Promise.all(waits);
  assert.equal(listeners(), 0);
  for await (const event of store.follow({ signal: wait.signal })) {
    assert.equal(listeners(), 1);
    if (event.position === position) break;
  }
  assert.equal(listeners(), 0);
  running.abort();
  await ran;
});
