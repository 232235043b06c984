import assert from "node:assert/strict";
import type { AppendCondition, EventQuery } from "../../query/query.ts";
import {
  type Cases,
  Closed,
  dataOf,
  lacks,
  newEvent,
  Noted,
  notes,
  rejects,
  type Rig,
  storeOn,
  together,
  write,
} from "../rig.ts";

/** Queries, and the events that they match in the log of `fill`. */
const wanted: readonly [EventQuery<"Noted" | "Closed">, readonly unknown[]][] = [
  [{ tags: ["red"] }, [1, 2, 4]],
  [{ tags: ["red", "big"] }, [2, 4]],
  [{ tags: ["big", "red", "big"] }, [2, 4]],
  [{ tags: ["red", "blue"] }, []],
  [{ tags: ["re"] }, []],
  [{ types: ["Closed"] }, [4]],
  [{ types: ["Closed", "Noted"] }, [1, 2, 3, 4, 5]],
  [{ types: ["Noted"], tags: ["red"] }, [1, 2]],
  [{ types: ["Closed"], tags: ["blue"] }, []],
  [[{ tags: ["blue"] }, { types: ["Closed"] }], [3, 4]],
  [[{ tags: ["red"] }, { tags: ["big"] }, { types: ["Noted"] }], [1, 2, 3, 4, 5]],
];

async function fill({ driver }: Rig): Promise<void> {
  const tags = [["red"], ["red", "big"], ["blue"], ["big", "red"], []];
  for (const [index, list] of tags.entries()) {
    const type = index === 3 ? "Closed" : "Noted";
    const event = newEvent({ type, data: String(index + 1), tags: list });
    await driver.append([{ tenantId: "", writes: [write(`s:${index % 2}`, "any", event)] }]);
  }
}

const red = { tags: ["red"] } as const;
const tagged = (data: unknown, ...tags: readonly string[]) => Noted(data, { tags });

