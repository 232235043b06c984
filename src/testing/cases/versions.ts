import assert from "node:assert/strict";
import type { ExpectedVersion } from "../../driver/version.ts";
import { type Cases, dataOf, lacks, Noted, notes, rejects, type Rig } from "../rig.ts";

/** Each kind of expected version. */
export const versions: Cases = {
  async 'append() with "any" stores whatever the version'(rig) {
    await stores(rig, "new", "any", 0);
    await stores(rig, "old", "any", 2);
  },

  async 'append() with "noStream" stores where there is no stream only'(rig) {
    await stores(rig, "new", "noStream", 0);
    await conflicts(rig, "old", "noStream", 2);
  },

  async 'append() with "streamExists" stores where there is a stream only'(rig) {
    await stores(rig, "old", "streamExists", 2);
    await conflicts(rig, "new", "streamExists", 0);
  },

  async "append() with 0 stores where there is no stream only"(rig) {
    await stores(rig, "new", 0, 0);
    await conflicts(rig, "old", 0, 2);
  },

  async "append() with a number stores at that version only"(rig) {
    await stores(rig, "old", 2, 2);
    await conflicts(rig, "behind", 1, 2);
    await conflicts(rig, "ahead", 3, 2);
    await conflicts(rig, "far ahead", Number.MAX_SAFE_INTEGER, 2);
    await conflicts(rig, "new", 1, 0);
  },

  async "append() with the id of an event stores after that event only"(rig) {
    const { driver, store } = rig;
    const { events: [, last] } = await store.append("old", notes(2));
    const expected = { expectedVersion: 2, expectedEventId: last!.id };
    if (!driver.capabilities.expectedEventId) {
      return await lacks(rig, () => store.append("old", Noted(3), expected));
    }
    await store.delete("old");
    const { events: [, other] } = await store.append("old", notes(2, 10));
    for (const events of [Noted(3), notes(2, 3), Noted(3, { tags: ["red"] })]) {
      const appends = [{ streamId: "new", events: Noted(0) }, {
        streamId: "old",
        events,
        ...expected,
      }];
      await rejects(store.append("old", events, expected), "CONCURRENCY");
      const { streamId, actual } = await rejects(store.appendAll(appends), "CONCURRENCY");
      assert.deepEqual([streamId, actual], ["old", 2]);
    }
    assert.deepEqual([await store.version("old"), await store.version("new")], [2, 0]);
    await store.append("old", Noted(3), { expectedVersion: 2, expectedEventId: other!.id });
    const { events: [third] } = await store.append("old", Noted(4));
    const next = { expectedVersion: 4, expectedEventId: third.id };
    await store.append("old", notes(2, 5), next);
    await rejects(store.append("old", Noted(7), next), "CONCURRENCY");
    assert.equal(await store.version("old"), 6);
  },

  async "append() stores none of several events when it conflicts"({ store }) {
    await store.append("a", notes(3));
    await rejects(store.append("a", notes(5, 10), { expectedVersion: 2 }), "CONCURRENCY");
    assert.deepEqual(dataOf(await store.load("a")), [1, 2, 3]);
    await store.append("a", Noted(4), { expectedVersion: 3 });
    assert.equal(await store.version("a"), 4);
  },
};

async function stores(
  { store }: Rig,
  streamId: string,
  expectedVersion: ExpectedVersion,
  actual: number,
): Promise<void> {
  if (actual > 0) await store.append(streamId, notes(actual));
  const { version } = await store.append(streamId, Noted("new"), { expectedVersion });
  assert.equal(version, actual + 1);
  assert.deepEqual(dataOf(await store.load(streamId, { from: actual + 1 })), ["new"]);
}

async function conflicts(
  { store }: Rig,
  streamId: string,
  expectedVersion: ExpectedVersion,
  actual: number,
): Promise<void> {
  if (actual > 0) await store.append(streamId, notes(actual));
  const append = store.append(streamId, Noted("new"), { expectedVersion });
  const { streamId: named, expected, actual: found } = await rejects(append, "CONCURRENCY");
  assert.deepEqual([named, expected, found], [streamId, expectedVersion, actual]);
  assert.equal(await store.version(streamId), actual);
  // The conflict changed nothing, and the stream can be appended to.
  const { version } = await store.append(streamId, Noted("later"), { expectedVersion: actual });
  assert.equal(version, actual + 1);
}
