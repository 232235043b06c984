// Rule F4: an outage loses nothing and gives up nothing, however long; a poisonous event is given up, and nothing else.
import assert from "node:assert/strict";
import { test } from "node:test";
import { desk as open } from "../support/desk.ts";
import { until } from "../support/journal.ts";
import { judge } from "../support/oracle.ts";
import { running } from "../support/running.ts";
import { write } from "../support/scribe.ts";
import { Chance, seed } from "../support/seed.ts";
import { all } from "../support/shop.ts";
import { caughtUp } from "../support/stage.ts";

const attempts = 3;
const quick = { retry: { attempts, minDelay: 1, maxDelay: 4 }, batchSize: 7 };
const timeout = 40_000;

/** What a broker does that is down. */
const outages: Readonly<Record<string, () => unknown>> = {
  "throws an error": () => {
    throw new Error("it is down");
  },
  "throws a string": () => {
    throw "it is down";
  },
  "throws something without a text": () => {
    throw Object.create(null);
  },
  "rejects with undefined": () => Promise.reject(undefined),
  "never answers": () => new Promise(() => {}),
};

for (const [name, fails] of Object.entries(outages)) {
  const title = `Outbox loses nothing and gives up nothing while its publisher ${name}`;
  test(`${title} (SEED=${seed})`, { timeout }, async () => {
    const desk = open();
    const { store, journal } = desk;
    const chance = new Chance();
    let [down, calls] = [false, 0];
    const outbox = desk.outbox({ ...quick, timeout: 15 }, () => {
      if (!down) return undefined;
      calls++;
      return fails();
    });
    await write(desk, journal, chance, 10);
    await running([outbox], async () => {
      await caughtUp(outbox);
      down = true;
      await write(desk, journal, chance, 10);
      await until(async () => calls > 8 * attempts && (await outbox.status()).stalled);
      const parked = await outbox.parked();
      assert.ok(parked.length > 0);
      for (const { dueAt, attempts: counted } of parked) {
        assert.ok(dueAt !== undefined && counted < attempts, "no attempt of an outage counts");
      }
      down = false;
      await caughtUp(outbox);
      assert.equal((await outbox.status()).stalled, false);
    });
    judge(journal.entries(), await all(store.readAll()));
    journal.remove();
  });
}

test(
  "Outbox keeps its lane while its publisher takes longer than the lease",
  { timeout },
  async () => {
    const desk = open();
    const make = () =>
      desk.outbox({ lease: 100 }, () => new Promise((resolve) => setTimeout(resolve, 250)));
    for (const streamId of ["a", "b"]) await desk.commit(streamId, 1);
    const [one, other] = [make(), make()];
    await running([one, other], () => caughtUp(one));
    judge(desk.journal.entries(), await all(desk.store.readAll()));
    desk.journal.remove();
  },
);

test(
  "a poisonous event is parked after its attempts, and only its stream waits",
  { timeout },
  async () => {
    const desk = open();
    const { store, journal } = desk;
    let [poisonous, calls] = [true, 0];
    const outbox = desk.outbox(quick, ({ data }) => {
      if (data !== 13) return;
      calls++;
      if (poisonous) throw new Error("it is poison");
    });
    await desk.commit("bad", 1, 13, 2);
    let round = 0;
    await running([outbox], async () => {
      await until(async () => {
        await desk.commit(`good:${round++ % 9}`, round);
        const [parked] = await outbox.parked();
        return parked !== undefined && parked.dueAt === undefined;
      });
      await desk.commit("bad", 3);
      await outbox.waitFor(await desk.commit("good:0", 0));
      const [parked, ...others] = await outbox.parked();
      assert.deepEqual([parked!.streamId, parked!.attempts, others], ["bad", attempts, []]);
      assert.equal(parked!.error, "Error: it is poison");
      assert.ok(calls >= attempts, "a failure counts only if something succeeded since the last");
      assert.deepEqual(desk.sent("bad"), [1]);
      poisonous = false;
      assert.equal(await outbox.redrive("bad"), 1);
      await caughtUp(outbox);
    });
    assert.deepEqual(desk.sent("bad"), [1, 13, 2, 3]);
    judge(journal.entries(), await all(store.readAll()));
    journal.remove();
  },
);

test("a poisonous event is parked after its attempts by runOnce() of one process after another", async () => {
  const desk = open();
  await desk.commit("bad", 13);
  for (let round = 1; round <= attempts; round++) {
    await desk.commit(`good:${round}`, round);
    // The processes share nothing but the database.
    const outbox = desk.outbox({ retry: { attempts, minDelay: 0, maxDelay: 0 } }, ({ data }) => {
      if (data === 13) throw new Error("it is poison");
    });
    await outbox.runOnce();
    const [parked] = await outbox.parked();
    assert.equal(parked!.attempts, round);
    assert.equal(parked!.dueAt === undefined, round === attempts);
  }
  desk.journal.remove();
});

test("a good stream behind many that fail gets its turn after a few passes", async () => {
  const desk = open();
  for (let number = 0; number < 20; number++) await desk.commit(`bad:${number}`, 13);
  await desk.commit("good", 1);
  const outbox = desk.outbox(quick, ({ data }) => {
    if (data === 13) throw new Error("it is poison");
  });
  let passes = 0;
  while (desk.sent().length === 0 && passes++ < 20) await outbox.runOnce();
  assert.ok(passes < 8, `it took ${passes} passes`); // 3 streams and 1, 2, 3, 4, 5, 6 more
  desk.journal.remove();
});

test(
  "good streams go on behind several that fail, once one of them has succeeded",
  { timeout },
  async () => {
    const desk = open();
    for (const number of [13, 13, 13, 13, 1, 2, 3, 4, 5, 6]) {
      await desk.commit(`s:${crypto.randomUUID()}`, number);
    }
    const outbox = desk.outbox(quick, ({ data }) => {
      if (data === 13) throw new Error("it is poison");
    });
    const position = await desk.commit("s", 7);
    await running([outbox], () => outbox.waitFor(position));
    assert.deepEqual(desk.sent(), [1, 2, 3, 4, 5, 6, 7]);
    assert.equal((await outbox.parked()).length, 4);
    desk.journal.remove();
  },
);
