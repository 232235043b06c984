import assert from "node:assert/strict";
import { collect } from "../../store/read.ts";
import { type Cases, lacks, Noted, notes, range } from "../rig.ts";

/**
 * Ids by the bytes of their UTF-8: not by UTF-16 units, which sort U+1F600 before U+FFFD, nor by a language's
 * collation.
 */
const ordered = [
  ..." a|-|A|A:|A:1|B|Z|_|a|a b|a-b|a:1|aa|ab|z|~|é|ö|ﬀ|\uFFFD|\u{1F600}|\u{1F600}:1".split("|"),
];

/** Ids whose last characters are at the limits of UTF-8, or are special in a pattern. */
const hostile = [
  ..."%|_|a%|a_|\\|[a]|\u007f|\u0080|\u07ff|\u0800|\ud7ff|\ud7ff1|\ue000|\uffff".split("|"),
  ..."\u{10000}|\u{10FFFF}|\u{10FFFF}\u{10FFFF}|\u{10FFFF}\u{10FFFF}a|a\u{10FFFF}|a\u{10FFFF}b|b"
    .split("|"),
];

/** Returns the UTF-8 bytes of a text, as a text that sorts like them. */
function bytesOf(text: string): string {
  return [...text].map((point) => point.codePointAt(0)!.toString(16).padStart(6, "0")).join("");
}

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

  async "streams() lists those after a stream, as many as are wanted"({ store }) {
    for (const streamId of ordered) await store.append(streamId, Noted());
    for (const after of [...ordered, "!", "aaa", "\u{10FFFF}"]) {
      const left = ordered.filter((streamId) => bytesOf(streamId) > bytesOf(after));
      const found = await store.streams({ after, limit: 3 });
      assert.deepEqual(found.map(({ streamId }) => streamId), left.slice(0, 3));
    }
    assert.deepEqual(await store.streams({ limit: 0 }), []);
    assert.equal((await store.streams({ after: ordered[0] })).length, ordered.length - 1);
    const found = await store.streams({ category: "a", after: "a", limit: 2 });
    assert.deepEqual(found.map(({ streamId }) => streamId), ["a:1"]);
  },

  async "streams() lists those whose id begins with a prefix, character by character"(bench) {
    const { driver, store } = bench;
    if (!driver.capabilities.prefix) {
      return await lacks(bench, () => collect(store.streams({ prefix: "a" })));
    }
    const named = [...new Set([...ordered, ...hostile])].sort((a, b) =>
      bytesOf(a) < bytesOf(b) ? -1 : 1
    );
    await store.appendAll(named.map((streamId) => ({ streamId, events: Noted() })));
    await store.scope({ tenantId: "other" }).append("a:1", Noted());
    const prefixes = ["A", "a:", "é", "\u{1F600}", ...hostile];
    for (const prefix of ["", "%", "_", "a%", "a_", "\\", "\u{10FFFF}\u{10FFFF}", ...prefixes]) {
      const wanted = named.filter((name) => name.startsWith(prefix));
      const found = await store.streams({ prefix });
      assert.deepEqual(found.map(({ streamId }) => streamId), wanted, JSON.stringify(prefix));
    }
    const later = await store.streams({ prefix: "a", after: "a b", limit: 2 });
    assert.deepEqual(later.map(({ streamId }) => streamId), ["a%", "a-b"]);
    const inCategory = await store.streams({ prefix: "a", category: "a" });
    assert.deepEqual(inCategory.map(({ streamId }) => streamId), ["a:1"]);
  },

  async "streams() lists more than fit one page"({ store }) {
    const names = range(1, 1500).map((number) => `s:${String(number).padStart(5, "0")}`);
    await store.appendAll(names.map((streamId) => ({ streamId, events: notes(2) })));
    const found = await store.streams({ category: "s" });
    assert.deepEqual(found.map(({ streamId }) => streamId), names);
    assert.ok(found.every(({ version }) => version === 2));
    const some = await store.streams({ limit: 1100, after: names[99] });
    assert.deepEqual(some.map(({ streamId }) => streamId), names.slice(100, 1200));
  },
};
