// Rules F5 to F8: who may work on what, how much at a time, and until when.
import {
  ConnectionError,
  EventStore,
  isEventSourceryError,
  Projection,
  Subscription,
} from "event-sourcery";
import { memory } from "event-sourcery/memory";
import assert from "node:assert/strict";
import { test } from "node:test";
import { desk } from "../support/desk.ts";
import { until } from "../support/journal.ts";
import { judge } from "../support/oracle.ts";
import { Noted, replace } from "../support/relay.ts";
import { running } from "../support/running.ts";
import { all } from "../support/shop.ts";
import { caughtUp } from "../support/stage.ts";

const timeout = 30_000;
const key = { scope: "all", name: "outbox", version: 1 };

test("a transactional handler beside others of its consumer throws TypeError", () => {
  const { store, journal } = desk();
  const both = { name: "both", concurrency: 2 };
  assert.throws(
    () => new Subscription(store, { ...both, handler(_event, _context) {} }),
    TypeError,
  );
  assert.throws(
    () => new Subscription(store, { ...both, transaction: true, handler() {} }),
    TypeError,
  );
  // For those who do not check types.
  const untyped: object = { ...both, handlers: {} };
  assert.throws(
    () => new Projection(store, untyped as { name: string; handlers: object }),
    TypeError,
  );
  const subscription = new Subscription(store, {
    ...both,
    transaction: false,
    handler(_event, _) {},
  });
  assert.equal(subscription.name, "both");
  journal.remove();
});

test("runOnce() handles nothing while another worker has the lease", async () => {
  const { driver, commit, outbox, sent, journal } = desk();
  await commit("a", 1);
  const consumer = outbox({}, () => {});
  await driver.checkpoints!.register(key, {
    lanes: 1,
    filter: JSON.stringify({ published: true }),
    position: 0,
  });
  const { epoch } = (await driver.checkpoints!.claim({ ...key, lane: 0 }, "another", 60_000))!;
  assert.deepEqual(await consumer.runOnce(), { handled: 0, failed: 0, parked: 0, position: 0 });
  assert.equal((await consumer.status()).owner, "another");
  const nothing = { stalled: false, recovered: false, parked: [], deferred: [], released: [] };
  const released = { position: 0, lease: undefined, ...nothing };
  assert.ok(await driver.checkpoints!.advance({ ...key, lane: 0 }, epoch, released));
  assert.equal((await consumer.runOnce()).handled, 1);
  assert.deepEqual(sent(), [1]);
  journal.remove();
});

test("a worker gives its lane back when the database does not answer", async () => {
  let broken = true;
  const whole = memory();
  const { commit, outbox, journal } = desk(replace(whole, {
    async settled() {
      if (broken) throw new ConnectionError();
      return await whole.settled();
    },
  }));
  await commit("a", 1);
  await assert.rejects(outbox({}, () => {}).runOnce(), { code: "CONNECTION" });
  broken = false;
  assert.equal((await outbox({}, () => {}).runOnce()).handled, 1);
  journal.remove();
});

test(
  "a handler's signal aborts when its lease is lost, and its progress is refused",
  { timeout },
  async () => {
    const { driver, commit, outbox, sent, journal } = desk();
    await commit("a", 1, 2);
    let reason: unknown;
    const losing = outbox({ lease: 100 }, async (_event, { signal }) => {
      await driver.checkpoints!.rewind(key, 0);
      await new Promise<void>((resolve) => signal.addEventListener("abort", () => resolve()));
      reason = signal.reason;
    });
    assert.equal((await losing.runOnce()).handled, 0);
    assert.ok(isEventSourceryError(reason, "LEASE_LOST"));
    assert.equal((await losing.status()).position, 0);
    await outbox({}, () => {}).runOnce();
    assert.deepEqual(sent("a").slice(-2), [1, 2]);
    journal.remove();
  },
);

test(
  "no more than a batch is in flight, and a stop finishes what is in flight",
  { timeout },
  async () => {
    const { commit, outbox, sent, journal } = desk();
    for (let number = 0; number < 50; number++) await commit(`s:${number}`, number);
    let [inFlight, most] = [0, 0];
    let go = () => {};
    const gate = new Promise<void>((resolve) => go = resolve);
    const consumer = outbox({ batchSize: 10, concurrency: 100 }, async () => {
      most = Math.max(most, ++inFlight);
      await gate;
      inFlight--;
    });
    const stop = new AbortController();
    const run = consumer.run({ signal: stop.signal });
    await until(() => inFlight === 10);
    stop.abort();
    assert.deepEqual(sent(), []);
    go();
    await run;
    assert.deepEqual([most, sent().length], [10, 10]);
    const { position, owner } = await consumer.status();
    assert.deepEqual([position, owner], [10, undefined]);
    journal.remove();
  },
);

test("a checkpoint moves on over events that its consumer does not want", async () => {
  const { commit, store, journal } = desk();
  const consumer = new Subscription(store, {
    name: "rare",
    categories: ["rare"],
    batchSize: 3,
    handler() {},
  });
  for (let number = 0; number < 20; number++) await commit(`common:${number}`, number);
  const { handled, position } = await consumer.runOnce();
  assert.deepEqual([handled, position], [0, 20]);
  journal.remove();
});

