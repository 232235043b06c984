import type {
  Checkpoints,
  ClaimedLane,
  ConsumerKey,
  LaneKey,
  Park,
  Progress,
} from "../checkpoints.ts";
import type { Driver } from "../driver.ts";
import assert from "node:assert/strict";
import { slotOf } from "../slot.ts";
import { type Bench, type Cases, Noted, together } from "./bench.ts";

const consumer: ConsumerKey = { scope: "all", name: "c", version: 1 };
const lane: LaneKey = { ...consumer, lane: 0 };
const definition = { lanes: 1, filter: "{}", position: 0 };
const long = 60_000;

/** Where consumers keep how far they have got. A driver that serves no consumers passes these by. */
export const checkpoints: Cases = served({
  async "register() makes a consumer once, whoever comes first"(bench) {
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

  async "claim() gives a lane to one worker at a time"(bench) {
    const [one, other] = [of(bench.driver), of(await bench.second())];
    await one.register(consumer, { ...definition, position: 7 });
    const claims = await together([
      one.claim(lane, "a", long),
      other.claim(lane, "b", long),
      one.claim(lane, "c", long),
    ]);
    const [claimed, ...more] = claims.filter((claim) => claim !== undefined);
    assert.deepEqual(more, []);
    assert.deepEqual(claimed, { position: 7, epoch: claimed!.epoch, crashes: 0, parked: 0 });
    assert.ok(["a", "b", "c"].includes((await one.lanes(consumer))[0]!.owner!));
    assert.equal(await one.claim({ ...lane, lane: 1 }, "a", long), undefined, "no such lane");
    assert.equal(await one.claim({ ...lane, name: "d" }, "a", long), undefined, "nor consumer");
  },

  async "claim() takes over a lease that ran out, and counts that nobody released it"({ driver }) {
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
    const zombie = progress({ position: 9, parks: [park("a", 1)] });
    assert.equal(await checkpoints.advance(lane, old.epoch, zombie), false);
    assert.deepEqual(await checkpoints.parked(consumer), []);
    assert.equal(await checkpoints.advance(lane, epoch, progress({ position: 5 })), true);
    assert.equal(await checkpoints.advance(lane, epoch, progress({ position: 3 })), true);
    const [state] = await checkpoints.lanes(consumer);
    assert.deepEqual([state!.position, state!.owner, state!.stalled], [5, "b", false]);
    const parks = [park("a", 6)];
    const released = progress({ position: 6, lease: undefined, stalled: true, parks });
    assert.equal(await checkpoints.advance(lane, epoch, released), true);
    assert.equal(await checkpoints.advance(lane, epoch, progress({ position: 7 })), false);
    const [after] = await checkpoints.lanes(consumer);
    assert.deepEqual([after!.position, after!.owner, after!.stalled], [6, undefined, true]);
    assert.equal((await checkpoints.parked(consumer)).length, 1);
  },

  async "advance() parks, keeps parked, moves on and frees streams"({ driver }) {
    const checkpoints = of(driver);
    const { epoch } = await claimed(checkpoints, long);
    const write = (changed: Partial<Progress>) =>
      checkpoints.advance(lane, epoch, progress(changed));
    const failed = { attempts: 2, delay: long, error: "it's broken" };
    await write({ parks: [park("b", 4, failed), park("a", 2)] });
    const rows = await checkpoints.parked(consumer);
    assert.deepEqual(
      rows.map(({ streamId, position, attempts, error }) => [
        streamId,
        position,
        attempts,
        error,
      ]),
      [["a", 2, 0, undefined], ["b", 4, 2, "it's broken"]],
    );
    assert.ok(rows[0]!.delay! <= 0 && rows[1]!.delay! > long / 2, "when they are due");
    assert.ok(Math.abs(new Date(rows[0]!.failedAt).getTime() - Date.now()) < long);
    await write({
      waits: [park("b", 8), park("c", 9)],
      parks: [park("a", 3, { delay: undefined })],
    });
    const later = await checkpoints.parked(consumer);
    assert.deepEqual(
      later.map(({ streamId, position, attempts }) => [streamId, position, attempts]),
      [["a", 3, 0], ["b", 4, 2], ["c", 9, 0]],
    );
    assert.equal(later[0]!.delay, undefined, "never due by itself");
    await write({ parks: [park("a", 1)], frees: [park("b", 4), park("unheard", 1)] });
    const last = await checkpoints.parked(consumer);
    assert.deepEqual(last.map(({ streamId, position }) => [streamId, position]), [["a", 3], [
      "c",
      9,
    ]]);
  },

  async "advance() in a transaction commits or vanishes with it"({ driver }) {
    if (!driver.capabilities.transactions) return;
    const checkpoints = of(driver);
    const { epoch } = await claimed(checkpoints, long);
    const write = progress({ position: 5, parks: [park("a", 1)] });
    await assert.rejects(
      driver.transaction(async (session) => {
        assert.equal(await session.checkpoints!.check(lane, epoch, long), true);
        assert.equal(await session.checkpoints!.advance(lane, epoch, write), true);
        throw new Error("undo");
      }),
      /undo/,
    );
    assert.equal((await checkpoints.lanes(consumer))[0]!.position, 0);
    assert.deepEqual(await checkpoints.parked(consumer), []);
    await driver.transaction(async (session) => {
      assert.equal(await session.checkpoints!.check(lane, epoch + 1, long), false);
      assert.equal(await session.checkpoints!.advance(lane, epoch, write), true);
    });
    assert.equal((await checkpoints.lanes(consumer))[0]!.position, 5);
    assert.equal((await checkpoints.parked(consumer)).length, 1);
  },

  async "parked() tells lanes, tenants and consumers apart"({ driver }) {
    const checkpoints = of(driver);
    const { epoch } = await claimed(checkpoints, long);
    const names = ["a", "b", "c", "d", "e", "f"];
    const parks = names.flatMap((name, index) => [
      park(name, 2 * index + 1),
      park(name, 2 * index + 2, { tenantId: "t", slot: slotOf("t", name) }),
    ]);
    await checkpoints.advance(lane, epoch, progress({ parks }));
    assert.equal((await checkpoints.parked(consumer)).length, 12);
    const shares = [0, 1, 2].map((lane) => checkpoints.parked(consumer, { lane, lanes: 3 }));
    const found = (await Promise.all(shares)).map((rows) => rows.map(({ position }) => position));
    for (const [index, positions] of found.entries()) {
      const wanted = parks.filter(({ slot }) => slot % 3 === index);
      assert.deepEqual(positions, wanted.map(({ position }) => position));
    }
    assert.deepEqual(await checkpoints.parked({ ...consumer, scope: "tenant:t" }), []);
  },

  async "redrive() makes parked streams due, one or all"({ driver }) {
    const checkpoints = of(driver);
    const { epoch } = await claimed(checkpoints, long);
    assert.deepEqual(await checkpoints.due(), []);
    const never = { attempts: 3, delay: undefined, error: "broken" };
    await checkpoints.advance(
      lane,
      epoch,
      progress({ parks: [park("a", 1, never), park("b", 2, never)] }),
    );
    assert.deepEqual(await checkpoints.due(), []);
    assert.equal(await checkpoints.redrive(consumer, { tenantId: "", streamId: "a" }), 1);
    assert.equal(await checkpoints.redrive(consumer, { tenantId: "t", streamId: "a" }), 0);
    assert.deepEqual(await checkpoints.due(), [consumer]);
    const [a, b] = await checkpoints.parked(consumer);
    assert.deepEqual([a!.attempts, a!.delay! <= 0, b!.attempts, b!.delay], [0, true, 3, undefined]);
    assert.equal(await checkpoints.redrive(consumer), 2);
    assert.equal(await checkpoints.redrive({ ...consumer, name: "d" }), 0);
  },

  async "discard() moves a parked stream past an event, or past all that wait"({ driver }) {
    const checkpoints = of(driver);
    const { epoch } = await claimed(checkpoints, long);
    const parks = [park("a", 3, { attempts: 9, delay: undefined }), park("b", 4)];
    await checkpoints.advance(lane, epoch, progress({ position: 20, parks }));
    const [a, b] = ["a", "b"].map((streamId) => ({ tenantId: "", streamId }));
    assert.equal(await checkpoints.discard(consumer, a!, false), true);
    assert.equal(await checkpoints.discard(consumer, b!, true), true);
    assert.equal(await checkpoints.discard(consumer, { tenantId: "", streamId: "z" }, true), false);
    const rows = await checkpoints.parked(consumer);
    assert.deepEqual(
      rows.map(({ streamId, position, attempts }) => [streamId, position, attempts]),
      [["a", 4, 0], ["b", 21, 0]],
    );
    await checkpoints.advance(lane, epoch, progress({ parks: [park("a", 3, { attempts: 10 })] }));
    assert.equal((await checkpoints.parked(consumer))[0]!.position, 4, "what was said stays");
  },

  async "due() tells of leases that ran out"({ driver }) {
    const checkpoints = of(driver);
    await claimed(checkpoints, 1);
    assert.deepEqual(await soon(async () => (await checkpoints.due())[0]), consumer);
  },

  async "delete() forgets that a stream is parked"({ driver, store }) {
    const checkpoints = of(driver);
    const { epoch } = await claimed(checkpoints, long);
    await store.append("a", Noted(1));
    await checkpoints.advance(lane, epoch, progress({ parks: [park("a", 1), park("b", 2)] }));
    await store.delete("a");
    const rows = await checkpoints.parked(consumer);
    assert.deepEqual(rows.map(({ streamId }) => streamId), ["b"]);
  },

  async "rewind() sets all lanes back, forgets what is parked and ends the leases"({ driver }) {
    const checkpoints = of(driver);
    const { epoch } = await claimed(checkpoints, long);
    await checkpoints.advance(lane, epoch, progress({ position: 9, parks: [park("a", 1)] }));
    await checkpoints.rewind(consumer, 2);
    assert.equal(await checkpoints.advance(lane, epoch, progress({ position: 10 })), false);
    const [state] = await checkpoints.lanes(consumer);
    assert.deepEqual([state!.position, state!.owner], [2, undefined]);
    assert.deepEqual(await checkpoints.parked(consumer), []);
    assert.equal((await checkpoints.claim(lane, "b", long))?.position, 2);
  },

  async "redefine() gives a consumer other lanes if nobody else worked on them"({ driver }) {
    const checkpoints = of(driver);
    const { epoch } = await claimed(checkpoints, long);
    await checkpoints.advance(lane, epoch, progress({ position: 9, parks: [park("a", 1)] }));
    const wider = { lanes: 3, filter: "{1}", position: 9 };
    assert.equal(await checkpoints.redefine(consumer, [epoch + 1], wider), false);
    assert.equal((await checkpoints.lanes(consumer)).length, 1);
    assert.equal(await checkpoints.redefine(consumer, [epoch], wider), true);
    assert.deepEqual(await checkpoints.register(consumer, definition), wider);
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
    await checkpoints.refilter(consumer, "{2}");
    assert.equal((await checkpoints.register(consumer, definition)).filter, "{2}");
  },
});

function served(cases: Cases): Cases {
  return Object.fromEntries(
    Object.entries(cases).map(([name, run]) => [
      name,
      async (bench: Bench) => {
        if (bench.driver.checkpoints !== undefined) await run(bench);
      },
    ]),
  );
}

function of(driver: Driver): Checkpoints {
  return driver.checkpoints!;
}

async function claimed(checkpoints: Checkpoints, lease: number): Promise<ClaimedLane> {
  await checkpoints.register(consumer, definition);
  const claim = await checkpoints.claim(lane, "a", lease);
  assert.ok(claim !== undefined, "nobody holds the lane");
  return claim;
}

/** Asks again until there is an answer: the database's clock has to move on by a few milliseconds. */
async function soon<T>(ask: () => Promise<T | undefined>): Promise<T> {
  for (let times = 0; times < 1000; times++) {
    const answer = await ask();
    if (answer !== undefined) return answer;
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
  throw new assert.AssertionError({ message: "Expected an answer in two seconds" });
}

function progress(changed: Partial<Progress> = {}): Progress {
  return {
    position: 0,
    lease: long,
    stalled: false,
    recovered: false,
    parks: [],
    waits: [],
    frees: [],
    ...changed,
  };
}

function park(streamId: string, position: number, changed: Partial<Park> = {}): Park {
  const slot = slotOf("", streamId);
  return {
    tenantId: "",
    streamId,
    slot,
    position,
    attempts: 0,
    delay: 0,
    error: undefined,
    ...changed,
  };
}
