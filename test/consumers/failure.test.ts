// Events that fail: the policies, the time limits, and what is stored of them.
import { EventStore, isEventSourceryError, Projection, Subscription } from "event-sourcery";
import { memory } from "event-sourcery/memory";
import assert from "node:assert/strict";
import { test } from "node:test";
import { desk } from "../support/desk.ts";
import { until } from "../support/journal.ts";
import { insert, row } from "../support/raw.ts";
import { Noted } from "../support/relay.ts";
import { running } from "../support/running.ts";

const at = (attempts: number) => ({ retry: { attempts, minDelay: 0, maxDelay: 0 } });
const poison = ({ data }: { readonly data: number }) => {
  if (data === 13) throw new Error("it is poison");
};

test("onFailure: skip passes over an event that failed often enough, and nothing else", async () => {
  const { commit, outbox, sent, journal } = desk();
  await commit("bad", 1, 13, 2);
  await commit("good", 3);
  const skipping = outbox({ ...at(2), onFailure: "skip" }, poison);
  const first = await skipping.runOnce();
  assert.deepEqual([first.failed, first.parked, sent()], [1, 1, [1, 3]]);
  const second = await skipping.runOnce();
  assert.deepEqual([second.failed, second.parked, sent()], [1, 0, [1, 3, 2]]);
  journal.remove();
});

test("onFailure: stop stops everything in front of an event, and waits before it tries again", {
  timeout: 30_000,
}, async () => {
  const { commit, outbox, sent, store, journal } = desk();
  let calls = 0;
  await commit("bad", 1, 13, 2);
  const retry = { minDelay: 60_000, maxDelay: 60_000 };
  const halting = outbox({ retry, onFailure: "stop", concurrency: 2 }, ({ data }) => {
    if (data === 13) calls++;
    poison({ data });
  });
  const witness = new Subscription(store, { name: "witness", handler() {} });
  await running([halting, witness], async () => {
    await until(async () => (await halting.status()).stalled);
    // Each notifies, and wakes what may be woken.
    for (let number = 0; number < 20; number++) {
      await witness.waitFor(await commit(`good:${number}`, number));
    }
  });
  assert.deepEqual([calls, sent()], [1, [1]]);
  assert.equal((await halting.status()).parked, 0);
  const healthy = outbox({ onFailure: "stop" }, () => {});
  await healthy.runOnce();
  assert.deepEqual(sent("bad"), [1, 13, 2]);
  assert.equal((await healthy.status()).stalled, false);
  journal.remove();
});

test("a handler that takes longer than its timeout is told, and has failed", async () => {
  const { commit, outbox, sent, journal } = desk();
  await commit("slow", 13, 1);
  await commit("good", 2);
  const reasons: unknown[] = [];
  const impatient = outbox({ ...at(1), timeout: 20 }, async ({ data }, { signal }) => {
    if (data !== 13) return;
    await new Promise<void>((resolve) => signal.addEventListener("abort", () => resolve()));
    reasons.push(signal.reason);
    await new Promise(() => {});
  });
  const { handled, failed } = await impatient.runOnce();
  assert.deepEqual([handled, failed, sent()], [1, 1, [2]]);
  assert.ok(isEventSourceryError(reasons[0], "HANDLER_TIMEOUT"));
  assert.match((await impatient.parked())[0]!.error!, /no answer in 20 ms/);
  journal.remove();
});

test("an event that cannot be read is parked, and holds up only its stream", async () => {
  const driver = memory();
  await insert(driver, "odd", row({ type: "Noted", codec: '{"/data":"date"}', published: true }));
  const { commit, outbox, sent, journal } = desk(driver);
  await commit("good", 1);
  const consumer = outbox({}, () => {});
  const { handled, failed, parked } = await consumer.runOnce();
  assert.deepEqual([handled, failed, parked, sent()], [1, 1, 1, [1]]);
  assert.equal((await consumer.parked())[0]!.streamId, "odd");
  journal.remove();
});

test(
  "run() reports what handlers throw, and survives an onError that throws",
  { timeout: 30_000 },
  async () => {
    const { commit, outbox, sent, journal } = desk();
    let broken = true;
    const told: unknown[] = [];
    const consumer = outbox({ retry: { minDelay: 1, maxDelay: 2 } }, () => {
      if (broken) throw "a string";
    });
    const { error } = console;
    const printed: unknown[] = [];
    console.error = (what: unknown) => void printed.push(what);
    try {
      await commit("a", 1);
      await running([consumer], async () => {
        await until(() => told.length > 5);
        broken = false;
        await until(() => sent().length === 1);
      }, {
        onError(what) {
          told.push(what);
          throw new Error("so does it");
        },
      });
    } finally {
      console.error = error;
    }
    assert.deepEqual([told[0], String(printed[0])], ["a string", "Error: so does it"]);
    journal.remove();
  },
);

test("a projection handles a batch with one poisonous event exactly once", async () => {
  const store = new EventStore(memory(), { events: [Noted] });
  let broken = true;
  const projection = new Projection(store, {
    name: "model",
    ...at(9),
    handlers: {
      async Noted({ streamId, data }, { store }) {
        if (streamId.startsWith("model")) return;
        await store.append("model", Noted(data));
        if (broken && data === 13) throw new Error("after its write");
      },
    },
  });
  for (const number of [1, 13, 2]) await store.append("bad", Noted(number));
  for (const number of [3, 4, 5]) await store.append("good", Noted(number));
  const model = async () => (await store.load("model")).map(({ data }) => data);
  await projection.runOnce();
  assert.deepEqual(await model(), [1, 3, 4, 5]);
  broken = false;
  await projection.drain();
  assert.deepEqual(await model(), [1, 3, 4, 5, 13, 2]);
});
