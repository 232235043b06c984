import assert from "node:assert/strict";
import type { LoadOptions } from "../../store/reader.ts";
import { collect } from "../../store/read.ts";
import { type Cases, dataOf, Noted, notes, range } from "../rig.ts";

const last = Number.MAX_SAFE_INTEGER;

/** Options, and the versions that they select from a stream of five. */
const wanted: readonly [LoadOptions, readonly number[]][] = [
  [{}, [1, 2, 3, 4, 5]],
  [{ from: 1 }, [1, 2, 3, 4, 5]],
  [{ from: 3 }, [3, 4, 5]],
  [{ from: 6 }, []],
  [{ from: last }, []],
  [{ to: 0 }, []],
  [{ to: 2 }, [1, 2]],
  [{ to: 9 }, [1, 2, 3, 4, 5]],
  [{ to: last }, [1, 2, 3, 4, 5]],
  [{ from: 2, to: 4 }, [2, 3, 4]],
  [{ from: 3, to: 3 }, [3]],
  [{ from: 4, to: 3 }, []],
  [{ limit: 0 }, []],
  [{ limit: 2 }, [1, 2]],
  [{ limit: 9 }, [1, 2, 3, 4, 5]],
  [{ limit: last }, [1, 2, 3, 4, 5]],
  [{ from: 2, limit: 2 }, [2, 3]],
  [{ backwards: true }, [5, 4, 3, 2, 1]],
  [{ backwards: true, limit: 2 }, [5, 4]],
  [{ backwards: true, to: 3 }, [3, 2, 1]],
  [{ backwards: true, from: 3 }, [5, 4, 3]],
  [{ backwards: true, from: 2, to: 4, limit: 2 }, [4, 3]],
  [{ backwards: true, from: 4, to: 3 }, []],
  [{ backwards: true, limit: 0 }, []],
];

/** Reading one stream. */
export const read: Cases = {
  async "load() gives no events where there is no stream"({ store }) {
    await store.append("other", Noted());
    assert.deepEqual(await store.load("none"), []);
    assert.deepEqual(await store.load("none", { backwards: true, limit: 1 }), []);
    assert.equal(await store.version("none"), 0);
    assert.equal(await store.version("other"), 1);
  },

  async "load() gives the versions that are wanted, and read() the same"({ store }) {
    for (const streamId of ["before", "five", "later"]) await store.append(streamId, notes(5));
    for (const [options, versions] of wanted) {
      const events = await store.load("five", options);
      assert.deepEqual(events.map(({ version }) => version), versions, JSON.stringify(options));
      assert.deepEqual(dataOf(events), versions);
      assert.deepEqual(await collect(store.read("five", options)), events);
    }
  },

  async "load() gives more events than fit one page, forwards and backwards"({ store }) {
    const all = range(1, 2500);
    for (const from of [1, 1001, 2001]) {
      await store.append("long", notes(1000, from).slice(0, 2501 - from));
    }
    assert.deepEqual(dataOf(await store.load("long")), all);
    assert.deepEqual(dataOf(await store.load("long", { backwards: true })), all.toReversed());
    assert.deepEqual(
      dataOf(await store.load("long", { from: 900, limit: 1300 })),
      range(900, 2199),
    );
    assert.equal(await store.version("long"), 2500);
    assert.equal(await store.fold("long", 0, (sum, { data }) => sum + Number(data)), 3_126_250);
  },

  async "load() gives an event as append() gave it"({ store }) {
    const event = Noted({ text: "all of it" }, {
      id: "given",
      createdAt: new Date("2026-01-31T12:34:56.789Z"),
      metadata: { correlationId: "c", causationId: "d", user: { name: "é" } },
      tags: ["b", "a"],
    });
    const { events } = await store.append("a", event);
    const { streamId, version, tenantId, position, ...rest } = (await store.load("a"))[0]!;
    assert.deepEqual([streamId, version, tenantId], ["a", 1, ""]);
    assert.equal(position, events[0].position);
    assert.deepEqual(rest, { ...event });
  },

  async "load() of the driver makes what it gives anew for each call"({ driver, store }) {
    await store.append("a", Noted({ list: [1] }, { metadata: { user: "me" } }));
    const query = { tenantId: "", streamId: "a", from: 1, to: 1, limit: 1, backwards: false };
    const { events: [first] } = await driver.load(query);
    const { events: [second] } = await driver.load(query);
    assert.ok(first !== undefined && second !== undefined);
    assert.deepEqual(first, second);
    assert.notEqual(first.data, second.data);
    assert.notEqual(first.metadata, second.metadata);
    const { id, type, schemaVersion, published, codec } = first;
    assert.deepEqual([id, type, schemaVersion, published, codec], [id, "Noted", 1, false, null]);
  },
};
