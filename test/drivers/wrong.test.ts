import { memory } from "event-sourcery/memory";
import { libsql } from "event-sourcery/libsql";
import { postgres } from "event-sourcery/postgres";
import assert from "node:assert/strict";
import { test } from "node:test";
import { drizzle as drizzleD1 } from "drizzle-orm/d1";
import { drizzle as drizzleMysql } from "drizzle-orm/mysql-proxy";
import { drizzle as drizzleSqlite } from "drizzle-orm/sqlite-proxy";
import { libsqlHandles, postgresHandles } from "../support/handles.ts";

const timeout = 60_000;
const neither: readonly unknown[] = [
  undefined,
  null,
  "postgres://localhost/app",
  {},
  () => {},
  { execute() {}, run() {}, batch() {}, transaction() {}, session: {} },
  drizzleMysql(async () => ({ rows: [] })),
  drizzleSqlite(async () => ({ rows: [] })),
  drizzleD1({} as never),
];

for (const { name, open } of libsqlHandles) {
  test(`postgres() throws TypeError when it is given ${name}`, { timeout }, async () => {
    const { db, close } = await open();
    try {
      assert.throws(() => postgres(db as never), refusal("Postgres"));
      const client: unknown = Reflect.get(db, "$client");
      assert.throws(() => postgres(client as never), refusal("Postgres"));
      assert.throws(() => libsql(client as never), refusal("libSQL"));
    } finally {
      await close();
    }
  });
}

for (const { name, open } of postgresHandles) {
  test(`libsql() throws TypeError when it is given ${name}`, { timeout }, async () => {
    const { db, close } = await open();
    try {
      assert.throws(() => libsql(db as never), refusal("libSQL"));
      const client: unknown = Reflect.get(db, "$client");
      assert.throws(() => libsql(client as never), refusal("libSQL"));
      assert.throws(() => postgres(client as never), refusal("Postgres"));
    } finally {
      await close();
    }
  });
}

test("postgres() and libsql() throw TypeError when they are given no handle of either", () => {
  for (const db of neither) {
    assert.throws(() => postgres(db as never), refusal("Postgres"));
    assert.throws(() => libsql(db as never), refusal("libSQL"));
  }
});

test("postgres() and libsql() say which handles work, and what they were given", () => {
  assert.throws(() => libsql(drizzleD1({} as never) as never), {
    message: "db must be a Drizzle handle for libSQL, such as drizzle(createClient({ url })) of " +
      "drizzle-orm/libsql, got D1Database: wrap a client or a URL in drizzle(…); handles of " +
      "drizzle-orm/libsql work with any of its clients, those of D1, better-sqlite3, bun:sqlite " +
      "and proxies do not",
  });
  assert.throws(() => postgres("postgres://user:secret@localhost/app" as never), {
    message: "db must be a Drizzle handle for Postgres, such as drizzle(postgres(url)) of " +
      "drizzle-orm/postgres-js, got string: wrap a client or a URL in drizzle(…); handles of " +
      "postgres.js, node-postgres, PGlite, Bun SQL, Neon and Vercel work, those of MySQL and " +
      "SQLite do not",
  });
});

test("drivers refuse a busyTimeout that is not a duration", { timeout }, async () => {
  const [{ open: openLibsql }, { open: openPostgres }] = [libsqlHandles[0]!, postgresHandles[0]!];
  const [file, server] = await Promise.all([openLibsql(), openPostgres()]);
  const makers = [
    (busyTimeout: number) => memory({ busyTimeout }),
    (busyTimeout: number) => libsql(file.db, { busyTimeout }),
    (busyTimeout: number) => postgres(server.db, { busyTimeout }),
  ];
  try {
    for (const make of makers) {
      for (const bad of [NaN, -1, 1.5, Infinity, 2 ** 31]) {
        assert.throws(() => make(bad), { name: "RangeError", message: /^busyTimeout / });
      }
      for (const bad of ["5s", null, 5n]) {
        assert.throws(() => make(bad as never), { name: "TypeError", message: /^busyTimeout / });
      }
      make(0);
      make(2 ** 31 - 1);
    }
  } finally {
    await Promise.all([file.close(), server.close()]);
  }
});

function refusal(engine: string): { name: string; message: RegExp } {
  return {
    name: "TypeError",
    message: new RegExp(`^db must be a Drizzle handle for ${engine}, such as drizzle\\(`),
  };
}
