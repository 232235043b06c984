// Notifications are a hint: the listener heals itself when its connection is lost, and consumers work without it.
import { type Driver, EventStore, Subscription } from "event-sourcery";
import { postgres } from "event-sourcery/postgres";
import { sql } from "drizzle-orm";
import { drizzle } from "drizzle-orm/node-postgres";
import { drizzle as postgresHandle } from "drizzle-orm/postgres-js";
import assert from "node:assert/strict";
import { test } from "node:test";
import pg from "pg";
import connect from "postgres";
import { lay } from "../support/cable.ts";
import { type PostgresDb, postgresHandles } from "../support/handles.ts";
import { until } from "../support/journal.ts";
import { createDatabase } from "../support/postgres.ts";
import { Noted } from "../support/relay.ts";
import { runtime } from "../support/root.ts";
import { running } from "../support/running.ts";

const timeout = 60_000;
/** Longer than any test: nothing comes by polling. */
const never = 3_600_000;
const handles = postgresHandles.filter(({ name }) => /^(postgres\.js|node-postgres)/.test(name));

for (const handle of handles) {
  test(`${handle.name}: a consumer is woken again when its listening backend was terminated`, {
    timeout,
  }, async () => {
    const opened = await handle.open();
    try {
      const { writer, reader, seen } = await desk(opened.db, await opened.another!());
      await running([reader], async () => {
        await until(async () => (await listening(opened.db)).length === 1);
        await writer.append("a", Noted(1));
        await until(() => seen.length === 1);
        const [pid] = await listening(opened.db);
        await opened.db.execute(sql`select pg_terminate_backend(${pid})`);
        await until(async () => {
          const pids = await listening(opened.db);
          return pids.length === 1 && pids[0] !== pid;
        });
        for (let number = 2; number < 6; number++) {
          await writer.append("a", Noted(number));
          await until(() => seen.length === number);
        }
      }, { pollInterval: never });
      assert.deepEqual(seen, [1, 2, 3, 4, 5]);
    } finally {
      await opened.close();
    }
  });

  test(`${handle.name}: the driver says whether notifications arrive`, { timeout }, async () => {
    const opened = await handle.open();
    try {
      const driver = postgres(opened.db);
      await driver.migrate();
      const { notifier } = driver;
      assert.equal(notifier!.live, false);
      let woken = 0;
      const stop = notifier!.listen(() => woken++);
      await until(() => notifier!.live === true);
      const [pid] = await listening(opened.db);
      const before = woken;
      await opened.db.execute(sql`select pg_terminate_backend(${pid})`);
      await until(() => woken > before);
      await until(async () => (await listening(opened.db)).length === 1);
      await until(() => notifier!.live === true);
      stop();
      assert.equal(notifier!.live, false);
    } finally {
      await opened.close();
    }
  });

  test(`${handle.name}: consumers work by polling alone`, { timeout }, async () => {
    const opened = await handle.open();
    try {
      const other = await opened.another!();
      const { writer, reader, seen } = await desk(opened.db, other, { notify: false });
      await running([reader], async () => {
        for (let number = 1; number < 4; number++) {
          await writer.append("a", Noted(number));
          await until(() => seen.length === number);
        }
        assert.deepEqual(await listening(opened.db), []);
      }, { pollInterval: 20 });
    } finally {
      await opened.close();
    }
  });

  // On Deno, postgres.js may write to a connection that has just been lost, which throws where it cannot be caught.
  if (runtime === "deno" && handle.name.startsWith("postgres.js")) continue;

  test(`${handle.name}: a consumer is woken again when its database was out of reach`, {
    timeout,
  }, async () => {
    const opened = await handle.open();
    const cable = await lay(opened.url!);
    try {
      const { writer, reader, seen } = await desk(opened.db, await opened.another!(cable.url));
      await running([reader], async () => {
        await until(async () => (await listening(opened.db)).length === 1);
        cable.unplug();
        await until(async () => (await listening(opened.db)).length === 0);
        await writer.append("a", Noted(1));
        await until(() => cable.refused > 1);
        cable.plug();
        await until(async () => (await listening(opened.db)).length === 1);
        await until(() => seen.length === 1);
        await writer.append("a", Noted(2));
        await until(() => seen.length === 2);
      }, { pollInterval: never });
    } finally {
      await opened.close();
      await cable.close();
    }
  });
}

test("a writer with one connection wakes others, and a worker with one works by polling", {
  timeout,
}, async () => {
  const { url, drop } = await createDatabase();
  const [plenty, single] = [10, 1].map((max) => new pg.Pool({ connectionString: url, max }));
  const lone = connect(url, { max: 1, onnotice: () => {} });
  try {
    for (const db of [drizzle(single!), postgresHandle(lone)]) {
      const { writer, reader, seen } = await desk(db, drizzle(plenty!));
      await running([reader], async () => {
        await until(async () => (await listening(db)).length > 0);
        await writer.append("a", Noted(1));
        await until(() => seen.length > 0);
      }, { pollInterval: never });
      const polling = await desk(drizzle(plenty!), db);
      await running([polling.reader], async () => {
        await polling.writer.append("a", Noted(2));
        await until(() => polling.seen.length > 0);
      }, { pollInterval: 20 });
    }
  } finally {
    await Promise.all([plenty!.end(), single!.end(), lone.end({ timeout: 1 })]);
    await drop();
  }
});

/** A store that appends, and a consumer of another driver, as in another process. */
async function desk(
  db: PostgresDb,
  other: PostgresDb,
  options: { readonly notify?: boolean } = {},
) {
  const storeOf = (driver: Driver) => new EventStore(driver, { events: [Noted] });
  const driver = postgres(db, options);
  await driver.migrate();
  const seen: number[] = [];
  const reader = new Subscription(storeOf(postgres(other, options)), {
    name: "reader",
    retry: { minDelay: 1, maxDelay: 50 },
    handler: ({ data }) => void seen.push(data),
  });
  return { writer: storeOf(driver), reader, seen };
}

/** The backends that listen. */
async function listening(db: PostgresDb): Promise<readonly unknown[]> {
  const found: unknown = await db.execute(
    sql`select pid from pg_stat_activity where datname = current_database() and query ilike 'listen%'`,
  );
  const rows = (Array.isArray(found) ? found : (found as { rows: unknown[] }).rows) as //
  readonly { pid: number }[];
  return rows.map(({ pid }) => pid);
}
