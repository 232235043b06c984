// What a client makes of a value, and what it calls a column, is its user's to choose: the driver reads right all the same.
import { createClient } from "@libsql/client";
import { drizzle as drizzleLibsql } from "drizzle-orm/libsql";
import { drizzle as drizzlePg } from "drizzle-orm/node-postgres";
import { drizzle as drizzlePostgresJs } from "drizzle-orm/postgres-js";
import { defineEvent, type Driver, EventStore } from "event-sourcery";
import { libsql } from "event-sourcery/libsql";
import { postgres } from "event-sourcery/postgres";
import { driverContract, type OpenedDriver } from "event-sourcery/testing";
import assert from "node:assert/strict";
import { after, test } from "node:test";
import pg from "pg";
import client from "postgres";
import type { Client, PostgresDb } from "../support/handles.ts";
import { openPool } from "../support/pool.ts";
import { createDatabase, type Database } from "../support/postgres.ts";

const timeout = 60_000;
const quiet = { max: 10, fetch_types: false, onnotice: () => {} };
const loud = (oid: number) => ({
  to: oid,
  from: [oid],
  serialize: String,
  parse: (text: string) => ({ text }),
});
/** Turns whole numbers, floats and booleans into objects. */
const types = Object.fromEntries([16, 20, 21, 23, 701].map((oid) => [`type${oid}`, loud(oid)]));

const postgresClients: Record<string, (url: string) => Client<PostgresDb>> = {
  ...Object.fromEntries(
    Object.entries({ camel: client.camel, pascal: client.pascal, kebab: client.kebab }).map((
      [name, transform],
    ) => [`postgres.js with transform ${name} and types of its own`, (url: string) => {
      const sql = client(url, { ...quiet, transform, types });
      return { db: drizzlePostgresJs(sql), close: () => sql.end({ timeout: 1 }) };
    }]),
  ),
  "node-postgres with parsers of its own"(url) {
    // They are the whole process's: Drizzle asks for them, whatever a pool is given.
    for (const oid of [16, 20, 21, 23, 701]) pg.types.setTypeParser(oid, (text) => ({ text }));
    const { pool, close } = openPool(url);
    return { db: drizzlePg(pool), close };
  },
};

/** Those that reach every statement. */
const some =
  /^(Outbox|workers|a failing|a consumer|delete)|append\(\) stores|gives the versions|gives the events|lists/;
/** Those for clients that differ from another only in a word. */
const few = /gives the versions|gives the events|a failing/;

for (const [name, connect] of Object.entries(postgresClients)) {
  let database: Promise<Database> | undefined;
  let opened: Client<PostgresDb> | undefined;
  let schemas = 0;
  const open = async () => {
    const { url } = await (database ??= createDatabase());
    const { db } = opened ??= connect(url);
    return { driver: postgres(db, { schema: `case ${++schemas}` }) };
  };
  after(async () => {
    await opened?.close();
    await (await database)?.drop();
  });
  check(name, open, /camel|node-postgres/.test(name) ? some : few);
}

for (const intMode of ["bigint", "string"] as const) {
  check(`libSQL with intMode "${intMode}"`, () => {
    const client = createClient({ url: ":memory:", intMode });
    return { driver: libsql(drizzleLibsql(client)), close: () => client.close() };
  }, intMode === "bigint" ? /./ : few);
}

function check(
  name: string,
  open: () => OpenedDriver | Promise<OpenedDriver>,
  promises: RegExp,
): void {
  for (const { name: promise, run } of driverContract(open)) {
    if (promises.test(promise)) test(`${name}: ${promise}`, { timeout }, run);
  }
}

const Noted = defineEvent<number>()("Noted");

test("a row without its columns is a DriverError, whatever is asked", { timeout }, async () => {
  const database = await createDatabase();
  const whole = client(database.url, quiet);
  // Takes the last column from every row.
  const broken = client(database.url, {
    ...quiet,
    transform: { row: { from: (row) => Array.isArray(row) ? row.slice(0, -1) : row } },
  });
  const driverOf = (sql: typeof whole): Driver => postgres(drizzlePostgresJs(sql));
  try {
    const driver = driverOf(broken);
    const store = new EventStore(driver, { events: [Noted] });
    await assert.rejects(() => driver.migrate(), { code: "DRIVER", message: /columns/ });
    await driverOf(whole).migrate();
    for (
      const use of [
        () => store.load("a"),
        () => store.position(),
        () => store.append("a", Noted(1)),
        () => driver.migrate(),
      ]
    ) {
      await assert.rejects(use, { code: "DRIVER", retryable: false, message: /columns/ });
    }
  } finally {
    await whole.end({ timeout: 1 });
    await broken.end({ timeout: 1 });
    await database.drop();
  }
});
