import assert from "node:assert/strict";
import type { TraceNode } from "../../store/reader.ts";
import { collect } from "../../store/read.ts";
import { inspect } from "../../inspect/inspect.ts";
import { type Cases, dataOf, lacks, Noted, notes, range, rejects, type Rig } from "../rig.ts";

/** Finding events by what no filter of the log knows: an instant, an id, or a flow. */
export const lookup: Cases = {
  async "positionAt() gives the position of the last event that was created no later"(bench) {
    const { driver, store } = bench;
    const day = (date: number) => new Date(Date.UTC(2026, 0, date));
    if (driver.probe === undefined) {
      await rejects(collect(store.readAll({ since: day(1) })), "UNSUPPORTED");
      return await lacks(bench, () => store.positionAt(day(1)));
    }
    assert.equal(await store.positionAt(day(1)), 0);
    // Two events a day, of different streams, and among them what another tenant stores.
    for (const from of [1, 11, 21, 31]) {
      const days = range(from, from + 9);
      const events = days.flatMap((date) =>
        [0, 1].map((late) => Noted(date, { createdAt: new Date(day(date).getTime() + late) }))
      );
      const tenant = from === 11 ? store.scope({ tenantId: "other" }) : store;
      await tenant.append(`s:${from}`, events);
    }
    await store.append("deleted", Noted(41, { createdAt: day(41) }));
    if (driver.capabilities.transactions) await store.delete("deleted");
    const all = await collect(store.readAll());
    const at = (date: number, late: number) => day(date).getTime() + late;
    const times = [
      at(0, 0),
      ...[-1, 0, 1].map((late) => at(19, late)),
      at(30, 9),
      at(40, 1),
      at(50, 0),
    ];
    for (const time of times) {
      const earlier = all.filter(({ createdAt }) => createdAt.getTime() <= time);
      const expected = earlier.at(-1)?.position ?? 0;
      assert.equal(await store.positionAt(new Date(time)), expected, String(time));
      const until = new Date(time);
      assert.deepEqual(await collect(store.readAll({ until })), earlier);
      const since = new Date(time + 1);
      assert.deepEqual(await collect(store.readAll({ since })), all.slice(earlier.length));
    }
    const range5 = { since: day(5), until: new Date(day(6).getTime() + 1) };
    const days = dataOf(await collect(store.scope({ tenantId: "" }).readAll(range5)));
    assert.deepEqual(days, [5, 5, 6, 6]);
    assert.deepEqual(dataOf(await collect(store.readAll({ ...range5, limit: 1 }))), [5]);
    assert.deepEqual(await collect(store.readAll({ since: day(6), until: day(5) })), []);
    assert.equal(await store.scope({ tenantId: "no" }).positionAt(day(90)), all.at(-1)!.position);
  },

  async "positionAt() ends where times do not rise"(bench) {
    const { driver, store } = bench;
    if (driver.probe === undefined) {
      return await lacks(bench, () => collect(store.readAll({ until: new Date(0) })));
    }
    const times = [5, 1, 9, 3, 3, 8, 2, 7, 4, 6];
    for (const time of times) await store.append("a", Noted(time, { createdAt: new Date(time) }));
    const all = await collect(store.readAll());
    for (const time of [0, 3, 5, 10]) {
      const position = await store.positionAt(new Date(time));
      const index = all.findIndex((event) => event.position === position);
      assert.ok(index < 0 || times[index]! <= time, `${time} is at ${index}`);
      assert.ok(index === 9 || times[index + 1]! > time, `${time} is at ${index}`);
    }
  },

  async "probe() gives the first event at or above each position"(bench) {
    const { driver, store } = bench;
    if (driver.probe === undefined) {
      return await lacks(bench, () => store.positionAt(new Date()));
    }
    assert.deepEqual(await driver.probe([1, 2]), [undefined, undefined]);
    await store.append("a", notes(3));
    const all = await collect(store.readAll());
    const last = all[2]!.position;
    const found = await driver.probe([1, ...all.map(({ position }) => position), last + 1]);
    assert.deepEqual(
      found.map((event) =>
        event && [event.position, new Date(event.createdAt).getTime(), event.type ?? "Noted"]
      ),
      [...[0, 0, 1, 2].map((index) => all[index]!), undefined].map((event) =>
        event && [event.position, event.createdAt.getTime(), event.type]
      ),
    );
  },

  async "find() gives the event of a tenant that has an id"(bench) {
    const { driver, store } = bench;
    if (driver.find === undefined) return await lacks(bench, () => inspect(store).event("a"));
    const tags = ["t"];
    const noted = Noted({ at: new Date(1) }, { id: "a", tags, metadata: { correlationId: "c" } });
    await store.append("s:1", [Noted(0), noted]);
    await store.scope({ tenantId: "x" }).append("s:2", [
      Noted(2, { id: "a" }),
      Noted(3, { id: "b" }),
    ]);
    const { events } = await driver.load(
      { tenantId: "", streamId: "s:1", from: 2, to: 2, limit: 1, backwards: false },
    );
    const found = await driver.find("", "a");
    assert.deepEqual(found, events[0]);
    assert.deepEqual((await inspect(store).event("a"))?.event, (await store.load("s:1"))[1]);
    assert.equal((await driver.find("x", "a"))!.streamId, "s:2");
    assert.equal(await driver.find("", "b"), undefined);
    assert.equal(await driver.find("", "A"), undefined);
    if (!driver.capabilities.transactions) return;
    await store.transaction(async ({ store: inner }) => {
      await inner.append("s:1", Noted(4, { id: "d" }));
      assert.equal((await inspect(inner).event("d"))?.stored.version, 3);
    });
    await store.delete("s:1");
    assert.equal(await driver.find("", "a"), undefined);
  },

  async "trace() shows each event below its cause, by position"(bench) {
    const { driver, store } = bench;
    if (driver.correlated === undefined) return await lacks(bench, () => store.trace("a"));
    const flow = (
      id: string,
      causationId: string | undefined,
      correlationId: string | undefined = "a",
    ) => Noted(id, { id, metadata: { correlationId, causationId } });
    await store.append("1", flow("a", undefined));
    await store.append("other", Noted(1, { id: "b" })); // a flow of its own
    await store.append("2", [flow("c", "a"), flow("d", "c"), flow("e", "a")]);
    await store.append("1", flow("f", "c"));
    const elsewhere = flow("g", "of another store");
    const early = flow("h", "i"); // before what it names as its cause
    const [self, late] = [flow("i", "i"), flow("j", "h")];
    await store.append("3", [elsewhere, early, self, late]);
    await store.scope({ tenantId: "other" }).append("1", flow("a", undefined));

    const found = await store.trace("a");
    assert.deepEqual(shape(found!.roots), [
      ["a", ["c", ["d"], ["f"]], ["e"]],
      ["g"],
      ["h", ["j"]],
      ["i"],
    ]);
    assert.deepEqual([found!.correlationId, found!.events, found!.complete], ["a", 9, true]);
    const [first] = await store.load("1");
    assert.deepEqual(found!.roots[0]!.event, first);

    const alone = await store.trace("b");
    assert.deepEqual(shape(alone!.roots), [["b"]]);
    assert.equal(await store.trace("c"), undefined, "c is part of a flow, and began none");
    assert.equal(await store.trace("unheard"), undefined);
    const tenant = await store.scope({ tenantId: "other" }).trace("a");
    assert.deepEqual(shape(tenant!.roots), [["a"]]);
  },

  async "trace() shows the events of a transaction inside of it"(bench) {
    const { driver, store } = bench;
    if (driver.correlated === undefined || !driver.capabilities.transactions) {
      if (driver.correlated === undefined) await lacks(bench, () => store.trace("a"));
      return;
    }
    await store.append("gone", Noted(1, { id: "a" }));
    await store.transaction(async ({ store: inner }) => {
      await inner.append("new", Noted(2, { id: "b", metadata: { correlationId: "a" } }));
      assert.deepEqual(shape((await inner.trace("a"))!.roots), [["a"], ["b"]]);
    });
    assert.equal((await store.trace("a"))!.events, 2);
  },

  async "correlated() pages through a flow by position"(bench) {
    const { driver, store } = bench;
    if (driver.correlated === undefined) return await lacks(bench, () => store.trace("a"));
    const ids = range(1, 5).map(String);
    const events = ids.map((id) => Noted(id, { id, metadata: { correlationId: "1" } }));
    await store.append("a", events.slice(0, 3));
    await store.append("b", events.slice(3));
    for (const limit of [1, 2, 5, 9]) {
      assert.deepEqual(await pages(driver, limit), ids, String(limit));
    }
  },
};

async function pages({ correlated }: Rig["driver"], limit: number): Promise<readonly string[]> {
  const ids: string[] = [];
  for (let [after, more] = [0, true]; more;) {
    const page = await correlated!({ tenantId: "", correlationId: "1", after, limit });
    ids.push(...page.events.map(({ id }) => id));
    after = page.events.at(-1)?.position ?? after;
    more = page.more;
  }
  return ids;
}

/** A tree as nested lists: an id, and the trees below it. */
type Tree = readonly [id: string, ...Tree[]];

function shape(nodes: readonly TraceNode[]): readonly Tree[] {
  return nodes.map(({ event, effects }): Tree => [event.id, ...shape(effects)]);
}
