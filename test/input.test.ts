import {
  type Driver,
  EventStore,
  isEventSourceryError,
  Outbox,
  Projection,
  Subscription,
} from "event-sourcery";
import { libsql } from "event-sourcery/libsql";
import { memory } from "event-sourcery/memory";
import { postgres } from "event-sourcery/postgres";
import assert from "node:assert/strict";
import { after, test } from "node:test";
import { refusals as consuming } from "./support/consuming.ts";
import { libsqlHandles, postgresHandlesOn } from "./support/handles.ts";
import { event, Noted, refusals, secret, type Store } from "./support/refusals.ts";
import { shared } from "./support/shared.ts";
import { all } from "./support/shop.ts";

const timeout = 60_000;
const inMemory = () => new EventStore(memory(), { events: [Noted] });

const hostile = [
  "'; drop table events; --",
  '"',
  "%",
  "_",
  "\\",
  "\n",
  "\u0001",
  "$1",
  "{}",
  "\u{1f600}",
];

/** One call of everything that asks the database. */
const uses: readonly ((store: Store) => unknown)[] = [
  (store) => store.append(secret, event()),
  (store) => store.publish(secret, [event(), event()], { expectedVersion: 0 }),
  (store) => store.load(secret),
  (store) => all(store.readAll({ tags: [secret] })),
  (store) => store.streams({ category: secret }),
  (store) => store.version(secret),
  (store) => store.position(),
  (store) => store.delete(secret),
  (store) => store.transaction(({ store }) => store.append(secret, event())),
  (store) => new Outbox(store, { publisher() {} }).runOnce(),
  (store) => new Outbox(store, { publisher() {} }).status(),
  (store) => new Outbox(store, { publisher() {} }).redrive(),
];

check("memory", async () => memory());

for (const handle of postgresHandlesOn("embedded")) {
  const { open, close } = shared(handle);
  after(close);
  let schemas = 0;
  check(handle.name, async () => postgres((await open()).db, { schema: `s${++schemas}` }));
}

for (const handle of libsqlHandles) {
  const { open, close } = shared(handle);
  after(close);
  let prefixes = 0;
  check(handle.name, async () => {
    const { db, prefix } = await open();
    return libsql(db, { prefix: `${prefix}${++prefixes}_` });
  });
}

test("append() refuses an event whose own fields throw, and stores nothing", async () => {
  const store = inMemory();
  for (const key of ["type", "id", "createdAt", "data", "metadata", "tags"]) {
    const bad = Object.defineProperty({ ...event() }, key, {
      get: () => {
        throw new Error(secret);
      },
      enumerable: true,
    });
    await assert.rejects(store.append("a", bad), (error: unknown) => {
      assert(isEventSourceryError(error, "INVALID_EVENT"));
      return !error.message.includes(secret);
    });
  }
  const { proxy, revoke } = Proxy.revocable(event(), {});
  revoke();
  await assert.rejects(store.append("a", proxy), TypeError);
  assert.deepEqual(await store.streams(), []);
});

test("append() refuses what the store's own functions answer wrongly, and stores nothing", async () => {
  const options = [
    [{ clock: () => Date.now() as never }, TypeError],
    [{ clock: () => new Date(NaN) }, RangeError],
    [{ generateId: () => "" }, RangeError],
    [{ generateId: () => 5 as never }, TypeError],
    [{ publishes: () => "yes" as never }, TypeError],
    [{ publishes: (async () => false) as never }, TypeError],
  ] as const;
  for (const [option, kind] of options) {
    const store = new EventStore(memory(), { events: [Noted], ...option });
    await assert.rejects(store.append("a", event()), kind);
    assert.deepEqual(await store.streams(), []);
  }
  const wrong = () => new EventStore(memory(), { events: [Noted], publishes: "yes" as never });
  assert.throws(wrong, TypeError);
});

test("append() takes no options for none", async () => {
  assert.equal((await inMemory().append("a", event(), undefined)).version, 1);
  assert.equal((await inMemory().append("a", event(), null as never)).version, 1);
  assert.equal((await inMemory().append("a", event(), {})).version, 1);
});

