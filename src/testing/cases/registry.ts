import assert from "node:assert/strict";
import { BusyError } from "../../errors/driver.ts";
import { Outbox } from "../../consumer/outbox.ts";
import { Subscription } from "../../consumer/subscription.ts";
import { consumers, forgetConsumer } from "../../consumer/list.ts";
import { PermanentError } from "../../errors/consumer.ts";
import { type Cases, Noted, notes, rejects, together } from "../rig.ts";
import {
  claimed,
  consumer,
  definition,
  lane,
  long,
  of,
  park,
  progress,
  served,
  soon,
} from "./claims.ts";

/** Another version, another name and another scope, in the order of a list. */
const others = [
  { ...consumer, version: 2 },
  { ...consumer, name: "d" },
  { scope: "tenant:t", name: "c", version: 1 },
];

/**
 * The registered consumers of a database. Skipped for a driver that does not support consumers, or cannot list them.
 */
export const registry: Cases = served({
  async "due() marks consumers as seen, and passes over those that do not exist"({ driver }) {
    const checkpoints = of(driver);
    await checkpoints.register(consumer, definition);
    await checkpoints.register(others[0]!, definition);
    assert.deepEqual(await checkpoints.due([consumer, others[1]!]), []);
    if (checkpoints.list === undefined) return;
    const [seen, unseen, ...more] = await checkpoints.list();
    assert.deepEqual(more, []);
    assert.equal(unseen!.seenAt, undefined);
    const ago = Date.now() - new Date(seen!.seenAt!).getTime();
    assert.ok(Math.abs(ago) < long, `it was seen ${ago} ms ago`);
    const again = await soon(async () => {
      await checkpoints.due([consumer]);
      const [state] = await checkpoints.list!(consumer);
      return state!.seenAt === seen!.seenAt ? undefined : state;
    });
    assert.ok(new Date(again.seenAt!) > new Date(seen!.seenAt!));
  },

  async "due() of several drivers at the same time marks all of their consumers"(bench) {
    const [one, other] = [of(bench.driver), of(await bench.second())];
    const keys = [consumer, ...others];
    for (const key of keys) await one.register(key, definition);
    await together(
      Array.from(
        { length: 10 },
        (_, index) =>
          (index % 2 === 0 ? one : other).due(index % 3 === 0 ? keys : keys.toReversed()),
      ),
    );
    if (one.list === undefined) return;
    const seen = (await one.list()).filter(({ seenAt }) => seenAt !== undefined);
    assert.equal(seen.length, keys.length);
  },

  async "setFailure() is seen by list(), due() and claim(), until it is removed"({ driver }) {
    const checkpoints = of(driver);
    if (checkpoints.setFailure === undefined) return;
    const failure = { code: "FILTER_MISMATCH", message: "it's another" };
    await checkpoints.setFailure(consumer, failure);
    assert.deepEqual(await checkpoints.due(), [], "there is none to mark yet");
    await checkpoints.register(consumer, definition);
    await checkpoints.setFailure(consumer, failure);
    assert.deepEqual(await checkpoints.due(), [consumer]);
    assert.deepEqual((await checkpoints.list?.())?.map((state) => state.failure), [failure]);
    assert.equal((await checkpoints.claim(lane, "a", long))!.failed, true);
    await checkpoints.setFailure(consumer, undefined);
    assert.deepEqual(await checkpoints.due(), []);
    assert.deepEqual((await checkpoints.list?.())?.map((state) => state.failure), [undefined]);
    assert.equal((await checkpoints.claim(lane, "a", long))!.failed ?? false, false);
  },

  async "list() has all consumers with their lanes and waiting streams, or those that are asked for"(
    { driver },
  ) {
    const checkpoints = of(driver);
    if (checkpoints.list === undefined) return;
    assert.deepEqual(await checkpoints.list(), []);
    for (const key of others.toReversed()) await checkpoints.register(key, definition);
    await checkpoints.register(consumer, { lanes: 3, filter: '{"a":"\u0027"}', position: 4 });
    const { epoch } = (await checkpoints.claim({ ...lane, lane: 1 }, "a", long))!;
    const entries = [park("a", 5), park("b", 6), park("c", 7, { delay: undefined })];
    await checkpoints.advance(
      { ...lane, lane: 1 },
      epoch,
      progress({ position: 9, stalled: true, parked: entries }),
    );
    const [first, ...rest] = await checkpoints.list();
    const keys = rest.map(({ scope, name, version }) => ({ scope, name, version }));
    assert.deepEqual(keys, others);
    const { lanes, ...state } = first!;
    assert.deepEqual(state, {
      ...consumer,
      filter: '{"a":"\u0027"}',
      retrying: 2,
      parked: 1,
      seenAt: undefined,
      failure: undefined,
    });
    assert.deepEqual(lanes, await checkpoints.lanes(consumer));
    assert.deepEqual(
      lanes.map(({ position, owner, stalled }) => [position, owner, stalled]),
      [[4, undefined, false], [9, "a", true], [4, undefined, false]],
    );
    assert.deepEqual(lanes.map(({ crashes }) => crashes), [0, 0, 0]);
    for (
      const [only, count] of [[consumer, 1], [{ name: "c" }, 3], [{ scope: "all" }, 3]] as const
    ) {
      assert.equal((await checkpoints.list(only)).length, count, JSON.stringify(only));
    }
    assert.deepEqual(await checkpoints.list({ name: "e" }), []);
  },

  async "forget() removes a consumer with all that belongs to it, unless a lane is leased"(
    { driver },
  ) {
    const checkpoints = of(driver);
    if (checkpoints.forget === undefined) return;
    assert.equal(await checkpoints.forget(consumer), "unknown");
    for (const key of others) await checkpoints.register(key, definition);
    const { epoch } = await claimed(checkpoints, long);
    await checkpoints.advance(lane, epoch, progress({ position: 3, parked: [park("a", 1)] }));
    assert.equal(await checkpoints.forget(consumer), "leased");
    assert.equal((await checkpoints.parked(consumer)).length, 1);
    await checkpoints.advance(lane, epoch, progress({ lease: undefined }));
    assert.equal(await checkpoints.forget(consumer), "forgotten");
    assert.equal(await checkpoints.forget(consumer), "unknown");
    assert.deepEqual(await checkpoints.lanes(consumer), []);
    assert.deepEqual(await checkpoints.parked(consumer), []);
    assert.equal(await checkpoints.claim(lane, "a", long), undefined);
    for (const key of others) assert.equal((await checkpoints.lanes(key)).length, 1);
    await checkpoints.register(consumer, definition);
    assert.deepEqual(await checkpoints.parked(consumer), []);
    assert.equal((await checkpoints.lanes(consumer))[0]!.position, 0);
    const vanished = await checkpoints.claim(lane, "a", 1);
    assert.ok(vanished !== undefined);
    assert.equal(
      await soon(async () => {
        const outcome = await checkpoints.forget!(consumer);
        return outcome === "leased" ? undefined : outcome;
      }),
      "forgotten",
    );
    assert.equal(await checkpoints.advance(lane, vanished.epoch, progress()), false);
  },

  async "consumers() lists the consumers of a store, and forgetConsumer() removes one"(
    { driver, store },
  ) {
    const { list, forget } = of(driver);
    if (list === undefined || forget === undefined) {
      await rejects(consumers(store), "UNSUPPORTED");
      await rejects(forgetConsumer(store, { name: "outbox" }), "UNSUPPORTED");
      return;
    }
    const tenant = store.scope({ tenantId: "x" });
    await store.append("a", notes(2));
    await tenant.append("a", Noted(3));
    const handler = () => Promise.reject(new PermanentError("no"));
    for (const scope of [store, tenant]) {
      await new Subscription(scope, { name: "reader", lanes: 2, handler }).runOnce();
      await new Outbox(scope, { publisher() {} }).runOnce();
    }
    const known = await consumers(store);
    assert.deepEqual(
      known.map(({ tenantId, name, version, lanes, parked, retrying }) => [
        ...[tenantId, name, version],
        ...[lanes.length, parked, retrying],
      ]),
      [
        [undefined, "outbox", 1, 1, 0, 0],
        [undefined, "reader", 1, 2, 2, 0],
        ["x", "outbox", 1, 1, 0, 0],
        ["x", "reader", 1, 2, 1, 0],
      ],
    );
    const { length } = await consumers(tenant);
    assert.equal(length, 2);
    assert.equal(await forgetConsumer(tenant, { name: "reader" }), true);
    assert.equal(await forgetConsumer(tenant, { name: "reader" }), false);
    assert.equal(await forgetConsumer(store, { name: "reader", version: 2 }), false);
    assert.equal((await consumers(store)).length, 3);
    const key = { scope: "all", name: "outbox", version: 1 };
    await of(driver).claim({ ...key, lane: 0 }, "another", long);
    await assert.rejects(forgetConsumer(store, { name: "outbox" }), BusyError);
    assert.equal((await consumers(store)).length, 3);
  },
});
