import assert from "node:assert/strict";
import { collect } from "../../store/read.ts";
import { type Cases, Noted, notes, range } from "../rig.ts";

/** By the bytes of their UTF-8: not by UTF-16 units, which put U+1F600 before U+FFFD, nor as any language would. */
const ordered = [
  ..." a|-|A|A:|A:1|B|Z|_|a|a b|a-b|a:1|aa|ab|z|~|é|ö|ﬀ|\uFFFD|\u{1F600}|\u{1F600}:1".split("|"),
];

/** Listing streams. */
export const streams: Cases = {
  async "streams() lists them with version and times"({ store }) {
    const [first, second, third] = ["2026-01-31T12:00:00.001Z", "2025-06-01", "2027-01-01"].map((
      text,
    ) => new Date(text));
    await store.append("order:2", Noted(1, { createdAt: first }));
    await store.append("order:1", [
      Noted(1, { createdAt: second }),
      Noted(2, { createdAt: first }),
    ]);
    await store.append("order:2", Noted(2, { createdAt: third }));
    const listed = [
      { streamId: "order:1", version: 2, createdAt: second, updatedAt: first },
      { streamId: "order:2", version: 2, createdAt: first, updatedAt: third },
    ];
    assert.deepEqual(await store.streams(), listed);
    assert.deepEqual(await collect(store.streams()), listed);
  },

  async "streams() lists those of one category only"({ store }) {
    const names = ["a:1", "a:2", "a", "ab:1", "a_:1", "A:1", ":1", "a%:1", "b:a:1", "a::1"];
    for (const name of names) await store.append(name, Noted());
    for (
      const [category, expected] of Object.entries({
        "a": ["a:1", "a:2", "a::1"].sort(),
        "a_": ["a_:1"],
        "a%": ["a%:1"],
        "b": ["b:a:1"],
        "": ["a", ":1"].sort(),
        "c": [],
        "%": [],
      })
    ) {
      const found = await store.streams({ category });
      assert.deepEqual(found.map(({ streamId }) => streamId), expected, category);
    }
    assert.equal((await store.streams()).length, names.length);
  },

  async "streams() lists in the order of the bytes of their ids"({ driver, store }) {
    const shuffled = ordered.map((name, index) => [name, (index * 7) % ordered.length] as const)
      .sort(([, a], [, b]) => a - b).map(([name]) => name);
    await store.appendAll(shuffled.map((streamId) => ({ streamId, events: Noted() })));
    const found = await store.streams();
    assert.deepEqual(found.map(({ streamId }) => streamId), ordered);
    for (const [index, after] of ordered.entries()) {
      const page = await driver.streams({ tenantId: "", category: undefined, after, limit: 2 });
      assert.deepEqual(
        page.map(({ streamId }) => streamId),
        ordered.slice(index + 1, index + 3),
        `after ${JSON.stringify(after)}`,
      );
    }
  },

  async "streams() lists more than fit one page"({ store }) {
    const names = range(1, 1500).map((number) => `s:${String(number).padStart(5, "0")}`);
    await store.appendAll(names.map((streamId) => ({ streamId, events: notes(2) })));
    const found = await store.streams({ category: "s" });
    assert.deepEqual(found.map(({ streamId }) => streamId), names);
    assert.ok(found.every(({ version }) => version === 2));
  },
};
