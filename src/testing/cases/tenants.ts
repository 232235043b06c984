import assert from "node:assert/strict";
import { collect } from "../../store/read.ts";
import { type Cases, dataOf, Noted, notes, rejects, type Rig, transactional } from "../rig.ts";

/** Tenants never see or touch each other's streams. */
export const tenants: Cases = {
  async "scope() separates streams of the same id by tenant"(rig) {
    const stores = scopes(rig);
    for (const [index, store] of stores.entries()) {
      const { version } = await store.append("s", notes(index + 1, 10 * index), {
        expectedVersion: "noStream",
      });
      assert.equal(version, index + 1);
    }
    for (const [index, store] of stores.entries()) {
      const events = await store.load("s");
      assert.deepEqual(
        events.map(({ version }) => version),
        notes(index + 1).map(({ data }) => data),
      );
      assert.equal(events[0]?.data, 10 * index);
      assert.equal(await store.version("s"), index + 1);
      assert.deepEqual(dataOf(await store.load("s", { backwards: true, limit: 1 })), [11 * index]);
      const error = await rejects(
        store.append("s", Noted(), { expectedVersion: 9 }),
        "CONCURRENCY",
      );
      assert.equal(error.actual, index + 1);
    }
  },

  async "scope() reads its tenant's part of the log, and an unscoped store all of it"(rig) {
    const [none, acme, other] = scopes(rig);
    await none.append("a", Noted(1));
    await acme.append("a", [Noted(2), Noted(3)]);
    await other.append("b", Noted(4));
    await none.append("b", Noted(5));
    assert.deepEqual(dataOf(await collect(acme.readAll())), [2, 3]);
    assert.deepEqual(dataOf(await collect(other.readAll())), [4]);
    const all = await collect(none.readAll());
    assert.deepEqual(dataOf(all), [1, 2, 3, 4, 5]);
    assert.deepEqual(all.map(({ tenantId }) => tenantId), ["", "acme", "acme", "ACME", ""]);
    const empty = none.scope({ tenantId: "" });
    assert.deepEqual(dataOf(await collect(empty.readAll())), [1, 5]);
    assert.deepEqual(dataOf(await collect(acme.readAll({ types: ["Noted"], limit: 1 }))), [2]);
  },

  async "scope() lists its tenant's streams only"(rig) {
    const [none, acme, other] = scopes(rig);
    await none.append("order:1", Noted());
    await acme.append("order:2", notes(2));
    await acme.append("user:1", Noted());
    for (
      const [store, names] of [
        [none, ["order:1"]],
        [acme, ["order:2"]],
        [other, []],
      ] as const
    ) {
      const streams = await store.streams({ category: "order" });
      assert.deepEqual(streams.map(({ streamId }) => streamId), names);
    }
    assert.equal((await acme.streams()).length, 2);
  },

  async "scope() deletes its tenant's stream only"(rig) {
    const stores = scopes(rig);
    const tags = ["kept"];
    for (const store of stores) await store.append("s", [Noted(0, { tags }), Noted(1, { tags })]);
    const [none, acme, other] = stores;
    await acme.delete("s");
    assert.deepEqual(await collect(acme.readAll({ tags })), []);
    assert.deepEqual(await collect(other.readAll({ tags })), await other.load("s"));
    assert.equal((await collect(none.readAll({ tags }))).length, 4);
    assert.deepEqual(await Promise.all(stores.map((store) => store.version("s"))), [2, 0, 2]);
    await none.delete("s");
    assert.deepEqual(await Promise.all(stores.map((store) => store.version("s"))), [0, 0, 2]);
    assert.deepEqual(await collect(none.readAll()), await other.load("s"));
  },

  async "scope() separates event ids by tenant"(rig) {
    const event = Noted("same", { id: "same" });
    for (const [index, store] of scopes(rig).entries()) {
      const first = await store.append(`s:${index}`, event);
      assert.equal(first.version, 1);
      assert.deepEqual(await store.append(`s:${index}`, event), first);
      await rejects(store.append("elsewhere", event), "DUPLICATE_EVENT");
      assert.equal(await store.version("elsewhere"), 0);
    }
    assert.equal((await collect(rig.store.readAll())).length, 3);
  },

  ...transactional({
    async "scope() inside a transaction reads and writes its tenant's streams only"({ store }) {
      await store.transaction(async ({ store }) => {
        const acme = store.scope({ tenantId: "acme" });
        await store.append("s", Noted(1));
        await acme.append("s", notes(2, 10), { expectedVersion: 0 });
        await acme.transaction(({ store }) => store.append("s", Noted(12), { expectedVersion: 2 }));
        assert.equal(await store.version("s"), 1);
        assert.equal(await acme.version("s"), 3);
      });
      assert.deepEqual(dataOf(await store.load("s")), [1]);
      assert.deepEqual(dataOf(await store.scope({ tenantId: "acme" }).load("s")), [10, 11, 12]);
    },
  }),
};

type Store = Rig["store"];

function scopes({ store }: Rig): readonly [Store, Store, Store] {
  return [store, store.scope({ tenantId: "acme" }), store.scope({ tenantId: "ACME" })];
}
