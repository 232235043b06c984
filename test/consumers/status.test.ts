// What status() tells of a consumer, on every engine and in every process.
import { EventStore, Outbox, PermanentError, Projection, Subscription } from "event-sourcery";
import { memory } from "event-sourcery/memory";
import assert from "node:assert/strict";
import { test } from "node:test";
import { slotOf } from "../../src/event/stream.ts";
import { until } from "../support/journal.ts";
import { Noted, open, replace } from "../support/relay.ts";
import { running } from "../support/running.ts";
import { all } from "../support/shop.ts";
import { engines, stage } from "../support/stage.ts";

const timeout = 60_000;

test("status() tells streams that retry by themselves from those that wait for a person", async () => {
  const store = new EventStore(memory(), { events: [Noted] });
  for (const number of [1, 2, 3]) await store.append(`s:${number}`, Noted(number));
  const reader = new Subscription(store, {
    name: "reader",
    handler({ data }) {
      if (data === 1) throw new Error("not now");
      if (data === 2) throw new PermanentError("never");
    },
  });
  assert.equal((await reader.runOnce()).parked, 2);
  const { retrying, parked } = await reader.status();
  assert.deepEqual([retrying, parked, (await reader.parked()).length], [1, 1, 2]);
  await reader.redrive("s:2");
  assert.equal((await reader.status()).retrying, 2);
});

test("oldest is when the first event was created that a lane has not passed", async () => {
  const clock = { now: 0 };
  const store = new EventStore(memory(), {
    events: [Noted],
    clock: () => new Date(Date.UTC(2026, 0, 1) + clock.now++ * 1000),
  });
  const append = (streamId: string) => store.append(streamId, Noted(0));
  const dated = async (streamId: string) => (await store.load(streamId)).at(-1)!.createdAt;
  const make = (more: object = {}) =>
    new Subscription(store, { name: "reader", categories: ["order"], handler() {}, ...more });
  assert.equal((await make().status()).oldest, undefined);
  await append("cart:1");
  assert.equal((await make().status()).oldest, undefined, "it does not want that one");
  await append("order:1");
  assert.deepEqual((await make().status()).oldest, await dated("order:1"));
  await append("order:2");
  assert.deepEqual((await make().status()).oldest, await dated("order:1"));
  await make().runOnce();
  assert.equal((await make().status()).oldest, undefined);
  await append("order:1");
  assert.deepEqual((await make().status()).oldest, await dated("order:1"));
});

test("oldest looks at the lane of each event, and asks nothing where all is handled", async () => {
  const driver = memory();
  const asked: unknown[] = [];
  const store = new EventStore(
    replace(driver, {
      async scan(query) {
        asked.push(query);
        return await driver.scan(query);
      },
    }),
    { events: [Noted] },
  );
  const reader = new Subscription(store, { name: "reader", lanes: 3, handler() {} });
  for (let number = 0; number < 30; number++) await store.append(`s:${number}`, Noted(number));
  await reader.runOnce();
  asked.length = 0;
  assert.equal((await reader.status()).oldest, undefined);
  assert.equal(asked.length, 1, "whether anything was published");
  for (let number = 0; number < 30; number++) await store.append(`s:${number}`, Noted(number));
  // One lane is left behind while the others go on.
  const lane = { scope: "all", name: "reader", version: 1, lane: 1 };
  const { epoch } = (await driver.checkpoints!.claim(lane, "another", 60_000))!;
  await reader.runOnce();
  const events = await all(store.readAll({ after: 30 }));
  const first = events.find(({ streamId }) => slotOf("", streamId) % 3 === 1);
  const { oldest, lanes } = await reader.status();
  assert.deepEqual(oldest, first!.createdAt);
  assert.deepEqual(lanes.map(({ position, owner }) => [position, owner]), [
    [60, undefined],
    [30, "another"],
    [60, undefined],
  ]);
  assert.ok(epoch > 0);
});

test("an inline projection is never behind", async () => {
  const store = new EventStore(memory(), { events: [Noted] });
  const inline = new Projection(store, { name: "model", inline: true, handlers: { Noted() {} } });
  await store.append("a", Noted(1));
  const { position, lag, oldest } = await inline.status();
  assert.deepEqual([position, lag, oldest], [1, 0, undefined]);
});

for (const engine of engines) {
  test(`seenAt on ${engine} is the same in every process, and costs idle consumers no statement`, {
    timeout,
  }, async () => {
    await using shared = await stage(engine);
    const { driver } = shared;
    const calls: (number | undefined)[] = [];
    const checkpoints = driver.checkpoints!;
    const counting = replace(checkpoints, {
      async due(seen) {
        calls.push(seen?.length);
        return await checkpoints.due(seen);
      },
    });
    // Where it can, a driver is asked for both in one statement.
    const poll = driver.poll && (async (seen: Parameters<typeof checkpoints.due>[0] & object) => {
      calls.push(seen.length === 0 ? undefined : seen.length);
      return await driver.poll!(seen);
    });
    const counted = replace(driver, { checkpoints: counting, poll });
    const store = new EventStore(counted, { events: [Noted] });
    const consumers = [
      new Outbox(store, { publisher() {} }),
      new Subscription(store, { name: "reader", handler() {} }),
    ];
    const other = open(engine, shared.url);
    const elsewhere = new Outbox(other.store, { publisher() {} });
    try {
      await elsewhere.runOnce();
      assert.equal((await elsewhere.status()).seenAt, undefined, "only run() is seen");
      const before = Date.now();
      await running(consumers, async () => {
        await until(async () => (await elsewhere.status()).seenAt !== undefined);
        const { seenAt } = await elsewhere.status();
        assert.ok(Math.abs(seenAt!.getTime() - before) < 30_000);
        await until(() => calls.length > 20);
      });
      const marking = calls.filter((seen) => seen !== undefined);
      assert.ok(marking.length <= 3, `marked ${marking.length} times in ${calls.length} polls`);
      assert.ok(marking.includes(2), "all consumers of the process in one");
    } finally {
      await other.close();
    }
  });
}
