import assert from "node:assert/strict";
import { Aggregate } from "../../aggregate/aggregate.ts";
import { Repository } from "../../aggregate/repository.ts";
import type {
  NewSnapshot,
  SnapshotPage,
  SnapshotQuery,
  Snapshots,
} from "../../driver/snapshots.ts";
import { importEvents } from "../../import/import.ts";
import { type Cases, lacks, newEvent, Noted, notes, rejects, type Rig, write } from "../rig.ts";

/** Adds up what was noted. */
class Total extends Aggregate<Noted> {
  static readonly category = "total";
  sum = 0;
  protected apply({ data }: Noted): void {
    this.sum += Number(data);
  }
  protected override snapshot(): unknown {
    return { sum: this.sum };
  }
  protected override restore(state: unknown): void {
    this.sum = (state as { sum: number }).sum;
  }
  note(data: number): number {
    this.emit(Noted(data));
    return this.sum;
  }
}

const day = (date: number) => `2026-01-${String(date).padStart(2, "0")}T00:00:00.000Z`;
const key = { tenantId: "", streamId: "s", kind: "total", stateVersion: 1 };

function snapshotAt(version: number, changes: Partial<NewSnapshot> = {}): NewSnapshot {
  return {
    ...{ ...key, version, eventId: `e${version}`, latestAt: day(version) },
    ...{ data: JSON.stringify({ at: version }), codec: null, savedAt: day(28) },
    ...changes,
  };
}

/** Stores ten events, one a day, with ids of their numbers. */
async function fill({ driver }: Rig, prefix: string = "e", count: number = 10): Promise<void> {
  const events = Array.from(
    { length: count },
    (_, index) =>
      newEvent({ id: `${prefix}${index + 1}`, createdAt: day(index + 1), data: String(index + 1) }),
  );
  await driver.append([{ tenantId: "", writes: [write("s", "any", ...events)] }]);
}

async function load(
  snapshots: Snapshots,
  query: Partial<SnapshotQuery> = {},
): Promise<SnapshotPage> {
  return await snapshots.load({
    ...key,
    to: Number.MAX_SAFE_INTEGER,
    at: undefined,
    limit: 100,
    ...query,
  });
}

/** The version of the snapshot, and those of the events after it. */
function told(
  { snapshot, events }: SnapshotPage,
): readonly [number | undefined, readonly number[]] {
  return [snapshot?.version, events.map(({ version }) => version)];
}

