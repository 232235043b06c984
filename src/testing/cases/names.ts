import assert from "node:assert/strict";
import { defineEvent } from "../../event/define.ts";
import { collect } from "../../store/read.ts";
import { EventStore } from "../../store/store.ts";
import { type Cases, Noted, notes } from "../rig.ts";

/** All distinct, although some look alike, or are alike after normalisation or case folding. */
const names: readonly string[] = [
  ...[
    "it's",
    'say "x"',
    "`tick`",
    "%",
    "_",
    "\\",
    "\\\\",
    "a\\'b",
    "$1",
    "$$",
    ":",
    "?",
    "??",
    "@a",
  ],
  ...["--", "/*", ";drop table events", "{a,b}", "[]", "null", "NULL", "true", "0", "00", "1e3"],
  ...[" ", "  ", "a", "a ", " a", "A", "\n", "\r\n", "\t", "\u0001", "\u007f", "\u0085", "\u2028"],
  ...["\u00e9", "e\u0301", "ß", "ss", "ı", "i", "İ", "\ufeff", "\u200b", "\u202e", "\uffff", "ﬀ"],
  ...["\u{1F680}", "\u{1F468}\u200d\u{1F469}", "\u{10ffff}", "你好", "مرحبا"],
  ...["x".repeat(512), "é".repeat(256), "\u{1F680}".repeat(128), `${"x".repeat(511)}y`],
];

/** Names are compared exactly, whatever characters they contain. */
export const named: Cases = {
  async "append() takes any well-formed stream id"({ store }) {
    await store.appendAll(names.map((streamId) => ({ streamId, events: Noted(streamId) })));
    for (const streamId of names) {
      const { version } = await store.append(streamId, Noted(streamId), { expectedVersion: 1 });
      assert.equal(version, 2, JSON.stringify(streamId));
      const events = await store.load(streamId);
      assert.deepEqual(events.map((event) => [event.streamId, event.data]), [
        [streamId, streamId],
        [streamId, streamId],
      ]);
    }
    const listed = (await store.streams()).map(({ streamId }) => streamId);
    assert.deepEqual(listed.toSorted(), names.toSorted());
    for (const streamId of names) await store.delete(streamId);
    assert.deepEqual(await store.streams(), []);
    assert.deepEqual(await collect(store.readAll()), []);
  },

  async "append() takes any well-formed category"({ store }) {
    const categories = names.filter((name) => !name.includes(":") && name.length < 100);
    await store.appendAll(
      categories.map((category) => ({ streamId: `${category}:1`, events: Noted(category) })),
    );
    for (const category of categories) {
      const [stream, ...others] = await store.streams({ category });
      assert.equal(stream?.streamId, `${category}:1`);
      assert.equal(others.length, 0);
      const events = await collect(store.readAll({ categories: [category] }));
      assert.deepEqual(events.map(({ data }) => data), [category]);
    }
  },

  async "scope() takes any well-formed tenant"({ store }) {
    for (const tenantId of names) {
      await store.scope({ tenantId }).append("s", notes(2), { expectedVersion: "noStream" });
    }
    for (const tenantId of names) {
      const events = await collect(store.scope({ tenantId }).readAll());
      assert.deepEqual(events.map((event) => event.tenantId), [tenantId, tenantId]);
    }
    assert.equal(await store.version("s"), 0);
  },

  async "readAll() takes any well-formed tag"({ store }) {
    await store.append("s", names.map((tag) => Noted(tag, { tags: ["all", tag] })));
    for (const tag of names) {
      const events = await collect(store.readAll({ tags: [tag, "all"] }));
      assert.deepEqual(events.map(({ data, tags }) => [data, tags]), [[tag, ["all", tag]]]);
    }
    assert.equal((await collect(store.readAll({ tags: ["all"] }))).length, names.length);
  },

  async "append() takes any well-formed type"({ driver }) {
    const types = names.filter((name) => !name.startsWith("?")).map((name) => defineEvent(name));
    const store = new EventStore(driver, { events: types });
    await store.append("s", types.map((type) => type()));
    const loaded = await store.load("s");
    assert.deepEqual(loaded.map(({ type }) => type), types.map(({ type }) => type));
    for (const [index, { type }] of types.entries()) {
      const found = await collect(store.readAll({ types: [type] }));
      assert.deepEqual(found, [loaded[index]]);
    }
  },

  async "append() distinguishes pairs of tenant and stream that join to the same text"({ store }) {
    const pairs = [["a", "b:c"], ["a:b", "c"], ["", "a:b:c"], ["a:b:c", "x"]] as const;
    for (const [tenantId, streamId] of pairs) {
      await store.scope({ tenantId }).append(streamId, Noted(tenantId), { expectedVersion: 0 });
    }
    for (const [tenantId, streamId] of pairs) {
      const events = await store.scope({ tenantId }).load(streamId);
      assert.deepEqual(events.map(({ data }) => data), [tenantId]);
    }
  },
};
