import assert from "node:assert/strict";
import { collect } from "../../store/read.ts";
import { type Cases, dataOf, lacks, Noted, notes, range, rejects } from "../rig.ts";

/** Finding positions by time. */
export const time: Cases = {
  async "positionAt() gives the position of the last event that was created no later"(bench) {
    const { driver, store } = bench;
    const day = (date: number) => new Date(Date.UTC(2026, 0, date));
    if (driver.probe === undefined) {
      await rejects(collect(store.readAll({ since: day(1) })), "UNSUPPORTED");
      return await lacks(bench, () => store.positionAt(day(1)));
    }
    assert.equal(await store.positionAt(day(1)), 0);
    // Two events a day, of different streams, and among them what another tenant stores.
    for (const date of range(1, 40)) {
      const createdAt = day(date);
      await store.append("a", Noted(date, { createdAt }));
      const tenant = date % 2 === 0 ? store : store.scope({ tenantId: "other" });
      await tenant.append("b", Noted(date, { createdAt: new Date(createdAt.getTime() + 1) }));
    }
    await store.append("deleted", Noted(41, { createdAt: day(41) }));
    if (driver.capabilities.transactions) await store.delete("deleted");
    const all = await collect(store.readAll());
    const times = [0, 1, 2, 3, 7, 19.5, 20, 39, 40, 50].flatMap((date) =>
      [-1, 0, 1].map((off) => day(date).getTime() + off)
    );
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
    assert.deepEqual(days, [5, 6, 6]);
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
    for (const time of range(0, 10)) {
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
      found.map((event) => event && [event.position, new Date(event.createdAt).getTime()]),
      [...[0, 0, 1, 2].map((index) => all[index]!), undefined].map((event) =>
        event && [event.position, event.createdAt.getTime()]
      ),
    );
  },
};
