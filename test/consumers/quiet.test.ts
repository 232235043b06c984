import { type Consumer, defineEvent, EventStore, Outbox } from "event-sourcery";
import { memory } from "event-sourcery/memory";
import assert from "node:assert/strict";
import { test } from "node:test";

const Noted = defineEvent("Noted");
const timeout = 30_000;

/** Runs an outbox over a store of its own while work goes on. */
async function during(
  minDelay: number,
  publish: (streamId: string) => void,
  work: (store: EventStore<ReturnType<typeof Noted>>, outbox: Consumer) => Promise<void>,
): Promise<void> {
  const store = new EventStore(memory(), { events: [Noted], publishes: true });
  const outbox = new Outbox(store, {
    retry: { minDelay, maxDelay: 3_600_000 },
    publisher: ({ streamId }) => publish(streamId),
  });
  const running = outbox.run({ pollInterval: 10, onError() {} });
  try {
    await work(store, outbox);
  } finally {
    await outbox[Symbol.asyncDispose]();
    await running;
  }
}

/** A broker that is down until it is said to be up, and counts how often it is asked. */
function brokenBroker() {
  const broker = { calls: 0, down: true };
  const publish = () => {
    broker.calls++;
    if (broker.down) throw new Error("it is down");
  };
  return { broker, publish };
}

/** Waits until something holds. */
async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await new Promise((resolve) => setTimeout(resolve, 1));
}

test(
  "an event that fails for ever holds up no other stream, though nothing else happens for long",
  {
    timeout,
  },
  async () => {
    const calls: string[] = [];
    const publish = (streamId: string) => {
      calls.push(streamId);
      if (streamId === "bad") throw new Error("it is broken");
    };
    await during(10, publish, async (store) => {
      await store.append("bad", Noted());
      // By now the next attempt at it is some hundred milliseconds away.
      await until(() => calls.length === 8);
      for (const streamId of ["good", "better"]) {
        await store.append(streamId, Noted());
        await until(() => calls.at(-1) === streamId);
      }
      assert.deepEqual(calls.slice(8).filter((streamId) => streamId !== "bad"), ["good", "better"]);
      assert.equal(calls[8], "good", "a stream that is well must not wait for one that is not");
    });
  },
);

test("run() asks a broker that is down no sooner for whatever is published meanwhile", {
  timeout,
}, async () => {
  const { broker, publish } = brokenBroker();
  await during(200, publish, async (store, outbox) => {
    const until = Date.now() + 500;
    let streams = 0;
    while (Date.now() < until) {
      await store.append(`a:${++streams}`, Noted());
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    // Three together, and one more, tell an outage; then two and three at the ends of pauses that double, each with one that
    // was tried before.
    assert.ok(
      broker.calls >= 3 && broker.calls <= 11,
      `${broker.calls} calls for ${streams} streams`,
    );
    assert.equal((await outbox.status()).stalled, true);
    broker.down = false;
    const signal = AbortSignal.timeout(10_000);
    await outbox.waitFor(streams, { signal });
    while ((await outbox.parked()).length > 0) {
      signal.throwIfAborted();
      await outbox.redrive();
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    assert.equal((await outbox.status()).stalled, false);
  });
});

test("redrive() ends the pause of an outage: who calls it says that it is over", {
  timeout,
}, async () => {
  const { broker, publish } = brokenBroker();
  await during(3_600_000, publish, async (store, outbox) => {
    for (const streamId of ["a", "b", "c"]) await store.append(streamId, Noted());
    await until(() => broker.calls === 3);
    broker.down = false;
    while ((await outbox.parked()).length > 0) await outbox.redrive();
    assert.equal(broker.calls, 6);
  });
});
