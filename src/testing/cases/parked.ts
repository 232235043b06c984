import assert from "node:assert/strict";
import type { StreamKey } from "../../driver/keys.ts";
import type { Progress } from "../../driver/progress.ts";
import { slotOf } from "../../event/stream.ts";
import { inspect } from "../../inspect/inspect.ts";
import { type Cases, lacks, Noted } from "../rig.ts";
import { claimed, consumer, definition, lane, long, of, park, progress, served } from "./claims.ts";

/** The parked streams of consumers. Skipped for a driver that does not support consumers. */
export const parked: Cases = served({
  async "advance() parks, keeps, moves and releases streams"({ driver }) {
    const checkpoints = of(driver);
    const { epoch } = await claimed(checkpoints, long);
    const write = (changed: Partial<Progress>) =>
      checkpoints.advance(lane, epoch, progress(changed));
    const failed = { attempts: 2, delay: long, error: "it's broken" };
    await write({ parked: [park("b", 4, failed), park("a", 2)] });
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
      deferred: [park("b", 8), park("c", 9)],
      parked: [park("a", 3, { delay: undefined })],
    });
    const later = await checkpoints.parked(consumer);
    assert.deepEqual(
      later.map(({ streamId, position, attempts }) => [streamId, position, attempts]),
      [["a", 3, 0], ["b", 4, 2], ["c", 9, 0]],
    );
    assert.equal(later[0]!.delay, undefined, "not due automatically");
    await write({ parked: [park("a", 1)], released: [park("b", 4), park("unheard", 1)] });
    const last = await checkpoints.parked(consumer);
    assert.deepEqual(last.map(({ streamId, position }) => [streamId, position]), [["a", 3], [
      "c",
      9,
    ]]);
  },

  async "advance() keeps every text of an error that is well-formed"({ driver }) {
    const checkpoints = of(driver);
    const { epoch } = await claimed(checkpoints, long);
    const texts = [`it's "broken" \\u00e9 \\\\ é 日本 😀 \n\t\u0001\u007f`, "", '"', "null", "{}"];
    const entries = texts.map((error, index) => park(`s${index}`, index + 1, { error }));
    await checkpoints.advance(lane, epoch, progress({ parked: entries }));
    const rows = await checkpoints.parked(consumer);
    assert.deepEqual(rows.map(({ error }) => error), texts);
  },

  async "parked() keeps lanes, tenants and consumers apart"({ driver }) {
    const checkpoints = of(driver);
    const { epoch } = await claimed(checkpoints, long);
    const names = ["\ufeffa", "b", "c", "d", "e", "f"]; // some clients drop a byte order mark
    const entries = names.flatMap((name, index) => [
      park(name, 2 * index + 1),
      park(name, 2 * index + 2, { tenantId: "t", slot: slotOf("t", name) }),
    ]);
    await checkpoints.advance(lane, epoch, progress({ parked: entries }));
    const streams = (await checkpoints.parked(consumer)).map(({ streamId }) => streamId);
    assert.deepEqual([...new Set(streams)].sort(), names.toSorted());
    const shares = [0, 1, 2].map((lane) => checkpoints.parked(consumer, { lane, lanes: 3 }));
    const found = (await Promise.all(shares)).map((rows) => rows.map(({ position }) => position));
    for (const [index, positions] of found.entries()) {
      const wanted = entries.filter(({ slot }) => slot % 3 === index);
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
      progress({ parked: [park("a", 1, never), park("b", 2, never)] }),
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
    const failed = { attempts: 9, delay: undefined, error: "broken" };
    const entries = [park("a", 3, failed), park("b", 4)];
    await checkpoints.advance(lane, epoch, progress({ position: 20, parked: entries }));
    const [a, b] = ["a", "b"].map((streamId) => ({ tenantId: "", streamId }));
    assert.equal(await checkpoints.discard(consumer, a!, false), true);
    assert.equal(await checkpoints.discard(consumer, a!, false), false, "the next has not failed");
    assert.equal(await checkpoints.discard(consumer, b!, true), true);
    assert.equal(await checkpoints.discard(consumer, { tenantId: "", streamId: "z" }, true), false);
    const rows = await checkpoints.parked(consumer);
    assert.deepEqual(
      rows.map(({ streamId, position, attempts, error }) => [streamId, position, attempts, error]),
      [["a", 4, 0, undefined], ["b", 21, 0, undefined]],
    );
    await checkpoints.advance(lane, epoch, progress({ parked: [park("a", 3, { attempts: 10 })] }));
    assert.equal(
      (await checkpoints.parked(consumer))[0]!.position,
      4,
      "the discard stays in effect",
    );
  },

  async "parkedPage() pages through parked streams by tenant and id"(bench) {
    const checkpoints = of(bench.driver);
    if (checkpoints.parkedPage === undefined) {
      return await lacks(bench, () => inspect(bench.store).parked());
    }
    const page = (after?: StreamKey) =>
      checkpoints.parkedPage!({ consumer, after, limit: 2 }).then((rows) =>
        rows.map(({ tenantId, streamId }) => [tenantId, streamId])
      );
    assert.deepEqual(await page(), []);
    const { epoch } = await claimed(checkpoints, long);
    const other = { ...consumer, version: 2, lane: 0 };
    await checkpoints.register(other, definition);
    const { epoch: second } = (await checkpoints.claim(other, "a", long))!;
    const failed = { attempts: 3, delay: undefined, error: "it's \u0027broken'" };
    const entries = [park("\u{1f600}", 1), park("\uffee", 2), park("b", 3, failed), park("a", 4)];
    const tenant = { ...park("a", 5), tenantId: "x" };
    await checkpoints.advance(lane, epoch, progress({ parked: [tenant, ...entries] }));
    await checkpoints.advance(other, second, progress({ parked: [park("c", 6)] }));
    assert.deepEqual(await page(), [["", "a"], ["", "b"]]);
    const rest = [["", "\uffee"], ["", "\u{1f600}"]];
    assert.deepEqual(await page({ tenantId: "", streamId: "b" }), rest);
    assert.deepEqual(await page({ tenantId: "", streamId: "\u{1f600}" }), [["x", "a"]]);
    assert.deepEqual(await page({ tenantId: "x", streamId: "a" }), []);
    const key = { tenantId: "", streamId: "a" };
    const [row] = await checkpoints.parkedPage({ consumer, after: key, limit: 1 });
    const all = await checkpoints.parked(consumer);
    assert.deepEqual(row, all.find(({ streamId }) => streamId === "b"));
  },

  async "delete() forgets that a stream is parked"({ driver, store }) {
    const checkpoints = of(driver);
    const { epoch } = await claimed(checkpoints, long);
    await store.append("a", Noted(1));
    await checkpoints.advance(lane, epoch, progress({ parked: [park("a", 1), park("b", 2)] }));
    await store.delete("a");
    const rows = await checkpoints.parked(consumer);
    assert.deepEqual(rows.map(({ streamId }) => streamId), ["b"]);
  },
});
