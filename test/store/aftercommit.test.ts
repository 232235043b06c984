import assert from "node:assert/strict";
import { test } from "node:test";
import { memory } from "../../drivers/memory/mod.ts";
import { EventStore, type EventStoreOptions } from "../../mod.ts";
import { events, Paid, Placed, Sent } from "../support/shop.ts";

type Options = Pick<EventStoreOptions<never, undefined>, "onError">;

/** A store with a handler that notes what it is called for after the commit. */
function setUp(options: Options = {}, fail: (type: string) => void = () => {}) {
  const called: string[] = [];
  const store = new EventStore(memory(), {
    events,
    ...options,
    subscriptions: [
      {
        types: ["Paid", "Sent"],
        afterCommit: true,
        handler: ({ type, version }) => {
          called.push(`${type} ${version}`);
          fail(type);
        },
      },
      {
        types: ["Sent"],
        handler: ({ tags }) => {
          if (tags.includes("refused")) throw new Error("refused");
        },
      },
    ],
  });
  return { store, called };
}

const refused = () => Sent(undefined, { tags: ["refused"] });

test("append() has called an afterCommit handler when it resolves", async () => {
  const { store, called } = setUp();
  await store.append("a", [Placed({ sku: "a" }), Paid()]);
  await store.append("a", Sent());
  assert.deepEqual(called, ["Paid 2", "Sent 3"]);
});

test("append() calls an afterCommit handler when what it was called for can be read", async () => {
  const versions: number[] = [];
  const store = new EventStore(memory(), {
    events,
    subscriptions: [{
      afterCommit: true,
      handler: async ({ streamId }, context) => {
        versions.push(await store.version(streamId), await context.store.version(streamId));
      },
    }],
  });
  await store.append("a", Paid());
  await store.transaction(async ({ store }) => void await store.append("a", [Paid(), Paid()]));
  assert.deepEqual(versions, [1, 1, 3, 3, 3, 3]);
});

test("append() does not call an afterCommit handler when nothing was stored", async () => {
  const { store, called } = setUp();
  await assert.rejects(store.append("a", [Paid(), refused()]), { message: "refused" });
  await assert.rejects(store.append("a", Paid(), { expectedVersion: 5 }));
  assert.deepEqual(called, []);
});

test("transaction() calls afterCommit handlers after its own commit", async () => {
  const { store, called } = setUp();
  await store.transaction(async ({ store }) => {
    await store.append("a", Paid());
    await store.transaction(async ({ store }) => {
      await store.append("a", Sent());
    });
    assert.deepEqual(called, []);
  });
  assert.deepEqual(called, ["Paid 1", "Sent 2"]);
});

test("transaction() calls no afterCommit handler when it is rolled back", async () => {
  const { store, called } = setUp();
  const work = store.transaction(async ({ store }) => {
    await store.append("a", [Paid(), Sent()]);
    throw new Error("no");
  });
  await assert.rejects(work, { message: "no" });
  assert.deepEqual(called, []);
  await store.append("a", Sent());
  assert.deepEqual(called, ["Sent 1"]);
});

test("transaction() calls no afterCommit handler for a savepoint that was rolled back", async () => {
  const { store, called } = setUp();
  await store.transaction(async ({ store }) => {
    await store.append("a", Paid());
    await assert.rejects(store.append("a", [Paid(), refused()]));
    const inner = store.transaction(async ({ store }) => {
      await store.append("a", Sent());
      throw new Error("no");
    });
    await assert.rejects(inner, { message: "no" });
  });
  assert.deepEqual(called, ["Paid 1"]);
});

test("append() tells onError what an afterCommit handler threw, and succeeds", async () => {
  const told: unknown[] = [];
  const error = new Error("no mail today");
  const { store, called } = setUp({ onError: (error) => void told.push(error) }, (type) => {
    if (type === "Paid") throw error;
  });
  assert.equal((await store.append("a", [Paid(), Sent()])).version, 2);
  assert.deepEqual([told, called], [[error], ["Paid 1", "Sent 2"]]);
  assert.equal(await store.version("a"), 2);
});

test("append() succeeds when onError throws or rejects", async (context) => {
  const printed = context.mock.method(console, "error", () => {});
  const fail = () => assert.fail("no mail today");
  for (const onError of [() => assert.fail("none"), () => Promise.reject(new Error("none"))]) {
    const { store, called } = setUp({ onError }, fail);
    assert.equal((await store.append("a", [Paid(), Sent()])).version, 2);
    assert.equal(called.length, 2);
  }
  assert.equal(printed.mock.callCount(), 4);
});

test("append() prints what an afterCommit handler threw when there is no onError", async (context) => {
  const printed = context.mock.method(console, "error", () => {});
  const { store } = setUp({}, () => assert.fail("no mail today"));
  await store.append("a", Paid());
  assert.match(String(printed.mock.calls[0]?.arguments[0]), /no mail today/);
});

test("append() through an afterCommit handler's store carries the cause", async () => {
  const store = new EventStore(memory(), {
    events,
    subscriptions: [{
      types: ["Paid"],
      afterCommit: true,
      handler: async (_event, { store }) => void await store.append("b", Sent()),
    }],
  });
  const { events: [paid] } = await store.append("a", Paid());
  const [sent] = await store.load("b");
  assert.deepEqual(sent?.metadata, { correlationId: paid.id, causationId: paid.id });
});

test("using() calls afterCommit handlers when it is told of the commit, once", async () => {
  const { store, called } = setUp();
  const bound = store.using(undefined);
  await bound.append("a", Paid());
  await bound.scope({ metadata: { user: "u" } }).append("a", Sent());
  await bound.transaction(async ({ store }) => void await store.append("a", Paid()));
  assert.deepEqual(called, []);
  await bound.committed();
  assert.deepEqual(called, ["Paid 1", "Sent 2", "Paid 3"]);
  await bound.committed();
  assert.equal(called.length, 3);
});

test("using() calls no afterCommit handler when it is told of no commit", async () => {
  const { store, called } = setUp();
  await store.using(undefined).append("a", Paid());
  await store.using(undefined).committed();
  await store.append("b", Sent());
  assert.deepEqual(called, ["Sent 1"]);
});
