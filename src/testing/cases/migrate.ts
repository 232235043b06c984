import assert from "node:assert/strict";
import { type Cases, dataOf, Noted, range, storeOn, together } from "../rig.ts";

/** Creating the tables; these cases receive a store that the contract has not migrated. */
export const migrate: Cases = {
  async "migrate() again keeps what is stored"({ driver, store }) {
    await driver.migrate();
    await store.append("a", Noted(1));
    await driver.migrate();
    await driver.migrate();
    await store.append("a", Noted(2), { expectedVersion: 1 });
    assert.deepEqual(dataOf(await store.load("a")), [1, 2]);
  },

  async "migrate() many times concurrently makes one store"({ driver, second }) {
    const drivers = [driver, await second()];
    await together(range(1, 20).map((number) => drivers[number % 2]!.migrate()));
    const stores = drivers.map(storeOn);
    await together(stores.map((store, index) => store.append("a", Noted(index))));
    for (const store of stores) assert.equal(await store.version("a"), 2);
  },
};
