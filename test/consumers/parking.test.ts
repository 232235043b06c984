// Rules F1, F2 and F8: parked streams lose nothing, even when they are redriven, discarded or deleted meanwhile.
import { PermanentError, Subscription } from "event-sourcery";
import assert from "node:assert/strict";
import { test } from "node:test";
import { desk } from "../support/desk.ts";
import { until } from "../support/journal.ts";
import { judge } from "../support/oracle.ts";
import { Noted } from "../support/relay.ts";
import { running } from "../support/running.ts";
import { write } from "../support/scribe.ts";
import { Chance, seed } from "../support/seed.ts";
import { all } from "../support/shop.ts";

const timeout = 30_000;
const soon = { minDelay: 0, maxDelay: 0 };

test(`redrive() loses and reorders nothing while workers park and drain (SEED=${seed})`, {
  timeout,
}, async () => {
  const one = desk();
  const { journal, outbox, store } = one;
  const chance = new Chance();
  const retry = { attempts: 2, minDelay: 0, maxDelay: 1 };
  let healthy = false;
  const make = () =>
    outbox({ batchSize: 4, retry }, () => {
      if (!healthy && chance.below(3) === 0) throw new PermanentError("it is down for some");
    });
  const workers = [make(), make()];
  await running(workers, async () => {
    for (let round = 0; round < 15; round++) {
      await write(one, journal, chance, 3);
      await workers[round % 2]!.redrive();
      await new Promise((resolve) => setTimeout(resolve, 2));
    }
    healthy = true;
    await until(async () => {
      await workers[0]!.redrive();
      const { position, head, retrying, parked } = await workers[0]!.status();
      return position === head && retrying === 0 && parked === 0;
    });
  });
  judge(journal.entries(), await all(store.readAll()));
  journal.remove();
});

test(
  "a parked stream that is deleted is forgotten, and one of its name starts anew",
  { timeout },
  async () => {
    const { commit, journal, outbox, sent, store } = desk();
    await commit("bad", 13, 1);
    await commit("good", 2);
    const consumer = outbox({ retry: soon }, ({ data }) => {
      if (data === 13) throw new Error("it is poison");
    });
    assert.equal((await consumer.runOnce()).parked, 1);
    await store.delete("bad");
    assert.deepEqual(await consumer.parked(), []);
    assert.equal(await consumer.redrive(), 0);
    await commit("bad", 3, 4);
    assert.deepEqual((await consumer.runOnce()).failed, 0);
    assert.deepEqual(sent(), [2, 3, 4]);
    journal.remove();
  },
);

test("a stream that is deleted while it fails hangs nothing", { timeout }, async () => {
  const { commit, journal, outbox, sent, store } = desk();
  await commit("bad", 13, 1);
  await commit("good", 2);
  const consumer = outbox({ retry: { minDelay: 1, maxDelay: 1 } }, async ({ data, streamId }) => {
    if (data !== 13) return;
    await store.delete(streamId);
    throw new Error("it is poison");
  });
  await running([consumer], async () => {
    await until(async () => sent().length === 1 && (await consumer.parked()).length === 0);
    await consumer.waitFor(await commit("bad", 3));
    await until(() => sent().length === 2);
  });
  assert.deepEqual(sent(), [2, 3]);
  journal.remove();
});

test("discard() drops the failing event, discard({ all }) what waits behind it too", async () => {
  const { commit, journal, outbox, sent } = desk();
  for (const streamId of ["one", "all"]) await commit(streamId, 13, 1);
  const consumer = outbox({ retry: soon }, ({ data }) => {
    if (data === 13) throw new PermanentError("it is poison");
  });
  await consumer.runOnce();
  for (const streamId of ["one", "all"]) await commit(streamId, 2);
  await consumer.runOnce();
  assert.equal(await consumer.discard("one"), true);
  assert.equal(await consumer.discard("all", { all: true }), true);
  await commit("all", 3);
  await consumer.runOnce();
  assert.deepEqual([sent("one"), sent("all")], [[1, 2], [3]]);
  assert.deepEqual(await consumer.parked(), []);
  journal.remove();
});

test("discard() called twice gives up one event", async () => {
  const { commit, journal, outbox, sent } = desk();
  await commit("one", 13, 1, 2);
  const consumer = outbox({ retry: soon }, ({ data }) => {
    if (data === 13) throw new PermanentError("it is poison");
  });
  await consumer.runOnce();
  const twice = [consumer.discard("one"), consumer.discard("one")];
  assert.deepEqual(await Promise.all(twice), [true, false]);
  assert.deepEqual((await consumer.parked()).map(({ error }) => error), [undefined]);
  await consumer.runOnce();
  assert.deepEqual(sent("one"), [1, 2]);
  assert.deepEqual(await consumer.parked(), []);
  assert.equal(await consumer.discard("one", { all: true }), false);
  journal.remove();
});

test("redrive() and discard() ask for the tenant where several have the stream parked", async () => {
  const { journal, store } = desk();
  let broken = true;
  const seen: string[] = [];
  const consumer = new Subscription(store, {
    name: "all",
    handler({ tenantId, data }) {
      if (broken) throw new PermanentError("it is broken");
      seen.push(`${tenantId}${data}`);
    },
  });
  for (const tenantId of ["x", "y"]) {
    await store.scope({ tenantId }).append("same", Noted(1));
  }
  await consumer.runOnce();
  await assert.rejects(consumer.redrive("same"), /must name its tenant/);
  await assert.rejects(consumer.discard("same"), /must name its tenant/);
  broken = false;
  assert.equal(await consumer.redrive({ tenantId: "y", streamId: "same" }), 1);
  await consumer.runOnce();
  assert.deepEqual(seen, ["y1"]);
  assert.equal(await consumer.redrive("same"), 1, "only one is left");
  journal.remove();
});

test("runOnce() waits for no retry", { timeout: 5000 }, async () => {
  const { commit, journal, outbox, sent } = desk();
  await commit("bad", 13);
  await commit("good", 1);
  let calls = 0;
  const consumer = outbox({ retry: { minDelay: 60_000 } }, ({ data }) => {
    if (data !== 13) return;
    calls++;
    throw new Error("it is poison");
  });
  await consumer.runOnce();
  const { handled, failed, parked } = await consumer.drain();
  assert.deepEqual([handled, failed, parked, calls, sent()], [0, 0, 1, 1, [1]]);
  journal.remove();
});
