import { defineEvent, EventStore, type RecordedEvent, Subscription } from "event-sourcery";
import { postgres } from "event-sourcery/postgres";
import { driverContract } from "event-sourcery/testing";
import { drizzle } from "drizzle-orm/postgres-js";
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import client from "postgres";
import { createDatabase, type Database, postgresUrl } from "../support/postgres.ts";

const Noted = defineEvent<number>()("Noted");
const timeout = 60_000;
const role = `without_locks_${crypto.randomUUID().slice(0, 8)}`;
const options = { max: 10, onnotice: () => {} };

let database: Database;
let owner: ReturnType<typeof client>;
let first: ReturnType<typeof client>;
let second: ReturnType<typeof client>;
let schemas = 0;

// A database in which a role may not take advisory locks, as in those that have none.
before(async () => {
  database = await createDatabase("embedded");
  owner = client(database.url, options);
  await owner.unsafe(
    `revoke execute on function pg_advisory_xact_lock_shared(int, int), pg_advisory_xact_lock(bigint) from public;
    create role ${role} login; do $$ begin execute format('grant create on database %I to ${role}', current_database()); end $$`,
  );
  const url = new URL(database.url);
  url.username = role;
  [first, second] = [client(url.href, options), client(url.href, options)];
});

after(async () => {
  await Promise.all([owner, first, second].map((one) => one.end({ timeout: 1 })));
  await database.drop();
  const admin = client(await postgresUrl(), options);
  await admin.unsafe(`drop role ${role}`);
  await admin.end({ timeout: 1 });
});

const cases = driverContract(async () => {
  const schema = `case_${++schemas}`;
  const db = drizzle(first);
  return {
    driver: postgres(db, { schema }),
    another: () => postgres(drizzle(second), { schema }),
    begin: (work) => db.transaction(work),
  };
});
// What names, values and checkpoints are stored as has nothing to do with the fence.
const fenced =
  /^(append|readAll|position|transaction|using|delete|migrate|repairPosition|a transactional|an inline|of 16|query|a match)\b.*/;
for (const { name, run } of cases.filter(({ name }) => fenced.test(name))) {
  test(`without advisory locks: ${name}`, { timeout }, run);
}

test("migrate() makes the fence serial without advisory locks, and everybody keeps to it", {
  timeout,
}, async () => {
  const driver = postgres(drizzle(first), { schema: "told" });
  await driver.migrate();
  assert.equal(driver.capabilities.appends, "serial");
  const store = new EventStore(driver, { events: [Noted] });
  const allowed = postgres(drizzle(owner), { schema: "told" });
  const other = new EventStore(allowed, { events: [Noted] });
  await store.transaction(async ({ store: inside }) => {
    await inside.append("a", [Noted(1), Noted(2)]);
    assert.equal(await inside.position(), 0);
    assert.equal(await store.position(), 0);
    const behind = new EventStore(postgres(drizzle(owner), { schema: "told", busyTimeout: 50 }), {
      events: [Noted],
    });
    await assert.rejects(behind.append("b", Noted(1)), { code: "BUSY" });
  });
  assert.equal(await other.position(), 2); // what was refused as busy took no position
  assert.equal(allowed.capabilities.appends, "serial");
  await other.append("b", Noted(3));
  await other.delete("b");
  assert.equal(await store.position(), 3);
  await allowed.migrate();
  assert.equal((await store.append("b", Noted(4))).version, 1);
});

test("readAll() sees every committed event once, in order, without advisory locks", {
  timeout,
}, async () => {
  const [here, there] = await Promise.all([first, second].map(async (one) => {
    const driver = postgres(drizzle(one), { schema: "log" });
    await driver.migrate();
    return new EventStore(driver, { events: [Noted] });
  }));
  const seen: RecordedEvent[] = [];
  let open = true;
  const read = async () => {
    for (let last = false; !last;) {
      last = !open;
      const settled = await there!.position();
      assert.ok(settled >= (seen.at(-1)?.position ?? 0));
      for await (const event of there!.readAll({ after: seen.at(-1)?.position ?? 0 })) {
        seen.push(event);
      }
    }
  };
  const write = async (writer: number) => {
    for (let round = 0; round < 12; round++) {
      await here!.transaction(async ({ store, db }) => {
        await store.append(`own:${writer}`, [Noted(round), Noted(round)]);
        await store.append("shared", Noted(writer));
        await db.execute(`select pg_sleep(${((writer * 7 + round * 3) % 5) / 1000})`);
        await store.append(`own:${writer}`, Noted(round));
        if ((writer + round) % 4 === 0) throw new Error("rolled back");
      }).catch((error: Error) => assert.equal(error.message, "rolled back"));
      await there!.append(`alone:${writer}`, Noted(round));
    }
  };
  const reading = read();
  await Promise.all(Array.from({ length: 6 }, (_, writer) => write(writer)));
  open = false;
  await reading;
  const stored = await owner`select position from log.events order by position`;
  assert.equal(stored.length, 6 * 12 + 6 * 9 * 4);
  assert.deepEqual(
    seen.map(({ position }) => position),
    stored.map((row) => Number(row["position"])),
  );
});