test("relane() under load loses, repeats and reorders nothing", { timeout }, async () => {
  const { commit, outbox, store, journal } = desk();
  const make = (lanes: number) => outbox({ lanes, batchSize: 5, concurrency: 3 }, () => {});
  let [number, open] = [0, true];
  const writing = (async () => {
    while (open) {
      await commit(`s:${number % 13}`, number++);
      if (number % 10 === 0) await new Promise((resolve) => setTimeout(resolve, 1));
    }
  })();
  const old = [make(2), make(2)].map((one) => one.run({ pollInterval: 10, onError() {} }));
  const ended = Promise.allSettled(old);
  await until(() => number > 100);
  await make(5).relane(5);
  const [one, other] = [make(5), make(5)];
  await running([one, other], async () => {
    const before = number;
    await until(() => number > before + 100);
    open = false;
    await writing;
    await caughtUp(one);
  });
  for (const end of await ended) {
    assert.ok(end.status === "rejected" && isEventSourceryError(end.reason, "LANES_MISMATCH"));
  }
  judge(journal.entries(), await all(store.readAll()));
  journal.remove();
});

test("relane() changes nothing when its handler fails, and gives the lanes back", async () => {
  const { driver, commit, outbox, store, journal } = desk();
  let down = false;
  const make = (lanes: number) =>
    outbox({ lanes, retry: { minDelay: 0, maxDelay: 0 } }, () => {
      if (down) throw new Error("it is down");
    });
  await make(2).runOnce();
  for (let number = 0; number < 40; number++) await commit(`s:${number}`, number);
  // One lane is ahead of the other.
  const { epoch } = (await driver.checkpoints!.claim({ ...key, lane: 1 }, "another", 60_000))!;
  await make(2).runOnce();
  const nothing = { stalled: false, recovered: true, parked: [], deferred: [], released: [] };
  const released = { position: 0, lease: undefined, ...nothing };
  await driver.checkpoints!.advance({ ...key, lane: 1 }, epoch, released);
  down = true;
  await assert.rejects(make(3).relane(3), /it is down/);
  down = false;
  const lanes = await driver.checkpoints!.lanes(key);
  assert.deepEqual(lanes.map(({ owner }) => owner), [undefined, undefined]);
  await make(3).relane(3);
  await make(3).drain();
  judge(journal.entries(), await all(store.readAll()));
  journal.remove();
});

test("relane() makes the lanes of a consumer that has never run", async () => {
  const { driver, commit, outbox, store, journal } = desk();
  await commit("a", 1);
  await outbox({ lanes: 2 }, () => {}).relane(4);
  assert.equal((await driver.checkpoints!.lanes(key)).length, 4);
  await outbox({ lanes: 4 }, () => {}).runOnce();
  judge(journal.entries(), await all(store.readAll()));
  journal.remove();
});

test("relane() accepts another filter no more than a run does", async () => {
  const { store } = desk();
  const make = (more: object) => new Subscription(store, { name: "reader", handler() {}, ...more });
  await make({}).runOnce();
  const filter = { categories: ["order"] };
  await assert.rejects(make(filter).relane(2), { code: "FILTER_MISMATCH" });
  await make({ ...filter, onFilterChange: "accept" }).relane(2);
  await make({ ...filter, lanes: 2 }).runOnce();
});

test(
  "rebuild() takes the lane from a worker, and the read model is right in the end",
  { timeout },
  async () => {
    const model = new Map<string, string>();
    const store = new EventStore(memory({ db: model }), { events: [Noted] });
    let resets = 0;
    const make = (reset: () => void = () => {}) =>
      new Projection(store, {
        name: "model",
        batchSize: 2,
        handlers: {
          async Noted({ streamId, version }, { db }) {
            const seen = db.get(streamId);
            db.set(streamId, seen === undefined ? `${version}` : `${seen},${version}`);
            await new Promise((resolve) => setTimeout(resolve, 1));
          },
        },
        reset({ db }) {
          reset();
          db.clear();
          resets++;
        },
      });
    for (let number = 0; number < 40; number++) {
      await store.append(
        `s:${number % 4}`,
        Noted(number),
      );
    }
    const right = Object.fromEntries(
      [0, 1, 2, 3].map((stream) => [`s:${stream}`, "1,2,3,4,5,6,7,8,9,10"]),
    );
    await running([make()], async () => {
      await until(() => (model.get("s:0")?.length ?? 0) > 3);
      await make().rebuild();
      await until(async () => (await make().status()).lag === 0);
    });
    assert.deepEqual([resets, Object.fromEntries(model)], [1, right]);
    const refusing = make(() => {
      throw new Error("it cannot be emptied");
    });
    await assert.rejects(refusing.rebuild(), /it cannot be emptied/);
    assert.equal((await refusing.status()).lag, 0, "no reset, no rewind");
  },
);

test("a worker that wants other events than its consumer by now passes over none", async () => {
  const { commit, store, journal } = desk();
  const seen: number[] = [];
  const make = (...categories: readonly string[]) =>
    new Subscription(store, {
      name: "reader",
      categories,
      onFilterChange: "accept",
      handler: ({ data }) => void seen.push(data),
    });
  const [old, young] = [make("a"), make("a", "b")];
  await old.runOnce();
  await young.runOnce();
  await commit("b:1", 1);
  await assert.rejects(old.runOnce(), { code: "FILTER_MISMATCH" });
  await young.runOnce();
  assert.deepEqual(seen, [1]);
  journal.remove();
});
