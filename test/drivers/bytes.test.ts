// A page ends by its bytes too: a thousand large events would be a text longer than a database or an engine can hold.
import {
  defineEvent,
  type Driver,
  EventStore,
  type StreamQuery,
  Subscription,
} from "event-sourcery";
import { libsql } from "event-sourcery/libsql";
import { postgres } from "event-sourcery/postgres";
import assert from "node:assert/strict";
import { test } from "node:test";
import { type Handle, libsqlHandles, type Opened, postgresHandles } from "../support/handles.ts";
import { all } from "../support/shop.ts";

const Saved = defineEvent<{ readonly number: number; readonly html: string }>()("Saved");
const html = "é".repeat(350 * 1024);
const count = 12;
const numbers = Array.from({ length: count }, (_, index) => index + 1);
/** As many as fit into 2 MB. */
const held = 2;

for (const handle of postgresHandles) check(handle, ({ db }) => postgres(db));
for (const handle of libsqlHandles) check(handle, ({ db, prefix }) => libsql(db, { prefix }));

function check<Db>(handle: Handle<Db>, driverOf: (opened: Opened<Db>) => Driver): void {
  test(`${handle.name}: a page of events of 700 KB ends early, and nothing is lost`, {
    timeout: 120_000,
  }, async () => {
    const opened = await handle.open();
    try {
      const driver = driverOf(opened);
      await driver.migrate();
      const store = new EventStore(driver, { events: [Saved] });
      for (const number of numbers) await store.append("page:1", Saved({ number, html }));
      // One alone may have more than a page holds.
      for (const size of [1, 2, 3_000_000, 1]) {
        await store.append("page:2", Saved({ number: 0, html: "x".repeat(size) }));
      }

      const stream = { tenantId: "", streamId: "page:1", from: 1, to: 1000, limit: 1000 };
      for (const backwards of [false, true]) {
        const { events, more } = await driver.load({ ...stream, backwards });
        assert.deepEqual([events.length, more], [held, true]);
        const last = await driver.load({ ...stream, from: 11, to: 12, backwards });
        assert.deepEqual([last.events.length, last.more], [2, false]);
        const one = await driver.load({ ...stream, limit: 1, backwards });
        const large = { ...stream, streamId: "page:2", backwards };
        assert.deepEqual(await pageLengths(driver, large), backwards ? [1, 1, 2] : [2, 1, 1]);
        assert.deepEqual([one.events.length, one.more], [1, true]);
      }
      const filters = { tenantId: undefined, categories: undefined, types: undefined };
      const until = await driver.settled();
      const log = { ...filters, tags: undefined, after: 0, until, limit: 1000 };
      const page = await driver.scan(log);
      assert.equal(page.events.length, held);
      assert.equal(page.scanned, page.events.at(-1)!.position);

      const numbersOf = (events: readonly { data: { number: number } }[]) =>
        events.map(({ data }) => data.number);
      assert.deepEqual(numbersOf(await store.load("page:1")), numbers);
      assert.deepEqual(
        numbersOf(await store.load("page:1", { backwards: true, limit: 9 })),
        numbers.toReversed().slice(0, 9),
      );
      const newest = await all(store.readAll({ backwards: true }));
      assert.deepEqual(numbersOf(newest).filter(Boolean), numbers.toReversed());
      assert.equal(await store.fold("page:1", 0, (sum, { data }) => sum + data.number), 78);
      const handled: number[] = [];
      const handler = ({ data }: { data: { number: number } }) => void handled.push(data.number);
      await new Subscription(store, { name: "reader", handler }).runOnce();
      assert.deepEqual(handled.filter(Boolean), numbers);
    } finally {
      await opened.close();
    }
  });
}

/** How many events each page of a stream holds, the next asked for after the last. */
async function pageLengths(driver: Driver, query: StreamQuery): Promise<readonly number[]> {
  const { events, more } = await driver.load(query);
  if (!more) return [events.length];
  const { version } = events.at(-1)!;
  const rest = query.backwards ? { to: version - 1 } : { from: version + 1 };
  return [events.length, ...await pageLengths(driver, { ...query, ...rest })];
}

test("postgres() takes a schema of at most 63 bytes", async () => {
  const [{ open }] = [postgresHandles[0]!];
  const { db, close } = await open();
  try {
    postgres(db, { schema: "é".repeat(31) });
    for (const schema of ["é".repeat(32), "x".repeat(64), "", "\ud800"]) {
      assert.throws(() => postgres(db, { schema }), { name: "TypeError", message: /63 bytes/ });
    }
  } finally {
    await close();
  }
});
