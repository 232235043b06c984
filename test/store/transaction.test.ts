import assert from "node:assert/strict";
import { test } from "node:test";
import { memory } from "../../drivers/memory/mod.ts";
import { EventStore } from "../../mod.ts";
import { all, events, many, Paid, Sent, shop, types } from "../support/shop.ts";

test("transaction() commits all of its appends together, and returns what the work returned", async () => {
  const store = shop();
  const version = await store.transaction(async ({ store: inner }) => {
    await inner.append("a", Paid());
    await inner.append("b", Paid());
    assert.deepEqual([await inner.version("a"), await store.version("a")], [1, 0]);
    return (await inner.append("a", Sent())).version;
  });
  assert.equal(version, 2);
  assert.deepEqual([await store.version("a"), await store.version("b")], [2, 1]);
});

test("transaction() takes synchronous work", async () => {
  assert.equal(await shop().transaction(() => 5), 5);
});

test("transaction() stores nothing when the work throws", async () => {
  const store = shop();
  const error = new Error("no");
  const work = store.transaction(async ({ store }) => {
    await store.append("a", Paid());
    throw error;
  });
  await assert.rejects(work, (caught) => caught === error);
  assert.deepEqual([await store.version("a"), (await all(store.readAll())).length], [0, 0]);
  const atOnce = store.transaction(() => {
    throw error;
  });
  await assert.rejects(atOnce, (caught) => caught === error);
});

test("transaction() gives the driver's database handle", async () => {
  const db = { name: "db" };
  const store = new EventStore(memory({ db }), { events });
  assert.equal(await store.transaction(({ db }) => db), db);
});

test("transaction() goes on after a conflict that was caught, and keeps no part of it", async () => {
  const store = shop();
  await store.append("a", many(2));
  await store.transaction(async ({ store }) => {
    await store.append("b", Paid());
    for (const expectedVersion of [0, 1, 5, "noStream"] as const) {
      await assert.rejects(store.append("a", many(3), { expectedVersion }), {
        code: "CONCURRENCY",
        actual: 2,
        transactionAborted: false,
      });
    }
    const both = [
      { streamId: "b", events: many(2) },
      { streamId: "a", events: many(2), expectedVersion: 0 },
    ] as const;
    await assert.rejects(store.appendAll(both), { code: "CONCURRENCY" });
    await store.append("b", Sent());
  });
  assert.deepEqual([await store.version("a"), await store.version("b")], [2, 2]);
});

test("transaction() inside another is a savepoint", async () => {
  const store = shop();
  await store.transaction(async ({ store }) => {
    await store.append("a", Paid());
    const inner = store.transaction(async ({ store }) => {
      await store.append("a", Sent());
      await store.delete("a");
      await store.append("b", Sent());
      throw new Error("no");
    });
    await assert.rejects(inner, { message: "no" });
    await store.transaction(async ({ store }) => void await store.append("a", Paid()));
  });
  assert.deepEqual(types(await store.load("a")), ["Paid", "Paid"]);
  assert.equal(await store.version("b"), 0);
});

test("transaction() rolls back savepoints that were kept when it throws itself", async () => {
  const store = shop();
  const work = store.transaction(async ({ store }) => {
    await store.transaction(async ({ store }) => void await store.append("a", Paid()));
    throw new Error("no");
  });
  await assert.rejects(work, { message: "no" });
  assert.equal(await store.version("a"), 0);
});

test("transaction() lets concurrent appends run one after the other", async () => {
  const store = new EventStore(memory(), { events, subscriptions: { "*": [async () => {}] } });
  await store.transaction(async ({ store }) => {
    await Promise.all(Array.from({ length: 5 }, () => store.append("a", many(2))));
  });
  const versions = (await store.load("a")).map(({ version }) => version);
  assert.deepEqual(versions, [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
});

test("transaction() throws BusyError when the work waits for the outer store", async () => {
  const outer = shop(memory({ busyTimeout: 5 }));
  const work = outer.transaction(async () => void await outer.append("a", Paid()));
  await assert.rejects(work, {
    code: "BUSY",
    retryable: true,
    message: /use the "store" that was/,
  });
  assert.equal((await outer.append("a", Paid())).version, 1);
});

test("a store refuses everything when its transaction has ended", async () => {
  const outer = shop();
  let ended = outer;
  let savepoint = outer;
  await outer.transaction(async ({ store }) => {
    ended = store;
    await store.transaction(async ({ store }) => {
      savepoint = store;
      await store.append("a", Paid());
    });
    await assert.rejects(savepoint.append("a", Paid()), TypeError);
  });
  const failed = outer.transaction(({ store }) => {
    savepoint = store;
    throw new Error("no");
  });
  await assert.rejects(failed, { message: "no" });
  const message = /^store must not be used after its transaction has ended/;
  for (const store of [ended, savepoint, ended.scope({ tenantId: "t" })]) {
    const uses: (() => Promise<unknown>)[] = [
      () => store.append("a", Paid()),
      () => store.publish("a", Paid()),
      () => store.appendAll([{ streamId: "a", events: Paid() }]),
      () => store.load("a"),
      () => all(store.read("a")),
      () => all(store.readAll()),
      () => store.fold("a", 0, () => 0),
      () => store.version("a"),
      () => store.position(),
      async () => await store.streams(),
      () => store.delete("a"),
      () => store.transaction(() => {}),
    ];
    for (const use of uses) await assert.rejects(use, { name: "TypeError", message });
  }
  assert.equal(await outer.version("a"), 1);
});

test("a handler's store refuses everything when the append has ended", async () => {
  let kept: { append(streamId: string, event: ReturnType<typeof Paid>): Promise<unknown> };
  const store = new EventStore(memory(), {
    events,
    subscriptions: { Paid: [(_event, { store }) => void (kept = store)] },
  });
  await store.append("a", Paid());
  await assert.rejects(() => kept.append("a", Paid()), TypeError);
});

test("using() gives the same store, which works after the caller's rollback", async () => {
  const store = shop();
  const bound = store.using(undefined);
  await bound.append("a", Paid());
  assert.equal(await bound.version("a"), 1);
  assert.equal((await store.append("b", Paid())).version, 1);
});

test("delete() inside a transaction vanishes with it", async () => {
  const store = shop();
  const first = Paid();
  await store.append("a", [first, Paid()]);
  const work = store.transaction(async ({ store }) => {
    await store.delete("a");
    assert.equal(await store.version("a"), 0);
    assert.equal((await store.append("a", first)).version, 1);
    throw new Error("no");
  });
  await assert.rejects(work, { message: "no" });
  assert.equal(await store.version("a"), 2);
});