test("positions are given and committed in one order where sessions cache values of the sequence", {
  timeout,
}, async () => {
  const schema = "cached";
  const clients = Array.from({ length: 3 }, () => client(database.url, { ...options, max: 1 }));
  const url = new URL(database.url);
  url.username = role;
  const maker = client(url.href, options);
  try {
    await postgres(drizzle(maker), { schema }).migrate();
    await maker.unsafe(`alter sequence ${schema}.position cache 100`);
    await owner.unsafe(`select nextval('${schema}.position')`); // one that has cached values already
    const stores = clients.map((one) =>
      new EventStore(postgres(drizzle(one), { schema, notify: false }), { events: [Noted] })
    );
    const handled: number[] = [];
    const reader = new Subscription(stores[0]!, {
      name: "reader",
      handler: ({ position }) => void handled.push(position),
    });
    for (let round = 0; round < 3; round++) {
      for (const store of stores) {
        await store.append(`a:${stores.indexOf(store)}`, Noted(round));
        await reader.runOnce();
        await store.appendAll([
          { streamId: "both", events: Noted(round), expectedVersion: "any" },
          { streamId: "many", events: [Noted(round), Noted(round)], expectedVersion: "any" },
        ]);
        await reader.runOnce();
      }
    }
    const stored = await owner<{ position: string }[]>`select position from cached.events`;
    assert.deepEqual(handled, stored.map(({ position }) => Number(position)), "in commit order");
    assert.deepEqual(handled, Array.from({ length: 36 }, (_, index) => index + 1));
    assert.equal(await stores[1]!.position(), 36);
  } finally {
    await Promise.all([...clients, maker].map((one) => one.end({ timeout: 1 })));
  }
});

test("positions have no gaps, whatever was rolled back or refused", { timeout }, async () => {
  const driver = postgres(drizzle(first), { schema: "gapless" });
  await driver.migrate();
  const store = new EventStore(driver, { events: [Noted] });
  const write = async (writer: number) => {
    for (let round = 0; round < 8; round++) {
      await store.transaction(async ({ store }) => {
        const settled = await store.position();
        await store.append(`own:${writer}`, [Noted(round), Noted(round)]);
        const undone = store.transaction(async ({ store }) => {
          await store.append(`undone:${writer}`, [Noted(round), Noted(round)]);
          throw new Error("rolled back");
        });
        await assert.rejects(undone, /rolled back/);
        const refused = store.append("none", Noted(round), { expectedVersion: 9 });
        await assert.rejects(refused, { code: "CONCURRENCY" });
        await store.append("shared", Noted(writer));
        assert.ok(await store.position() >= settled);
        for await (const { streamId } of store.readAll({ after: settled })) {
          assert.notEqual(streamId, `own:${writer}`, "a transaction's own events are not settled");
        }
        if ((writer + round) % 3 === 0) throw new Error("rolled back");
      }).catch((error: Error) => assert.equal(error.message, "rolled back"));
      await store.append("shared", Noted(writer));
    }
  };
  await Promise.all(Array.from({ length: 4 }, (_, writer) => write(writer)));
  const positions: number[] = [];
  for await (const { position } of store.readAll()) positions.push(position);
  assert.ok(positions.length > 60);
  assert.deepEqual(positions, positions.map((_, index) => index + 1));
  assert.equal(await driver.repairPosition(), positions.length);
});

/** Makes tables as drizzle-kit leaves them: no migration says anything of their fence. */
async function unprobed(schema: string): Promise<void> {
  await postgres(drizzle(first), { schema }).migrate();
  await owner.unsafe(`truncate ${schema}.migrations, ${schema}.consumers`);
}

test("the first append of all makes the fence serial where no migration has probed it", {
  timeout,
}, async () => {
  await unprobed("kit");
  const driver = postgres(drizzle(first), { schema: "kit" });
  const store = new EventStore(driver, { events: [Noted] });
  // What a transaction of the caller's writes may be rolled back, so it has to be done before.
  const early = drizzle(first).transaction((tx) => store.using(tx).append("a", Noted(0)));
  await assert.rejects(early, { code: "UNSUPPORTED", message: /advisory locks.*skip events/ });
  assert.equal((await store.append("a", Noted(1))).position, 1);
  assert.equal(driver.capabilities.appends, "serial");
  const other = postgres(drizzle(owner), { schema: "kit" });
  assert.equal(await new EventStore(other, { events: [Noted] }).position(), 1);
  assert.equal(other.capabilities.appends, "serial");
});

test("a log without a fence is refused by the first operation, append and read alike", {
  timeout,
}, async () => {
  await unprobed("late");
  await new EventStore(postgres(drizzle(owner), { schema: "late" }), { events: [Noted] })
    .append("a", Noted(1));
  await owner.unsafe("truncate late.migrations");
  const store = () =>
    new EventStore(postgres(drizzle(first), { schema: "late" }), { events: [Noted] });
  const refused = { code: "UNSUPPORTED", message: /may not take advisory locks/ };
  await assert.rejects(store().append("a", Noted(2)), refused);
  await assert.rejects(store().load("a"), refused);
  await assert.rejects(store().position(), refused);
});
