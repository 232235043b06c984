import assert from "node:assert/strict";
import type { StreamKey } from "../../driver/keys.ts";
import type { ParkedEntry, Progress } from "../../driver/progress.ts";
import { slotOf } from "../../event/stream.ts";
import { inspect } from "../../inspect/inspect.ts";
import { type Cases, lacks, Noted, type Rig } from "../rig.ts";
import { claimed, consumer, definition, lane, long, of, park, progress, served } from "./claims.ts";

/** Checks that a driver without such a list says so. */
async function lacksList(rig: Rig, list: "parked" | "parkedGroups"): Promise<void> {
  await lacks(rig, () => inspect(rig.store)[list]());
}

function timeOf(instant: string | number): number {
  return new Date(instant).getTime();
}

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
    if (checkpoints.parkedPage === undefined) return await lacksList(bench, "parked");
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
    const { behind: _, ...shared } = row!;
    assert.deepEqual(shared, all.find(({ streamId }) => streamId === "b"));
  },

  async "parkedPage() counts the events that wait behind, up to 100"(bench) {
    const { driver, store } = bench;
    const checkpoints = of(driver);
    if (checkpoints.parkedPage === undefined) return await lacksList(bench, "parked");
    const { epoch } = await claimed(checkpoints, long);
    const noted = (count: number) => Array.from({ length: count }, () => Noted());
    await store.append("a", noted(3));
    await store.append("b", noted(150));
    await store.scope({ tenantId: "x" }).append("a", noted(2));
    const [, second] = await store.load("a");
    const parked = [park("a", second!.position), park("b", 4), park("gone", 1)];
    await checkpoints.advance(lane, epoch, progress({ parked }));
    const rows = await checkpoints.parkedPage!({ consumer, after: undefined, limit: 10 });
    assert.deepEqual(rows.map(({ streamId }) => streamId), ["a", "b", "gone"]);
    if (rows.every(({ behind }) => behind === undefined)) return; // it does not count
    assert.deepEqual(rows.map(({ behind }) => behind), [1, 100, 0]);
  },

  async "parkedGroups() groups what failed alike, the largest group first"(bench) {
    const checkpoints = of(bench.driver);
    if (checkpoints.parkedGroups === undefined) return await lacksList(bench, "parkedGroups");
    assert.deepEqual(await checkpoints.parkedGroups(consumer, 10), []);
    const { epoch } = await claimed(checkpoints, long);
    const failed = (fingerprint: string, changed: Partial<ParkedEntry> = {}) => ({
      ...{ attempts: 3, delay: undefined, error: "it's broken", fingerprint, ...changed },
    });
    const first = [park("a", 1, failed("one")), park("\ufeffb", 2, failed("two"))];
    await checkpoints.advance(lane, epoch, progress({ parked: first }));
    const [before] = await checkpoints.parked(consumer);
    const second = [
      ...[park("a", 1, failed("one", { attempts: 4, error: "broken" })), park("deferred", 3)],
      ...[park("c", 4, failed("two", { delay: long })), park("d", 5, failed("three"))],
    ];
    await checkpoints.advance(lane, epoch, progress({ parked: second }));
    await new Promise((resolve) => setTimeout(resolve, 5)); // so that one failed last
    const last = park("\ufeffb", 2, failed("two", { attempts: 4, error: 'é "日本"' }));
    await checkpoints.advance(lane, epoch, progress({ parked: [last] }));
    const groups = await checkpoints.parkedGroups(consumer, 10);
    assert.deepEqual(
      groups.map(({ fingerprint, streams, waiting }) => [fingerprint, streams, waiting]),
      [["two", 2, 1], ["one", 1, 1], ["three", 1, 1]],
    );
    const [two, one] = groups;
    assert.equal(one!.error, "broken");
    assert.deepEqual(one!.latest, { tenantId: "", streamId: "a" });
    assert.equal(
      timeOf(one!.firstFailedAt),
      timeOf(before!.failedAt),
      "it keeps the first failure",
    );
    assert.ok(timeOf(one!.failedAt) >= timeOf(one!.firstFailedAt));
    assert.deepEqual(
      [two!.latest, two!.error],
      [{ tenantId: "", streamId: "\ufeffb" }, 'é "日本"'],
    );
    assert.deepEqual(
      (await checkpoints.parkedGroups(consumer, 1)).map(({ fingerprint }) => fingerprint),
      ["two"],
    );
    assert.deepEqual(await checkpoints.parkedGroups({ ...consumer, version: 2 }, 10), []);
  },

  async "a parked stream keeps the history of its event, and of no other"(bench) {
    const checkpoints = of(bench.driver);
    if (checkpoints.parkedGroups === undefined) return await lacksList(bench, "parkedGroups");
    const { epoch } = await claimed(checkpoints, long);
    const failed = { attempts: 1, delay: undefined, error: "broken", fingerprint: "one" };
    const write = (parked: ParkedEntry) =>
      checkpoints.advance(lane, epoch, progress({ parked: [parked] }));
    const stream = { tenantId: "", streamId: "a" };
    const read = async () => (await checkpoints.parked(consumer))[0]!;
    await write(park("a", 1, failed));
    const { firstFailedAt } = await read();
    assert.ok(firstFailedAt !== undefined);
    assert.equal(await checkpoints.redrive(consumer, stream), 1);
    assert.equal(await checkpoints.redriveGroup!(consumer, "one", 5), 0, "it has not failed since");
    await write(park("a", 1, { attempts: 1 })); // the next attempt begins
    const trying = await read();
    assert.deepEqual([trying.fingerprint, trying.redriven], ["one", 1]);
    await write(park("a", 1, { ...failed, fingerprint: "other" }));
    assert.equal(await checkpoints.redriveGroup!(consumer, "other", 5), 1);
    const again = await read();
    assert.deepEqual(
      [again.fingerprint, timeOf(again.firstFailedAt!), again.redriven],
      ["other", timeOf(firstFailedAt), 2],
    );
    await write(park("a", 2, failed)); // another event of the stream
    const next = await read();
    assert.deepEqual([next.fingerprint, next.redriven ?? 0], ["one", 0]);
    assert.equal(timeOf(next.firstFailedAt!), timeOf(next.failedAt));
    await checkpoints.discard(consumer, stream, false);
    const discarded = await read();
    assert.deepEqual([discarded.fingerprint, discarded.firstFailedAt], [undefined, undefined]);
  },

  async "redriveGroup() and discardGroup() change a group, by position, up to a limit"(bench) {
    const checkpoints = of(bench.driver);
    if (checkpoints.parkedGroups === undefined) return await lacksList(bench, "parkedGroups");
    const { epoch } = await claimed(checkpoints, long);
    const failed = (fingerprint: string) => ({
      ...{ attempts: 3, delay: undefined, error: "broken", fingerprint },
    });
    const entries = ["d", "c", "b", "a"].map((name, index) => park(name, index, failed("one")));
    const other = park("other", 9, failed("two"));
    await checkpoints.advance(lane, epoch, progress({ parked: [other, ...entries] }));
    const states = async () =>
      (await checkpoints.parked(consumer))
        .map(({ streamId, position, attempts, delay }) =>
          [streamId, position, attempts, delay !== undefined && delay <= 0] as const
        )
        .sort((a, b) => a[1] - b[1] || (a[0] < b[0] ? 1 : -1));
    assert.equal(await checkpoints.redriveGroup!(consumer, "one", 1), 1);
    assert.equal(await checkpoints.redriveGroup!(consumer, "one", 2), 2);
    assert.equal(await checkpoints.redriveGroup!(consumer, "none", 2), 0);
    assert.deepEqual(await states(), [
      ...[["d", 0, 0, true], ["c", 1, 0, true], ["b", 2, 0, true], ["a", 3, 3, false]],
      ["other", 9, 3, false],
    ]);
    assert.equal(await checkpoints.redriveGroup!(consumer, "one", 9), 1);
    assert.equal(await checkpoints.discardGroup!(consumer, "one", 3), 3);
    assert.deepEqual(
      await states(),
      [
        ...[["d", 1, 0, true], ["c", 2, 0, true], ["b", 3, 0, true], ["a", 3, 0, true]],
        ["other", 9, 3, false],
      ],
    );
    assert.equal(await checkpoints.discardGroup!(consumer, "one", 9), 1, "the others have passed");
    assert.deepEqual((await states()).at(-1), ["other", 9, 3, false]);
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
