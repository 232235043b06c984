// An operator reads the message first: it says what failed and where, and holds no data.
import { createClient } from "@libsql/client";
import { drizzle as drizzleLibsql } from "drizzle-orm/libsql";
import { drizzle as drizzlePg } from "drizzle-orm/node-postgres";
import { drizzle as drizzlePostgresJs } from "drizzle-orm/postgres-js";
import { sql } from "drizzle-orm";
import { defineEvent, type Driver, EventStore } from "event-sourcery";
import { libsql } from "event-sourcery/libsql";
import { postgres } from "event-sourcery/postgres";
import assert from "node:assert/strict";
import { test } from "node:test";
import pg from "pg";
import client from "postgres";
import { libsqlHandles, postgresHandles } from "../support/handles.ts";
import { free } from "../support/server.ts";

const timeout = 60_000;
const Noted = defineEvent<number>()("Noted");
const storeOn = (driver: Driver) => new EventStore(driver, { events: [Noted] });

const unreachable: Record<string, (port: number) => readonly [Driver, () => unknown]> = {
  "postgres.js"(port) {
    const sql = client(`postgres://user:secret@127.0.0.1:${port}/app`, { fetch_types: false });
    return [postgres(drizzlePostgresJs(sql)), () => sql.end({ timeout: 0 })];
  },
  "node-postgres"(port) {
    const pool = new pg.Pool({ connectionString: `postgres://user:secret@127.0.0.1:${port}/app` });
    return [postgres(drizzlePg(pool)), () => pool.end()];
  },
  "libSQL over HTTP"(port) {
    const client = createClient({ url: `http://127.0.0.1:${port}`, authToken: "secret" });
    return [libsql(drizzleLibsql(client)), () => client.close()];
  },
};

for (const [name, open] of Object.entries(unreachable)) {
  test(
    `${name}: a wrong port is named as the connection that was refused`,
    { timeout },
    async () => {
      const port = await free();
      const [driver, close] = open(port);
      try {
        for (const use of [() => driver.migrate(), () => storeOn(driver).load("a")]) {
          await assert.rejects(use, (error) => {
            const { code, message } = error as Error & { code: string };
            assert.equal(code, "CONNECTION");
            // Deno's fetch says it in a message alone.
            if ("Deno" in globalThis && name.startsWith("libSQL")) return true;
            assert.match(message, /^Cannot reach the database: ECONNREFUSED/);
            if (!name.startsWith("libSQL")) {
              assert.ok(message.endsWith(`127.0.0.1:${port}`), message);
            }
            assert.doesNotMatch(message, /secret/);
            return true;
          });
        }
      } finally {
        await close();
      }
    },
  );
}

for (const { name, open } of postgresHandles) {
  test(
    `${name}: a missing schema is named with the database that was asked`,
    { timeout },
    async () => {
      const { db, url, close } = await open();
      try {
        const database = url === undefined ? "postgres" : new URL(url).pathname.slice(1);
        await assert.rejects(storeOn(postgres(db, { schema: "app" })).load("a"), {
          code: "MISSING_SCHEMA",
          message: `Cannot find the tables of the event store in schema "app" of database ` +
            `"${database}": call "await driver.migrate()" once`,
        });
      } finally {
        await close();
      }
    },
  );

  test(`${name}: what the database refuses is named by its condition`, { timeout }, async () => {
    const { db, close } = await open();
    const role = `weak_${crypto.randomUUID().slice(0, 8)}`;
    try {
      await db.execute(sql.raw(`create role ${role}`));
      const work = db.transaction(async (tx) => {
        await tx.execute(sql.raw(`set local role ${role}`));
        await postgres(tx as unknown as typeof db).migrate();
      });
      await assert.rejects(work, {
        code: "DRIVER",
        message: "Cannot migrate: the database refused with insufficient_privilege (42501); " +
          "its error is the cause",
      });
    } finally {
      await db.execute(sql.raw(`drop role if exists ${role}`));
      await close();
    }
  });
}

for (const { name, open } of libsqlHandles) {
  test(
    `${name}: missing tables are named with the database that was asked`,
    { timeout },
    async () => {
      const { db, prefix, url, close } = await open();
      try {
        const place = url === undefined
          ? "the database in memory"
          : url.startsWith("file:")
          ? `the file "${url.slice("file:".length)}"`
          : "the database of the libSQL server";
        await assert.rejects(storeOn(libsql(db, { prefix })).load("a"), {
          code: "MISSING_SCHEMA",
          message: `Cannot find the tables of the event store in ${place} (prefix "${prefix}"): ` +
            `call "await driver.migrate()" once`,
        });
      } finally {
        await close();
      }
    },
  );
}
