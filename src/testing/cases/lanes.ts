import assert from "node:assert/strict";
import type { ConsumerKey } from "../../driver/keys.ts";
import { type Cases, Noted, notes, together } from "../rig.ts";
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

/** The leases and checkpoints of consumers. Skipped for a driver that does not support consumers. */
export const lanes: Cases = served({
  async "register() makes a consumer once, whichever call comes first"(bench) {
    const [one, other] = [of(bench.driver), of(await bench.second())];
    const many = Array.from({ length: 8 }, (_, index) => index);
    const found = await together(
      many.map((index) =>
        (index % 2 === 0 ? one : other).register(consumer, { ...definition, lanes: index + 1 })
      ),
    );
    const [first] = found;
    for (const each of found) assert.deepEqual(each, first);
    const lanes = await one.lanes(consumer);
    assert.deepEqual(lanes.map((state) => state.lane), many.slice(0, first!.lanes));
    assert.deepEqual(await one.lanes({ ...consumer, version: 2 }), []);
  },

  async "claim() grants a lane to one worker at a time"(bench) {
    const [one, other] = [of(bench.driver), of(await bench.second())];
    // A checkpoint beyond the last event would mean that the log was set back.
    await bench.store.append("a", notes(7));
    await one.register(consumer, { ...definition, position: 7 });
    const claims = await together([
      one.claim(lane, "a", long),
      other.claim(lane, "b", long),
      one.claim(lane, "c", long),
    ]);
    const [claimed, ...more] = claims.filter((claim) => claim !== undefined);
    assert.deepEqual(more, []);
    const { epoch } = claimed!;
    const { failed = false, ...rest } = claimed!;
    assert.deepEqual([failed, rest], [false, { position: 7, epoch, crashes: 0, parked: 0 }]);
    const { owner = "", leasedUntil } = (await one.lanes(consumer))[0]!;
    if (leasedUntil !== undefined) {
      const left = new Date(leasedUntil).getTime() - Date.now();
      assert.ok(left > long / 2 && left < 2 * long, `the lease runs for ${left} ms`);
    }
    assert.ok(["a", "b", "c"].includes(owner));
    const again = await other.claim(lane, owner, long);
    assert.deepEqual([again?.crashes, again!.epoch > claimed!.epoch], [0, true], "its own");
    assert.equal(await one.advance(lane, claimed!.epoch, progress()), false);
    assert.equal(await one.claim(lane, "d", long), undefined);
    assert.equal(await one.claim({ ...lane, lane: 1 }, "a", long), undefined, "no such lane");
    assert.equal(await one.claim({ ...lane, name: "d" }, "a", long), undefined, "nor consumer");
  },

  async "claim() takes over a lease that ran out, and counts the crash"({ driver }) {
    const checkpoints = of(driver);
    const first = await claimed(checkpoints, 1);
    const second = await soon(() => checkpoints.claim(lane, "b", 1));
    assert.deepEqual([second.crashes, second.epoch > first.epoch], [1, true]);
    const third = await soon(() => checkpoints.claim(lane, "c", long));
    assert.equal(third.crashes, 2);
    assert.equal(
      await checkpoints.advance(lane, third.epoch, progress({ lease: undefined })),
      true,
    );
    assert.equal((await checkpoints.lanes(consumer))[0]!.owner, undefined);
    const fourth = await checkpoints.claim(lane, "d", long);
    assert.equal(fourth?.crashes, 2, "released, but not recovered");
    await checkpoints.advance(lane, fourth!.epoch, progress({ recovered: true, lease: undefined }));
    assert.equal((await checkpoints.claim(lane, "e", long))?.crashes, 0);
  },

  async "advance() writes under the lease's epoch only, and never goes back"({ driver }) {
    const checkpoints = of(driver);
    const old = await claimed(checkpoints, 1);
    const { epoch } = await soon(() => checkpoints.claim(lane, "b", long));
    const zombie = progress({ position: 9, parked: [park("a", 1)] });
    assert.equal(await checkpoints.advance(lane, old.epoch, zombie), false);
    assert.deepEqual(await checkpoints.parked(consumer), []);
    assert.equal(await checkpoints.advance(lane, epoch, progress({ position: 5 })), true);
    assert.equal(await checkpoints.advance(lane, epoch, progress({ position: 3 })), true);
    const [state] = await checkpoints.lanes(consumer);
    assert.deepEqual([state!.position, state!.owner, state!.stalled], [5, "b", false]);
    const parked = [park("a", 6)];
    const released = progress({ position: 6, lease: undefined, stalled: true, parked });
    assert.equal(await checkpoints.advance(lane, epoch, released), true);
    assert.equal(await checkpoints.advance(lane, epoch, progress({ position: 7 })), false);
    const [after] = await checkpoints.lanes(consumer);
    assert.deepEqual([after!.position, after!.owner, after!.stalled], [6, undefined, true]);
    assert.equal((await checkpoints.parked(consumer)).length, 1);
  },

  async "due() lists consumers whose lease ran out"({ driver }) {
    const checkpoints = of(driver);
    await claimed(checkpoints, 1);
    assert.deepEqual(await soon(async () => (await checkpoints.due())[0]), consumer);
  },

  async "poll() says what settled() and due() say, and marks consumers as seen"({ driver, store }) {
    const checkpoints = of(driver);
    // Without it, the two are asked instead.
    const poll = driver.poll?.bind(driver) ?? (async (seen: readonly ConsumerKey[]) => {
      return { settled: await driver.settled(), due: await checkpoints.due(seen) };
    });
    assert.deepEqual(await poll([]), { settled: 0, due: [] });
    const { position } = await store.append("a", Noted(1));
    await claimed(checkpoints, 1);
    const due = await soon(async () => (await poll([consumer])).due[0]);
    assert.deepEqual(due, consumer);
    assert.deepEqual(await poll([]), { settled: position, due: await checkpoints.due() });
    const [state] = await checkpoints.list?.(consumer) ?? [];
    assert.notEqual(state?.seenAt, undefined);
  },

  async "rewind() sets all lanes back, removes what is parked and ends the leases"({ driver }) {
    const checkpoints = of(driver);
    const { epoch } = await claimed(checkpoints, long);
    await checkpoints.advance(lane, epoch, progress({ position: 9, parked: [park("a", 1)] }));
    await checkpoints.rewind(consumer, 2);
    assert.equal(await checkpoints.advance(lane, epoch, progress({ position: 10 })), false);
    const [state] = await checkpoints.lanes(consumer);
    assert.deepEqual([state!.position, state!.owner, state!.leasedUntil], [
      2,
      undefined,
      undefined,
    ]);
    assert.deepEqual(await checkpoints.parked(consumer), []);
    assert.equal((await checkpoints.claim(lane, "b", long))?.position, 2);
  },

  async "redefine() replaces the lanes if no other worker has claimed one"({ driver }) {
    const checkpoints = of(driver);
    const { epoch } = await claimed(checkpoints, long);
    await checkpoints.advance(lane, epoch, progress({ position: 9, parked: [park("a", 1)] }));
    const wider = { lanes: 3, filter: "{1}", position: 9 };
    assert.equal(await checkpoints.redefine(consumer, [epoch + 1], wider), false);
    assert.equal((await checkpoints.lanes(consumer)).length, 1);
    assert.equal(await checkpoints.redefine(consumer, [epoch], wider), true);
    const { lanes: count, filter, position: start } = await checkpoints.register(
      consumer,
      definition,
    );
    assert.deepEqual({ lanes: count, filter, position: start }, wider);
    const lanes = await checkpoints.lanes(consumer);
    assert.deepEqual(lanes.map(({ position, owner }) => [position, owner]), [
      [9, undefined],
      [9, undefined],
      [9, undefined],
    ]);
    assert.equal(await checkpoints.advance(lane, epoch, progress({ position: 10 })), false);
    assert.equal((await checkpoints.parked(consumer)).length, 1);
    const epochs = lanes.map((state) => state.epoch);
    assert.equal(await checkpoints.redefine(consumer, epochs, definition), true);
    assert.equal((await checkpoints.lanes(consumer)).length, 1);
    assert.equal(await checkpoints.refilter(consumer, "{2}"), true);
    assert.equal(await checkpoints.refilter(consumer, "{2}"), false, "it is the same");
    assert.equal(await checkpoints.refilter({ ...consumer, name: "d" }, "{2}"), false);
    assert.equal((await checkpoints.register(consumer, definition)).filter, "{2}");
  },
});