/** Decisions that rest on events of several streams. */
export const conditions: Cases = guarded({
  async "query() gives the events that match any of its items"(rig) {
    await fill(rig);
    for (const [query, data] of wanted) {
      const { events } = await rig.store.query(query);
      assert.deepEqual(dataOf(events), data, JSON.stringify(query));
    }
  },

  async "query() gives a condition that holds until another match is stored"(rig) {
    const { store } = rig;
    await fill(rig);
    for (const [query] of wanted) {
      // Kept as JSON, as in a form that is sent back later.
      const condition: AppendCondition = JSON.parse(
        JSON.stringify((await store.query(query)).condition),
      );
      await store.append("other", Noted(0), { condition });
      const { position, events: [{ type }] } = await store.append("match", matchOf(query));
      const error = await rejects(store.append("refused", Noted(9), { condition }), "CONCURRENCY");
      // A query of all types is refused by the event before, too.
      const found = error.condition!;
      if (found.streamId === "match") {
        assert.deepEqual([found.position, found.type], [position, type]);
      } else assert.equal(found.streamId, "other");
      assert.equal(error.retryable, true);
    }
    assert.equal(await store.version("refused"), 0);
  },

  async "append() under a condition is refused by the first match that was not seen"({ store }) {
    const { events: [seen] } = await store.append("a", tagged(1, "red"));
    const query = red;
    const { position } = await store.append("b", tagged(2, "red", "big"));
    await store.append("c", tagged(3, "red"));
    const condition = { query, after: 0, seen: [seen.position] };
    const error = await rejects(store.append("d", Noted(4), { condition }), "CONCURRENCY");
    assert.deepEqual(error.condition, { position, type: "Noted", streamId: "b" });
    assert.deepEqual([error.streamId, error.actual], ["d", undefined]);
    assert.deepEqual(await store.load("d"), []);
    const all = (await store.query(query)).events.map((event) => event.position);
    await store.append("d", Noted(4), { condition: { query, after: 0, seen: all } });
    await store.append("d", Noted(5), { condition: { query, after: all.at(-1)! } });
  },

  async "append() under a condition is not refused by what lacks a tag, or is of another type"(
    { store },
  ) {
    const both = { types: ["Noted"], tags: ["red", "big"] } as const;
    const { condition } = await store.query(both);
    await store.append("a", [
      tagged(1, "red"),
      tagged(2, "big"),
      Closed(undefined, { tags: ["red", "big"] }),
    ]);
    await store.append("a", tagged(3, "big", "red"), { condition });
    await rejects(store.append("a", tagged(4, "big", "red"), { condition }), "CONCURRENCY");
  },

  async "append() stores its own match, and the same events again although they match"({ store }) {
    const event = tagged(1, "red");
    const { condition } = await store.query(red);
    const stored = await store.append("a", event, { condition });
    assert.deepEqual(await store.append("a", event, { condition }), stored);
    assert.deepEqual(dataOf(await store.load("a")), [1]);
  },

  async "append() takes a condition and an expected version, and both must hold"({ store }) {
    const { condition } = await store.query(red);
    const none = { condition, expectedVersion: 1 };
    const error = await rejects(store.append("a", Noted(1), none), "CONCURRENCY");
    assert.deepEqual([error.actual, error.condition], [0, undefined]);
    await store.append("a", tagged(1, "red"));
    const late = await rejects(store.append("a", Noted(2), none), "CONCURRENCY");
    assert.deepEqual([late.expected, late.condition?.streamId], [1, "a"]);
  },

  async "appendAll() takes one condition for all of its streams"({ store }) {
    const { condition } = await store.query(red);
    const appends = [{ streamId: "a", events: notes(2) }, {
      streamId: "b",
      events: tagged(3, "red"),
    }];
    await store.appendAll(appends, { condition });
    const again = [{ streamId: "a", events: Noted(4) }, { streamId: "c", events: Noted(5) }];
    await rejects(store.appendAll(again, { condition }), "CONCURRENCY");
    assert.deepEqual([await store.version("a"), await store.version("c")], [2, 0]);
  },

  async "query() and conditions are those of one tenant"({ store }) {
    const [acme, other] = ["acme", "other"].map((tenantId) => store.scope({ tenantId }));
    const { condition } = await acme!.query(red);
    await other!.append("a", tagged(1, "red"));
    await store.append("a", tagged(2, "red"));
    assert.deepEqual(dataOf((await store.query(red)).events), [2]);
    assert.deepEqual(dataOf((await acme!.query(red)).events), []);
    await acme!.append("a", tagged(3, "red"), { condition });
    await rejects(acme!.append("a", Noted(4), { condition }), "CONCURRENCY");
  },

  async "a match whose stream is gone refuses no condition"({ store, driver }) {
    if (!driver.capabilities.transactions) return;
    const { condition } = await store.query(red);
    await store.append("gone", tagged(1, "red"));
    const { condition: later } = await store.query(red);
    await store.delete("gone");
    await store.append("a", Noted(1), { condition });
    await store.append("a", tagged(2, "red"), { condition: later });
    await rejects(store.append("a", Noted(3), { condition: later }), "CONCURRENCY");
  },

  async "query() reads more events than a page"({ store }) {
    const many = Array.from({ length: 1500 }, (_, index) => tagged(index, "red"));
    await store.append("many", many);
    const { events, condition } = await store.query(red);
    assert.deepEqual(dataOf(events), many.map(({ data }) => data));
    await store.append("many", tagged(0, "red"), { condition });
    await rejects(store.append("many", Noted(0), { condition }), "CONCURRENCY");
  },

  async "of 16 appends under the same condition one wins"({ store, second }) {
    const stores = [store, storeOn(await second())];
    for (let round = 0; round < 2; round++) {
      const query = { tags: [`round:${round}`] };
      const { condition } = await store.query(query);
      const results = await Promise.allSettled(
        Array.from(
          { length: 16 },
          (_, index) =>
            stores[index % 2]!.append(`racer:${index}`, Noted(round, query), { condition }),
        ),
      );
      for (const result of results) {
        if (result.status === "rejected") {
          await rejects(Promise.reject(result.reason), "CONCURRENCY");
        }
      }
      assert.equal(results.filter(({ status }) => status === "fulfilled").length, 1);
      assert.equal((await store.query(query)).events.length, 1);
    }
  },

  async "appends under disjoint conditions never refuse each other"({ store, second }) {
    const stores = [store, storeOn(await second())];
    await together(
      Array.from({ length: 16 }, async (_, index) => {
        const own = { tags: [`own:${index}`] };
        for (let count = 0; count < 3; count++) {
          const { events, condition } = await stores[index % 2]!.query(own);
          assert.equal(events.length, count);
          await stores[index % 2]!.append(`s:${index}`, Noted(count, own), { condition });
        }
      }),
    );
  },

  async "a transaction queries its own events and appends under a condition"(rig) {
    const { store, driver } = rig;
    if (!driver.capabilities.transactions) return;
    const outside = await store.query(red);
    await store.transaction(async ({ store }) => {
      const before = await store.query(red);
      await store.append("a", tagged(1, "red"), before);
      const { events, condition } = await store.query(red);
      assert.deepEqual(dataOf(events), [1]);
      await rejects(store.append("a", tagged(2, "red"), before), "CONCURRENCY");
      await store.append("b", tagged(3, "red"), { condition });
    });
    assert.deepEqual(dataOf((await store.query(red)).events), [1, 3]);
    await rejects(store.append("a", Noted(4), outside), "CONCURRENCY");
  },

  async "a match whose transaction rolled back refuses no condition"(rig) {
    const { store, driver } = rig;
    if (!driver.capabilities.transactions) return;
    const { condition } = await store.query(red);
    await assert.rejects(
      store.transaction(async ({ store }) => {
        await store.append("a", tagged(1, "red"));
        throw new RangeError("no");
      }),
      RangeError,
    );
    await store.append("a", tagged(2, "red"), { condition });
  },
});

/** Returns an event that matches the last item of a query. */
function matchOf(query: EventQuery): Noted | Closed {
  const { types: [type] = ["Noted"], tags = [] } = [query].flat().at(-1)!;
  return type === "Closed" ? Closed(undefined, { tags }) : tagged("match", ...tags);
}

/** Has a driver without conditions refuse them. */
function guarded(cases: Cases): Cases {
  return Object.fromEntries(
    Object.entries(cases).map(([name, run]) => [
      name,
      async (rig: Rig) => {
        if (rig.driver.capabilities.conditions) return await run(rig);
        const { store } = rig;
        const options = { condition: { query: red, after: 0 } };
        await rejects(store.query(red), "UNSUPPORTED");
        await rejects(
          store.appendAll([{ streamId: "no", events: Noted(1) }], options),
          "UNSUPPORTED",
        );
        await lacks(rig, () => store.append("no", Noted(1), options));
        assert.equal(await store.version("no"), 0);
      },
    ]),
  );
}
