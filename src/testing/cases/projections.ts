import assert from "node:assert/strict";
import { Projection } from "../../consumer/projection.ts";
import { Subscription } from "../../consumer/subscription.ts";
import { type Cases, Closed, dataOf, Noted, notes, storeOn, transactional } from "../rig.ts";
import { claimed, consumer, lane, long, of, park, progress } from "./claims.ts";
import { consuming, soon } from "./consumers.ts";

/** Handlers whose effect commits with their checkpoint. A driver without transactions refuses them. */
export const projections: Cases = transactional(consuming({
  async "advance() in a transaction commits or vanishes with it"({ driver }) {
    const checkpoints = of(driver);
    const { epoch } = await claimed(checkpoints, long);
    const write = progress({ position: 5, parked: [park("a", 1)] });
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

  async "a transactional handler takes effect exactly once, with its checkpoint"(
    { store },
  ) {
    const consumer = () =>
      new Subscription(store, {
        name: "copy",
        categories: ["from"],
        retry: soon,
        async handler(event, { store }) {
          await store.append("copy", Noted(event.data));
          if (event.data === 2 && fails) throw new Error("after its write");
        },
      });
    let fails = true;
    await store.append("from:1", notes(2));
    await store.append("from:2", notes(2, 3));
    const first = await consumer().runOnce();
    assert.deepEqual([first.handled, first.failed, first.parked], [3, 1, 1]);
    assert.deepEqual(dataOf(await store.load("copy")), [1, 3, 4]);
    fails = false;
    await consumer().runOnce();
    const copies = await store.load("copy");
    assert.deepEqual(dataOf(copies), [1, 3, 4, 2]);
    const [source] = await store.load("from:1");
    assert.deepEqual(copies[0]!.metadata, {
      correlationId: source!.id,
      causationId: source!.id,
    });
  },

  async "a projection is rebuilt from the start, and skips events without a handler"(
    { store },
  ) {
    const model: string[] = [];
    const make = (version: number) =>
      new Projection(store, {
        name: "model",
        version,
        handlers: {
          Noted: ({ data }, { projectionVersion }) =>
            void model.push(`${projectionVersion}:${data}`),
        },
        reset: () => void model.splice(0),
      });
    await store.append("a", [...notes(2), Closed(), Noted(3)]);
    await make(1).runOnce();
    assert.deepEqual(model, ["1:1", "1:2", "1:3"]);
    const { handled } = await make(1).rebuild();
    assert.equal(handled, 3);
    assert.deepEqual(model, ["1:1", "1:2", "1:3"]);
    await make(2).runOnce();
    assert.deepEqual(model, ["1:1", "1:2", "1:3", "2:1", "2:2", "2:3"]);
  },

  async "an inline projection is there when the append is, and is rebuilt"({ driver }) {
    const store = storeOn(driver);
    const model: unknown[] = [];
    await store.append("a", Noted(1));
    const make = () =>
      new Projection(store, {
        name: "model",
        inline: true,
        handlers: { Noted: ({ data }) => void model.push(data) },
        reset: () => void model.splice(0),
      });
    make();
    const projection = make();
    await store.append("a", [Noted(2), Closed()]);
    assert.deepEqual(model, [2]);
    assert.equal((await projection.runOnce()).handled, 0);
    assert.equal((await projection.rebuild()).handled, 2);
    assert.deepEqual(model, [1, 2]);
    await projection.waitFor((await store.append("b", Noted(3))).position);
    assert.deepEqual(model, [1, 2, 3]);
  },
}));
