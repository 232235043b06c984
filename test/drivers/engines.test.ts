import { drizzle } from "drizzle-orm/postgres-js";
import { defineEvent, EventStore } from "event-sourcery";
import { postgres } from "event-sourcery/postgres";
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import client from "postgres";
import { serialEngine } from "../../drivers/postgres/engine.ts";
import { createDatabase, type Database } from "../support/postgres.ts";
import { tap } from "../support/wiretap.ts";

const timeout = 60_000;
const Noted = defineEvent<number>()("Noted");
const cockroach = "CockroachDB CCL v23.1.10 (x86_64-pc-linux-gnu, built 2023/09/26)";

let database: Database;
let sql: ReturnType<typeof client>;

before(async () => {
  database = await createDatabase();
  sql = client(database.url, { max: 4, onnotice: () => {} });
});

after(async () => {
  await sql.end({ timeout: 1 });
  await database.drop();
});

test("databases are told by what their version() says", () => {
  const versions: Readonly<Record<string, string | undefined>> = {
    [cockroach]: "CockroachDB",
    "CockroachDB OSS v20.2.0 (x86_64-unknown-linux-gnu, go1.13.14)": "CockroachDB",
    "PostgreSQL 11.2-YB-2.20.1.0-b0 on x86_64-pc-linux-gnu, compiled by clang version 16.0.6, 64-bit":
      "YugabyteDB",
    "PostgreSQL 15.12-YB-2025.1.0.0-b0 on aarch64-unknown-linux-gnu": "YugabyteDB",
    "PostgreSQL 15.20 (Debian 15.20-0+deb12u1) on x86_64-pc-linux-gnu, compiled by gcc, 64-bit":
      undefined,
    "PostgreSQL 17.5 on wasm32-unknown-emscripten, compiled by emcc": undefined,
  };
  for (const [version, name] of Object.entries(versions)) {
    assert.equal(serialEngine(version), name, version);
  }
});

/** A client of the database that takes itself for another: functions of this schema stand before its own. */
async function disguised() {
  await sql.unsafe(
    `create schema if not exists disguise;
     create or replace function disguise.version() returns text language sql return '${cockroach}'`,
  );
  const url = new URL(database.url);
  return client(url.href, {
    ...{ max: 2, onnotice: () => {} },
    connection: { search_path: "disguise, pg_catalog, public" },
  });
}

test("what is known to need it is serial whatever the probe shows", { timeout }, async () => {
  const other = await disguised();
  try {
    const driver = postgres(drizzle(other), { schema: "known" });
    await driver.migrate();
    assert.equal(driver.capabilities.appends, "serial");
    const store = new EventStore(driver, { events: [Noted] });
    assert.equal((await store.append("a", [Noted(1), Noted(2)])).position, 2);

    await postgres(drizzle(sql), { schema: "moved" }).migrate();
    const moved = new EventStore(postgres(drizzle(other), { schema: "moved" }), {
      events: [Noted],
    });
    const refused = { code: "UNSUPPORTED", message: /CockroachDB.*skip events/ };
    await assert.rejects(moved.append("a", Noted(1)), refused);
    await assert.rejects(moved.position(), refused);
  } finally {
    await other.end({ timeout: 1 });
  }
});

test("a sequence that sessions cache values of is refused by the concurrent fence", {
  timeout,
}, async () => {
  const open = () =>
    new EventStore(postgres(drizzle(sql), { schema: "stocked" }), { events: [Noted] });
  await postgres(drizzle(sql), { schema: "stocked" }).migrate();
  await sql`alter sequence stocked.position cache 100`;
  const store = open();
  await assert.rejects(store.append("a", Noted(1)), {
    code: "UNSUPPORTED",
    message: /"cache 1".*skip events/,
  });
  await sql`alter sequence stocked.position cache 1`;
  assert.equal((await store.append("a", Noted(1))).position, 1);
});

test("a fence is probed by the first operation of all, where no migration has done so", {
  timeout,
}, async () => {
  const wire = await tap(database.url);
  const tapped = client(wire.url, { max: 2, fetch_types: false, onnotice: () => {} });
  try {
    await postgres(drizzle(sql), { schema: "kit" }).migrate();
    await sql`truncate kit.migrations`; // as drizzle-kit leaves it
    const probes = async (use: (store: EventStore<ReturnType<typeof Noted>>) => unknown) => {
      const before = wire.sent.length;
      const driver = postgres(drizzle(tapped), { schema: "kit", notify: false });
      await use(new EventStore(driver, { events: [Noted] }));
      assert.equal(driver.capabilities.appends, "concurrent");
      const sent = wire.sent.slice(before).map(({ text }) => text);
      return sent.filter((text) => /count.*from pg_locks/s.test(text)).length;
    };
    // In a caller's transaction, which may be rolled back, nothing is noted.
    const rolledBack = (store: EventStore<ReturnType<typeof Noted>>) =>
      assert.rejects(
        drizzle(tapped).transaction(async (tx) => {
          await store.using(tx).append("a", Noted(1));
          throw new Error("rolled back");
        }),
        /rolled back/,
      );
    assert.equal(await probes(rolledBack), 1);
    assert.equal(await probes((store) => store.load("a")), 1);
    assert.equal(await probes((store) => store.append("a", Noted(1))), 0);
    assert.equal(await probes((store) => store.position()), 0);
    await postgres(drizzle(sql), { schema: "kit" }).migrate();
    assert.equal(await probes((store) => store.load("a")), 0);
  } finally {
    await tapped.end({ timeout: 1 });
    await wire.close();
  }
});