/** States of aggregates that are kept, so that long streams load fast. */
export const snapshots: Cases = Object.fromEntries(
  Object.entries<(rig: Rig, snapshots: Snapshots) => Promise<void>>({
    async "a snapshot is loaded with the events after it"(rig, snapshots) {
      await fill(rig);
      assert.deepEqual(told(await load(snapshots, { limit: 3 })), [undefined, [1, 2, 3]]);
      const codec = { "/data/at": "bigint" };
      await snapshots.save(
        snapshotAt(7, { data: '{"at":"7"}', codec: JSON.stringify(codec) }),
      );
      const page = await load(snapshots);
      assert.deepEqual(told(page), [7, [8, 9, 10]]);
      const { eventId, latestAt, data, codec: notes } = page.snapshot!;
      assert.deepEqual({ eventId, data, notes }, {
        eventId: "e7",
        data: { at: "7" },
        notes: codec,
      });
      assert.equal(new Date(latestAt).toISOString(), day(7));
      assert.deepEqual(told(await load(snapshots, { limit: 2 })), [7, [8, 9]]);
      assert.deepEqual(
        [(await load(snapshots, { limit: 2 })).more, (await load(snapshots)).more],
        [true, false],
      );
      await snapshots.save(snapshotAt(10));
      assert.deepEqual(told(await load(snapshots)), [10, []]);
    },

    async "a snapshot is passed over behind a version or an instant"(rig, snapshots) {
      await fill(rig);
      await snapshots.save(snapshotAt(5, { latestAt: day(8) }));
      assert.deepEqual(told(await load(snapshots, { to: 7 })), [5, [6, 7]]);
      assert.deepEqual(told(await load(snapshots, { to: 5 })), [5, []]);
      assert.deepEqual(told(await load(snapshots, { to: 4 })), [undefined, [1, 2, 3, 4]]);
      const all = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10];
      assert.deepEqual(told(await load(snapshots, { at: day(8) })), [5, all.slice(5)]);
      assert.deepEqual(told(await load(snapshots, { at: day(7) })), [undefined, all]);
    },

    async "a snapshot is replaced by a later one, or once its event is gone"(rig, snapshots) {
      await fill(rig);
      await snapshots.save(snapshotAt(7));
      await snapshots.save(snapshotAt(6));
      assert.deepEqual(told(await load(snapshots)), [7, [8, 9, 10]]);
      await snapshots.save(snapshotAt(8));
      assert.deepEqual(told(await load(snapshots)), [8, [9, 10]]);
      await snapshots.save(snapshotAt(9, { eventId: "another" }));
      assert.equal((await load(snapshots)).snapshot, undefined);
      await snapshots.save(snapshotAt(3));
      assert.equal((await load(snapshots)).snapshot?.version, 3);
    },

    async "a snapshot is that of one tenant, stream, kind and version of the state"(
      rig,
      snapshots,
    ) {
      await fill(rig);
      for (const stateVersion of [1, 2, 3]) {
        await snapshots.save(snapshotAt(stateVersion, { stateVersion }));
      }
      const versions = [];
      for (const stateVersion of [1, 2, 3, 4]) {
        versions.push((await load(snapshots, { stateVersion })).snapshot?.version);
      }
      // Only the release before the last may still be in use.
      assert.deepEqual(versions, [undefined, 2, 3, undefined]);
      await snapshots.save(snapshotAt(9, { kind: "other", stateVersion: 3 }));
      assert.equal((await load(snapshots, { stateVersion: 3 })).snapshot?.version, 3);
      const page = await load(snapshots, { tenantId: "acme", stateVersion: 3 });
      assert.deepEqual(told(page), [undefined, []]);
    },

    async "a snapshot goes with its stream"(rig, snapshots) {
      const { driver } = rig;
      await fill(rig);
      await snapshots.save(snapshotAt(9));
      await snapshots.drop("", ["other", "s:1"]);
      assert.equal((await load(snapshots)).snapshot?.version, 9);
      await snapshots.drop("", ["other", "s"]);
      assert.equal((await load(snapshots)).snapshot, undefined);
      if (!driver.capabilities.transactions) return;
      await snapshots.save(snapshotAt(9));
      await assert.rejects(
        driver.transaction(async (session) => {
          await session.delete("", "s");
          throw new RangeError("no");
        }),
        RangeError,
      );
      assert.equal((await load(snapshots)).snapshot?.version, 9);
      await driver.delete("", "s");
      await fill(rig, "e", 9);
      assert.deepEqual(told(await load(snapshots)), [undefined, [1, 2, 3, 4, 5, 6, 7, 8, 9]]);
    },

    async "an import drops the snapshots of its streams, whose events keep their ids"(
      { driver, store },
      snapshots,
    ) {
      const history = [1, 2, 3].map((number) => ({
        streamId: "s",
        event: Noted(number, { id: `e${number}` }),
      }));
      if (!driver.capabilities.imported) {
        await rejects(importEvents(store, history), "UNSUPPORTED");
        return;
      }
      // Kept late, of a stream that is gone.
      await snapshots.save(snapshotAt(2));
      await importEvents(store, history);
      assert.deepEqual(told(await load(snapshots)), [undefined, [1, 2, 3]]);
    },

    async "a repository under using() keeps a snapshot once that is committed"(
      { store, begin },
      snapshots,
    ) {
      await store.append("total:a", notes(5));
      const query = { streamId: "total:a", kind: "aggregate" };
      assert.deepEqual(told(await load(snapshots, query)), [undefined, [1, 2, 3, 4, 5]]);
      if (begin === undefined) return;
      const joined = await begin(async (db) => {
        const joined = store.using(db);
        const totals = new Repository(joined, Total, { snapshots: { every: 3 } });
        assert.equal(await totals.aggregate("a", (total) => total.note(1)), 16);
        return joined;
      });
      assert.equal((await load(snapshots, query)).snapshot, undefined);
      await joined.committed();
      assert.deepEqual(told(await load(snapshots, query)), [5, [6]]);
    },

    async "a repository with snapshots loads what the events say"({ store, driver }) {
      const options = { snapshots: { every: 3 } };
      const totals = new Repository(store, Total, options);
      for (let number = 1; number <= 20; number++) {
        const sum = number * (number + 1) / 2;
        assert.equal(await totals.aggregate("a", (total) => total.note(number)), sum);
      }
      const page = await driver.snapshots!.load({
        ...{ ...key, streamId: "total:a", kind: "aggregate" },
        ...{ to: 20, at: undefined, limit: 100 },
      });
      assert.ok(page.snapshot!.version >= 16, `a snapshot at ${page.snapshot!.version}`);
      assert.equal((await totals.load("a", { version: 2 }))?.sum, 3);
      if (!driver.capabilities.transactions) return;
      await store.delete("total:a");
      await store.append("total:a", notes(5));
      assert.equal((await totals.load("a"))?.sum, 15);
    },
  }).map(([name, run]) => [
    name,
    async (rig: Rig) => {
      const { snapshots } = rig.driver;
      if (snapshots !== undefined) return await run(rig, snapshots);
      const make = async () => new Repository(rig.store, Total, { snapshots: {} });
      await rejects(make(), "UNSUPPORTED");
      await lacks(rig, make);
    },
  ]),
);
