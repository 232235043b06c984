import assert from "node:assert/strict";
import { type Cases, dataOf, Noted, notes, range, storeOn, together } from "../rig.ts";

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

  async "schema() says what migrate() would do, and does nothing"({ driver, store }) {
    const before = await driver.schema?.();
    await driver.migrate();
    const after = await driver.schema?.();
    await store.append("a", Noted(1));
    assert.deepEqual(dataOf(await store.load("a")), [1]);
    if (before === undefined || after === undefined) return;
    assert.equal(before.version, undefined);
    assert.ok(before.statements.length > 0);
    assert.deepEqual(after, { version: before.latest, latest: before.latest, statements: [] });
  },

  async "migrate() many times concurrently makes one store"({ driver, second }) {
    const drivers = [driver, await second()];
    await together(range(1, 20).map((number) => drivers[number % 2]!.migrate()));
    const stores = drivers.map(storeOn);
    await together(stores.map((store, index) => store.append("a", Noted(index))));
    for (const store of stores) assert.equal(await store.version("a"), 2);
  },
};

/** Repairing the position of a log that is in order; damage is specific to a database and tested there. */
export const repair: Cases = {
  async "repairPosition() of an intact log changes nothing"({ driver, store }) {
    assert.equal(await driver.repairPosition(), 0);
    await store.append("a", notes(3));
    const { position } = await store.append("b", Noted(4));
    await store.delete("b");
    const head = await store.position();
    assert.equal(head, position);
    assert.equal(await driver.repairPosition(), head);
    assert.equal(await driver.repairPosition(), head);
    assert.equal(await store.position(), head);
    assert.ok((await store.append("b", Noted(5))).position > head);
  },

  async "repairPosition() many times concurrently with appends assigns no position twice"(
    { driver, store, second },
  ) {
    const other = await second();
    const repairing = range(1, 8).map((number) => (number % 2 ? driver : other).repairPosition());
    const appending = range(1, 8).map((number) => store.append(`a:${number}`, notes(2)));
    const heads = await together(repairing);
    const appended = await together(appending);
    const positions = appended.flatMap(({ events }) => events.map(({ position }) => position));
    assert.equal(new Set(positions).size, 16);
    const last = Math.max(...positions);
    const head = await driver.repairPosition();
    assert.ok(head >= last, `${head} is not before ${last}`);
    assert.ok(heads.every((earlier) => earlier <= head), `${heads} are at most ${head}`);
  },
};
