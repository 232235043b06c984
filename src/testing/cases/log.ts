import assert from "node:assert/strict";
import type { LogQuery } from "../../driver/read.ts";
import type { ReadAllOptions } from "../../store/reader.ts";
import { collect } from "../../store/read.ts";
import { type Cases, Closed, dataOf, lacks, Noted, notes, range, type Rig } from "../rig.ts";

/** Filters, and the events that they match in the log of `fill`. */
const wanted: readonly [ReadAllOptions, readonly string[]][] = [
  [{}, ["a", "b", "closed", "c", "d", "e"]],
  [{ limit: 0 }, []],
  [{ limit: 2 }, ["a", "b"]],
  [{ categories: ["order"] }, ["a", "closed", "c"]],
  [{ categories: ["order", "user"] }, ["a", "b", "closed", "c"]],
  [{ categories: [""] }, ["d", "e"]],
  [{ categories: ["", "user"] }, ["b", "d", "e"]],
  [{ categories: ["orde", "order:1", "ORDER", "o%"] }, []],
  [{ types: ["Noted"] }, ["a", "b", "c", "d", "e"]],
  [{ types: ["Closed"] }, ["closed"]],
  [{ types: ["Closed", "Noted"] }, ["a", "b", "closed", "c", "d", "e"]],
  [{ types: ["Unheard"] }, []],
  [{ tags: ["red"] }, ["a", "b", "closed", "d"]],
  [{ tags: ["red", "big"] }, ["b", "d"]],
  [{ tags: ["big", "red", "big"] }, ["b", "d"]],
  [{ tags: ["red", "blue"] }, []],
  [{ tags: ["re"] }, []],
  [{ categories: ["order"], types: ["Noted"] }, ["a", "c"]],
  [{ categories: ["order"], types: ["Noted"], tags: ["red"] }, ["a"]],
  [{ types: ["Noted"], tags: ["red"], limit: 2 }, ["a", "b"]],
  [{ categories: [] }, []],
  [{ types: [] }, []],
  [{ tags: [] }, []],
  [{ categories: ["order"], types: [] }, []],
];

