import assert from "node:assert/strict";
import { type ImportedEvent, importEvents } from "../../import/import.ts";
import { collect } from "../../store/read.ts";
import { EventStore } from "../../store/store.ts";
import {
  type Cases,
  Closed,
  dataOf,
  lacks,
  newEvent,
  Noted,
  notes,
  range,
  rejects,
  together,
  write,
} from "../rig.ts";

/** Appends are atomic and numbered. */
export const append: Cases = {
  async "append() stores one event"({ store }) {
    const result = await store.append("note:1", Noted("first"));
    assert.equal(result.streamId, "note:1");
    assert.equal(result.version, 1);
    assert.equal(result.position, result.events[0].position);
    assert.deepEqual(await store.load("note:1"), result.events);
  },

  async "append() stores several events in their order"({ store }) {
    const { version, events } = await store.append("note:1", [Noted("a"), Closed(), Noted("b")]);
    assert.equal(version, 3);
    assert.deepEqual(events.map(({ type }) => type), ["Noted", "Closed", "Noted"]);
    assert.deepEqual(await store.load("note:1"), events);
  },

  async "append() numbers the events of a stream from 1 without gaps"({ store }) {
    for (const count of [1, 3, 2]) {
      await store.append("note:1", notes(count));
      await store.append("note:2", notes(count));
    }
    for (const streamId of ["note:1", "note:2"]) {
      const events = await store.load(streamId);
      assert.deepEqual(events.map(({ version }) => version), range(1, 6));
      assert.deepEqual(dataOf(events), [1, 1, 2, 3, 1, 2]);
    }
  },

  async "append() returns positions that rise within an append and from one to the next"(
    { store },
  ) {
    const positions: number[] = [];
    for (const streamId of ["a", "b", "a", "c"]) {
      const result = await store.append(streamId, notes(3));
      positions.push(...result.events.map(({ position }) => position));
      assert.equal(result.position, positions.at(-1));
    }
    assert.ok(positions[0]! >= 1);
    assert.ok(
      positions.every((position, index) => index === 0 || position > positions[index - 1]!),
    );
    const stored = [...await store.load("a"), ...await store.load("b"), ...await store.load("c")];
    assert.deepEqual(stored.map(({ position }) => position).sort((a, b) => a - b), positions);
  },

  async "append() stores 2,000 events in one step"({ store }) {
    const { version, events } = await store.append("many", notes(2000));
    assert.equal(version, 2000);
    const loaded = await store.load("many");
    assert.deepEqual(dataOf(loaded), range(1, 2000));
    assert.deepEqual(loaded.map(({ position }) => position), events.map((event) => event.position));
  },

  async "append() stores an event of 1 MB"({ store }) {
    const data = { text: "0123456789abcdé\u{1F680}".repeat(60_000) };
    await store.append("large", Noted(data));
    assert.deepEqual(dataOf(await store.load("large")), [data]);
  },

  async "append() of the driver decides each request on its own"({ driver, store }) {
    await store.append("taken", Noted(0, { id: "taken" }));
    const requests = [
      { tenantId: "", writes: [write("a", "noStream", newEvent({ data: "1" }))] },
      { tenantId: "", writes: [write("b", 7, newEvent())] },
      { tenantId: "", writes: [write("c", "any", newEvent({ id: "taken" }), newEvent())] },
      { tenantId: "other", writes: [write("a", 0, newEvent({ id: "taken", data: "2" }))] },
      { tenantId: "", writes: [write("d", "any", newEvent()), write("taken", 1, newEvent())] },
    ];
    const [a, b, c, other, d, ...rest] = await driver.append(requests);
    assert.equal(rest.length, 0);
    assert.ok(a?.status === "stored" && a.writes[0]?.version === 1);
    assert.deepEqual(b, {
      status: "refused",
      conflict: { kind: "version", versions: [0] },
      transactionAborted: false,
    });
    assert.ok(c?.status === "refused" && c.conflict.kind === "id");
    const { existing } = c.conflict;
    assert.deepEqual(existing.map(({ id, streamId, version }) => [id, streamId, version]), [
      ["taken", "taken", 1],
    ]);
    assert.ok(other?.status === "stored" && other.writes[0]?.positions.length === 1);
    assert.ok(d?.status === "stored");
    assert.deepEqual(d.writes.map(({ version }) => version), [1, 2]);
    const versions = ["a", "b", "c", "d", "taken"].map((streamId) => store.version(streamId));
    assert.deepEqual(await Promise.all(versions), [1, 0, 0, 1, 2]);
    assert.deepEqual(dataOf(await store.scope({ tenantId: "other" }).load("a")), [2]);
  },

  async "append() of the driver stores several requests of one stream in their order"(
    { driver, store },
  ) {
    const requests = range(1, 5).map((number) => (
      { tenantId: "", writes: [write("a", "any", newEvent({ data: `${number}` }))] }
    ));
    const outcomes = await driver.append(requests);
    assert.deepEqual(outcomes.map(({ status }) => status), requests.map(() => "stored"));
    assert.deepEqual(dataOf(await store.load("a")), range(1, 5));
  },

  async "appendAll() stores several streams in one step"({ store }) {
    await store.append("b", notes(2));
    const results = await store.appendAll([
      { streamId: "c", events: notes(2, 10), expectedVersion: "noStream" },
      { streamId: "a", events: Noted(20), expectedVersion: 0 },
      { streamId: "b", events: notes(3, 30), expectedVersion: 2 },
    ]);
    assert.deepEqual(results.map(({ streamId, version }) => [streamId, version]), [
      ["c", 2],
      ["a", 1],
      ["b", 5],
    ]);
    for (const { streamId, position, events } of results) {
      assert.deepEqual((await store.load(streamId)).slice(-events.length), events);
      assert.equal(events.at(-1)!.position, position);
    }
  },

  async "appendAll() stores nothing when one stream conflicts"({ store }) {
    await store.append("b", Noted("there"));
    for (const order of [["a", "b", "c"], ["b", "c", "a"], ["c", "a", "b"]]) {
      const appends = order.map((streamId) => (
        { streamId, events: notes(2), expectedVersion: "noStream" } as const
      ));
      const error = await rejects(store.appendAll(appends), "CONCURRENCY");
      assert.equal(error.streamId, "b");
      assert.equal(error.actual, 1);
    }
    const versions = ["a", "b", "c"].map((streamId) => store.version(streamId));
    assert.deepEqual(await Promise.all(versions), [0, 1, 0]);
  },

  async "importEvents() stores history with a mark, and publishes none of it"(bench) {
    const { driver, store } = bench;
    const source = imports("a b a c b a".split(" "));
    if (!driver.capabilities.imported) {
      return await lacks(bench, () => importEvents(store, source));
    }
    await store.append("here", Noted("here"));
    let ran = 0;
    const subscriptions = { "*": [() => void ran++] };
    const publishing = new EventStore(driver, {
      ...{ events: [Noted, Closed], publishes: true },
      ...(driver.capabilities.transactions && { subscriptions }),
    });
    const result = await importEvents(publishing.scope({ tenantId: "" }), source, { batchSize: 4 });
    assert.deepEqual(result, { imported: 6, known: 0, position: await store.position() });
    assert.equal(ran, 0, "no subscription runs");
    for (const streamId of ["a", "b", "c"]) {
      const events = source.filter((item) => item.streamId === streamId).map(({ event }) => event);
      const stored = await store.load(streamId);
      assert.deepEqual(
        stored.map(({ id, createdAt, data, tags }) => ({ id, createdAt, data, tags })),
        events.map(({ id, createdAt, data, tags }) => ({ id, createdAt, data, tags })),
      );
    }
    const query = { categories: undefined, types: undefined, tags: undefined, tenantId: undefined };
    const until = await driver.settled();
    const log = (await driver.scan({ ...query, after: 0, until, limit: 9 })).events;
    assert.deepEqual(log.map(({ imported = false }) => imported), [
      false,
      ...range(1, 6).map(() => true),
    ]);
    assert.ok(log.every(({ published }) => !published));
    const [first] = source;
    assert.deepEqual(await importEvents(store, [first!]), {
      imported: 0,
      known: 1,
      position: log[1]!.position,
    });
    const tagged = await collect(store.readAll({ tags: ["old"] }));
    assert.equal(tagged.length, 6);
  },

  async "importEvents() passes over what is stored, when it is run again with other batches"(
    bench,
  ) {
    const { driver, store } = bench;
    const streams = range(1, 40).map((number) => `s:${number % 7}`);
    const source = imports(streams);
    if (!driver.capabilities.imported) {
      return await lacks(bench, () => importEvents(store, source));
    }
    const part = await importEvents(store, source.slice(0, 23), { batchSize: 7 });
    assert.equal(part.imported, 23);
    const rest = await importEvents(store, source, { batchSize: 10 });
    assert.deepEqual(rest, { imported: 17, known: 23, position: await store.position() });
    const again = await importEvents(store, source, { batchSize: 20 });
    assert.deepEqual(again, { imported: 0, known: 40, position: rest.position });
    for (const streamId of new Set(streams)) {
      const wanted = source.filter((item) => item.streamId === streamId).map(({ event }) =>
        event.id
      );
      assert.deepEqual((await store.load(streamId)).map(({ id }) => id), wanted);
    }
    // Two at the same time, as when a first one seemed to be dead.
    const more = imports(range(1, 30).map((number) => `t:${number % 5}`), 100);
    const both = await together(
      [4, 6].map((batchSize) => importEvents(store, more, { batchSize })),
    );
    assert.equal(both.reduce((sum, { imported }) => sum + imported, 0), 30);
    assert.equal((await store.load("t:1")).length, 6);
  },

  async "importEvents() refuses what does not fit, and stores nothing of the batch"(bench) {
    const { driver, store } = bench;
    if (!driver.capabilities.imported) {
      return await lacks(bench, () => importEvents(store, []));
    }
    const [one, two, three] = imports(["a", "a", "a"]);
    await importEvents(store, [one!, three!]);
    const elsewhere = rejects(importEvents(store, [{ ...one!, streamId: "b" }]), "DUPLICATE_EVENT");
    assert.equal((await elsewhere).eventId, one!.event.id);
    const late = await rejects(importEvents(store, [one!, two!, three!]), "DUPLICATE_EVENT");
    assert.equal(late.eventId, three!.event.id);
    assert.equal(await store.version("a"), 2);
    assert.equal(await store.version("b"), 0);
    assert.deepEqual(await importEvents(store, []), { imported: 0, known: 0, position: 0 });
  },
};

/** Events of another log, one for each stream that is named. */
function imports(streamIds: readonly string[], from: number = 1): readonly ImportedEvent<Noted>[] {
  return streamIds.map((streamId, index) => {
    const createdAt = new Date(Date.UTC(2020, 0, 1) + index);
    const init = { id: `old-${from + index}`, createdAt, tags: ["old"] };
    return { streamId, event: Noted(from + index, init) };
  });
}
