import { defineEvent, EventStore, type RecordedEvent } from "event-sourcery";
import { postgres } from "event-sourcery/postgres";
import { drizzle } from "drizzle-orm/postgres-js";
import assert from "node:assert/strict";
import { test } from "node:test";
import { drizzle as drizzleNode } from "drizzle-orm/node-postgres";
import client from "postgres";
import { openPool } from "../support/pool.ts";
import { createDatabase } from "../support/postgres.ts";

const Noted = defineEvent<number>()("Noted");
const writers = 20;
const rounds = 15;

test("readAll() sees every committed event once, in order, whatever the writers do", {
  timeout: 120_000,
}, async () => {
  const database = await createDatabase("embedded");
  const pool = client(database.url, { max: writers + 4, onnotice: () => {} });
  const other = client(database.url, { max: 2, onnotice: () => {} });
  const victim = openPool(database.url, 2); // its connections are killed
  try {
    const driver = postgres(drizzle(pool));
    await driver.migrate();
    const store = new EventStore(driver, { events: [Noted] });
    const doomed = new EventStore(postgres(drizzleNode(victim.pool)), { events: [Noted] });

    // Writes all the time, but to a table of its own: it must hold up no reader.
    await other.unsafe("create table unrelated (n int)");
    const unrelated = await other.reserve();
    await unrelated.unsafe("begin; insert into unrelated values (1)");

    let open = true;
    const seen: RecordedEvent[] = [];
    const naive: number[] = [];
    const read = async () => {
      for await (const event of store.readAll({ after: seen.at(-1)?.position ?? 0 })) {
        seen.push(event);
      }
    };
    const readNaively = async () => {
      const rows = await pool.unsafe(
        `select position from event_sourcery.events where position > ${
          naive.at(-1) ?? 0
        } order by position`,
      );
      naive.push(...rows.map((row) => Number(row["position"])));
    };
    const tail = async (step: () => Promise<void>) => {
      while (open) await step();
      await step();
    };
    const write = async (writer: number) => {
      for (let round = 0; round < rounds; round++) {
        await store.transaction(async ({ store, db }) => {
          await store.append(`own:${writer}`, [Noted(round), Noted(round)]);
          await store.append("shared", Noted(writer)).catch(() => {});
          await db.execute(`select pg_sleep(${((writer * 7 + round * 3) % 10) / 1000})`);
          await store.append(`own:${writer}`, Noted(round));
          if ((writer + round) % 4 === 0) throw new Error("rolled back");
        }).catch((error: Error) => assert.equal(error.message, "rolled back"));
      }
    };
    const kill = async () => {
      for (let round = 0; round < 10; round++) {
        const lost = doomed.transaction(async ({ store, db }) => {
          await store.append("doomed", Noted(round));
          const [row] = (await db.execute("select pg_backend_pid() as pid")).rows;
          await other.unsafe(`select pg_terminate_backend(${Number(row!["pid"])})`);
          await store.append("doomed", Noted(round));
        });
        await assert.rejects(lost);
      }
    };
    const readers = [tail(read), tail(readNaively)];
    await Promise.all([...Array.from({ length: writers }, (_, writer) => write(writer)), kill()]);
    open = false;
    await Promise.all(readers);
    await unrelated.unsafe("rollback");
    unrelated.release();

    const stored =
      (await pool.unsafe("select position from event_sourcery.events order by position"))
        .map((row) => Number(row["position"]));
    assert.deepEqual(seen.map(({ position }) => position), stored);
    const versions = new Map<string, number>();
    for (const { streamId, version } of seen) {
      assert.equal(version, (versions.get(streamId) ?? 0) + 1);
      versions.set(streamId, version);
    }
    assert.equal(versions.has("doomed"), false);
    assert.ok(
      naive.length < stored.length,
      "without the fence a reader loses events, so this test can fail",
    );
  } finally {
    await Promise.all([
      pool.end({ timeout: 1 }),
      other.end({ timeout: 1 }),
      victim.close(),
    ]);
    await database.drop();
  }
});

test("position() is held by an open append only until it ends, never by another transaction", {
  timeout: 60_000,
}, async () => {
  const database = await createDatabase("embedded");
  const pool = client(database.url, { max: 5, onnotice: () => {} });
  try {
    const driver = postgres(drizzle(pool));
    await driver.migrate();
    const store = new EventStore(driver, { events: [Noted] });
    await store.append("a", Noted(1));
    let end = () => {};
    const held = new Promise<void>((resolve) => end = resolve);
    let begun = () => {};
    const appended = new Promise<void>((resolve) => begun = resolve);
    const slow = store.transaction(async ({ store }) => {
      await store.append("slow", Noted(2));
      begun();
      await held;
    });
    await appended;
    const { position } = await store.append("b", Noted(3));
    assert.equal(await store.position(), 1);
    end();
    await slow;
    assert.equal(await store.position(), position);
  } finally {
    await pool.end({ timeout: 1 });
    await database.drop();
  }
});