/** Reading the log across streams. */
export const log: Cases = {
  async "readAll() gives the events of all streams by position"({ store }) {
    for (const streamId of ["b", "a", "c", "a", "b"]) await store.append(streamId, notes(2));
    const events = await collect(store.readAll());
    assert.deepEqual(events.map(({ streamId }) => streamId), [..."bbaaccaabb"]);
    const positions = events.map(({ position }) => position);
    assert.deepEqual(positions, [...new Set(positions)].sort((a, b) => a - b));
    assert.deepEqual(events.filter(({ streamId }) => streamId === "a"), await store.load("a"));
  },

  async "readAll() gives the events that every filter lets pass"(bench) {
    await fill(bench);
    for (const [options, names] of wanted) {
      const events = await collect(bench.store.readAll(options));
      assert.deepEqual(events.map(({ id }) => id), names, JSON.stringify(options));
    }
  },

  async "readAll() gives only events after a position"(bench) {
    await fill(bench);
    const events = await collect(bench.store.readAll());
    assert.equal(events.length, 6);
    for (const [index, { position: after }] of events.entries()) {
      assert.deepEqual(await collect(bench.store.readAll({ after })), events.slice(index + 1));
      const filtered = await collect(bench.store.readAll({ after, categories: [""], limit: 1 }));
      assert.deepEqual(
        filtered,
        events.slice(index + 1).filter(({ streamId }) => !streamId.includes(":")).slice(0, 1),
      );
    }
    assert.deepEqual(await collect(bench.store.readAll({ after: Number.MAX_SAFE_INTEGER })), []);
  },

  async "readAll() gives only events before a position"(bench) {
    await fill(bench);
    const events = await collect(bench.store.readAll());
    assert.equal(events.length, 6);
    for (const [index, { position: before }] of events.entries()) {
      assert.deepEqual(await collect(bench.store.readAll({ before })), events.slice(0, index));
      const between = { after: events[0]!.position, before, types: ["Noted"] as const };
      const notes = events.slice(1, Math.max(1, index)).filter(({ type }) => type === "Noted");
      assert.deepEqual(await collect(bench.store.readAll(between)), notes);
    }
    for (const before of [0, 1]) {
      assert.deepEqual(await collect(bench.store.readAll({ before })), []);
    }
    assert.deepEqual(
      await collect(bench.store.readAll({ before: Number.MAX_SAFE_INTEGER })),
      events,
    );
  },

  async "readAll() gives the newest first where it goes backwards"(bench) {
    const { driver, store } = bench;
    await fill(bench);
    if (!driver.capabilities.backwards) {
      return await lacks(bench, () => collect(store.readAll({ backwards: true })));
    }
    for (const [options, names] of wanted) {
      if (options.limit !== undefined) continue;
      const events = await collect(store.readAll({ ...options, backwards: true }));
      assert.deepEqual(events.map(({ id }) => id), names.toReversed(), JSON.stringify(options));
    }
    const newest = await collect(store.readAll({ tags: ["red"], limit: 2, backwards: true }));
    assert.deepEqual(newest.map(({ id }) => id), ["d", "closed"]);
    const events = await collect(store.readAll());
    for (const [index, { position }] of events.entries()) {
      const older = await collect(store.readAll({ before: position, backwards: true }));
      assert.deepEqual(older, events.slice(0, index).toReversed());
      const newer = await collect(store.readAll({ after: position, backwards: true }));
      assert.deepEqual(newer, events.slice(index + 1).toReversed());
    }
  },

  async "readAll() gives more events than fit one page backwards"(bench) {
    const { driver, store } = bench;
    await store.append("closed", Closed());
    for (const number of range(1, 5)) {
      await store.append(`note:${number}`, notes(500, 500 * number - 499));
    }
    if (!driver.capabilities.backwards) {
      return await lacks(bench, () => collect(bench.store.readAll({ backwards: true })));
    }
    const events = await collect(store.readAll({ types: ["Noted"], backwards: true }));
    assert.deepEqual(dataOf(events), range(1, 2500).toReversed());
    assert.equal((await collect(store.readAll({ types: ["Closed"], backwards: true }))).length, 1);
    const some = await collect(store.readAll({ backwards: true, limit: 1500 }));
    assert.deepEqual(dataOf(some), range(1001, 2500).toReversed());
  },

  async "readAll() gives more events than fit one page"({ store }) {
    for (const number of range(1, 5)) {
      await store.append(`note:${number}`, notes(500, 500 * number - 499));
      await store.append("closed", Closed());
    }
    const events = await collect(store.readAll({ categories: ["note"] }));
    assert.deepEqual(dataOf(events), range(1, 2500));
    assert.equal((await collect(store.readAll({ types: ["Closed"] }))).length, 5);
    assert.equal((await collect(store.readAll({ limit: 1500 }))).length, 1500);
  },

  async "position() is 0 in an empty store, and that of the last event when nothing is open"(
    { driver, store },
  ) {
    assert.equal(await store.position(), 0);
    assert.deepEqual(await collect(store.readAll()), []);
    for (const count of [1, 3]) {
      const { position } = await store.append("a", notes(count));
      assert.equal(await store.position(), position);
      assert.equal(await driver.settled(), position);
    }
  },

  async "scan() searches up to a position and says how far it got"(bench) {
    await fill(bench);
    const { driver } = bench;
    const until = await driver.settled();
    const all = (await driver.scan(query(until))).events;
    assert.equal(all.length, 6);
    const third = all[2]!.position;
    const upToThird = await driver.scan(query(third));
    assert.deepEqual(upToThird, { events: all.slice(0, 3), scanned: third });
    const nothing = await driver.scan({ ...query(until), types: ["Unheard"] });
    assert.deepEqual(nothing, { events: [], scanned: until });
    // Page by page, however sparse the matches: none is lost, and reading ends.
    const ids: string[] = [];
    for (let after = 0; after < until;) {
      const page = await driver.scan({ ...query(until), after, limit: 1, tags: ["red", "big"] });
      ids.push(...page.events.map(({ id }) => id));
      assert.ok(page.scanned > after && page.scanned <= until, `${page.scanned} is after ${after}`);
      assert.ok(page.events.every(({ position }) => position <= page.scanned));
      after = page.scanned;
    }
    assert.deepEqual(ids, ["b", "d"]);
  },

  async "scan() searches backwards and says how far it got"(bench) {
    await fill(bench);
    const { driver } = bench;
    if (!driver.capabilities.backwards) {
      return await lacks(bench, () => collect(bench.store.readAll({ backwards: true })));
    }
    const until = await driver.settled();
    const all = (await driver.scan(query(until))).events;
    const after = all[0]!.position;
    const backwards = { ...query(until), after, backwards: true };
    assert.deepEqual(await driver.scan(backwards), {
      events: all.slice(1).toReversed(),
      scanned: after + 1,
    });
    const nothing = await driver.scan({ ...backwards, types: ["Unheard"] });
    assert.deepEqual(nothing, { events: [], scanned: after + 1 });
    const ids: string[] = [];
    for (let last = until; last > 0;) {
      const filter = { until: last, after: 0, limit: 1, tags: ["red", "big"] };
      const page = await driver.scan({ ...backwards, ...filter });
      ids.push(...page.events.map(({ id }) => id));
      assert.ok(page.scanned <= last && page.scanned > 0, `${page.scanned} is up to ${last}`);
      last = page.scanned - 1;
    }
    assert.deepEqual(ids, ["d", "b"]);
  },

  async "scan() gives nothing for an empty filter"(bench) {
    await fill(bench);
    const until = await bench.driver.settled();
    assert.equal((await bench.driver.scan(query(until))).events.length, 6);
    for (const filter of [{ categories: [] }, { types: [] }]) {
      assert.deepEqual((await bench.driver.scan({ ...query(until), ...filter })).events, []);
    }
  },

  async "scan() tells which events are published, and all else of them"({ driver, store }) {
    await store.append("a", Noted(1));
    await store.publish("a", [Noted(2, { tags: ["x"] }), Noted(3)]);
    await store.append("b", Noted(4));
    const { events } = await driver.scan(query(await driver.settled()));
    assert.deepEqual(
      events.map((
        { data, published, streamId, version, tenantId, type, schemaVersion, tags },
      ) => [data, published, streamId, version, tenantId, type, schemaVersion, tags]),
      [
        [1, false, "a", 1, "", "Noted", 1, []],
        [2, true, "a", 2, "", "Noted", 1, ["x"]],
        [3, true, "a", 3, "", "Noted", 1, []],
        [4, false, "b", 1, "", "Noted", 1, []],
      ],
    );
  },
};

async function fill({ store }: Rig): Promise<void> {
  await store.append("order:1", Noted(0, { id: "a", tags: ["red"] }));
  await store.append("user:1", Noted(0, { id: "b", tags: ["big", "red"] }));
  await store.append("order:1", [
    Closed(undefined, { id: "closed", tags: ["red"] }),
    Noted(0, { id: "c" }),
  ]);
  await store.append("plain", Noted(0, { id: "d", tags: ["red", "round", "big"] }));
  await store.append("other", Noted(0, { id: "e", tags: ["blue", "big"] }));
}

function query(until: number): LogQuery {
  const filters = { categories: undefined, types: undefined, tags: undefined };
  return { tenantId: undefined, after: 0, until, limit: 100, ...filters };
}