/** @param open Gives a driver on an empty place of its own, which is not migrated yet. */
function check(name: string, open: () => Promise<Driver>): void {
  const title = `${name}: everything refuses bad input with a clear error, and sends nothing`;
  test(title, { timeout }, async () => {
    const driver = await open();
    await driver.migrate();
    for (const [index, [use, name, word]] of [...refusals, ...consuming].entries()) {
      const store = new EventStore(driver, { events: [Noted] });
      const shown = `${index}: ${use} with ${name} and ${word}`;
      const error = await caught(() => use(store), shown);
      if (isEventSourceryError(error)) assert.equal(error.code, name, shown);
      else assert.equal(error.name, name, `${shown}: ${error}`);
      assert(error.message.includes(word), `${shown}: ${error.message}`);
      const oracle = await caught(() => use(inMemory()), shown);
      assert.equal(error.message, oracle.message, shown);
    }
    for (const name of ["reader", "outbox"]) {
      const known = await driver.checkpoints!.lanes({ scope: "all", name, version: 1 });
      assert.deepEqual(known, []);
    }
    const store = new EventStore(driver, { events: [Noted] });
    assert.deepEqual(await store.streams(), []);
    // No position was given to what was refused, either.
    assert.equal((await store.append("a", event())).position, 1);
  });

  test(`${name}: everything takes hostile but well-formed names`, { timeout }, async () => {
    const driver = await open();
    await driver.migrate();
    const store = new EventStore(driver, { events: [Noted] });
    for (const name of hostile) {
      const tagged = Noted(name, { id: name, tags: [name], metadata: { correlationId: name } });
      await store.scope({ tenantId: name }).append(name, tagged);
      await store.append(name, tagged);
      const [loaded] = await store.load(name);
      assert.deepEqual([loaded?.id, loaded?.data, loaded?.tags], [name, name, [name]]);
      assert.equal((await all(store.readAll({ tags: [name] }))).length, 2);
    }
    assert.deepEqual(
      (await store.streams()).map(({ streamId }) => streamId).toSorted(),
      hostile.toSorted(),
    );
  });

  test(`${name}: consumers take hostile but well-formed names`, { timeout }, async () => {
    const driver = await open();
    await driver.migrate();
    const store = new EventStore(driver, { events: [Noted] });
    for (const name of hostile) await store.scope({ tenantId: name }).append(name, Noted(name));
    for (const name of hostile) {
      const consumer = new Subscription(store, {
        name,
        retry: { attempts: 1 },
        handler({ streamId }) {
          if (streamId === name) throw new Error(name);
        },
      });
      const { handled, position } = await consumer.runOnce();
      assert.deepEqual([handled, position], [hostile.length - 1, hostile.length], name);
      const [parked, ...others] = await consumer.parked();
      assert.deepEqual([parked?.tenantId, parked?.streamId, others], [name, name, []]);
      assert.equal(await consumer.redrive(name), 1, name);
      assert.equal(await consumer.discard({ tenantId: name, streamId: name }), true, name);
      await consumer.runOnce();
      assert.deepEqual(await consumer.parked(), [], name);
    }
  });

  test(`${name}: everything takes the largest numbers that it allows`, { timeout }, async () => {
    const driver = await open();
    await driver.migrate();
    const store = new EventStore(driver, { events: [Noted] });
    await store.append("a", event());
    const [large, larger] = [2 ** 31 - 1, 2 ** 53 - 1];
    const shared = {
      batchSize: larger,
      lease: large,
      timeout: large,
      retry: { attempts: larger, minDelay: larger, maxDelay: larger },
    };
    for (const transaction of [false, true]) {
      const consumer = new Subscription(store, {
        ...shared,
        name: `transaction: ${transaction}`,
        transaction,
        concurrency: transaction ? 1 : larger,
        // Longer than the millisecond that a timer takes a time for which is too long.
        handler: () => new Promise<void>((resolve) => setTimeout(resolve, 5)),
      });
      assert.deepEqual(await consumer.runOnce(), { handled: 1, failed: 0, parked: 0, position: 1 });
      await consumer.relane(1024);
      await consumer.waitFor(1);
    }
    let handled = 0;
    const handlers = { Noted: () => void handled++ };
    await new Projection(store, { ...shared, name: "model", version: large, handlers }).runOnce();
    assert.equal(handled, 1);
    assert.deepEqual(await store.load("a", { from: larger, to: larger, limit: larger }), []);
    assert.deepEqual(await all(store.readAll({ after: larger, limit: larger })), []);
    const expecting = store.append("a", event(), { expectedVersion: larger });
    await assert.rejects(expecting, { code: "CONCURRENCY", actual: 1 });
  });

  if (name === "memory") return; // has no tables

  test(
    `${name}: everything says that the tables are missing, and no more`,
    { timeout },
    async () => {
      const store = new EventStore(await open(), { events: [Noted] });
      for (const use of uses) {
        const error = await caught(() => use(store), String(use));
        assert(isEventSourceryError(error, "MISSING_SCHEMA"), `${use}: ${error}`);
      }
    },
  );
}

/** What something throws: an error with a short message, without the secret. */
async function caught(use: () => unknown, shown: string): Promise<Error> {
  try {
    await use();
  } catch (error) {
    assert(error instanceof Error, shown);
    assert(!error.message.includes(secret), `${shown}: ${error.message}`);
    assert(error.message.length < 500, shown);
    return error;
  }
  throw new assert.AssertionError({ message: `${shown}: nothing was thrown` });
}
