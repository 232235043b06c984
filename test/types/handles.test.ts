import type { BetterSQLite3Database } from "drizzle-orm/better-sqlite3";
import type { BunSQLiteDatabase } from "drizzle-orm/bun-sqlite";
import type { LibSQLDatabase } from "drizzle-orm/libsql";
import type { MySql2Database } from "drizzle-orm/mysql2";
import type { NodePgDatabase } from "drizzle-orm/node-postgres";
import type { PgliteDatabase } from "drizzle-orm/pglite";
import type { PostgresJsDatabase } from "drizzle-orm/postgres-js";
import type { BaseSQLiteDatabase } from "drizzle-orm/sqlite-core";
import type { SqliteRemoteDatabase } from "drizzle-orm/sqlite-proxy";
import { libsql } from "event-sourcery/libsql";
import { postgres } from "event-sourcery/postgres";
import { test } from "node:test";
import type { Pool } from "pg";
import type { Sql } from "postgres";
import { refuses } from "./expect.ts";

/** What D1 answers, where its types are known; without them TypeScript takes it for anything. */
interface D1Result {
  readonly success: true;
  readonly meta: Record<string, unknown>;
  readonly results: readonly unknown[];
}

interface D1Database extends BaseSQLiteDatabase<"async", D1Result> {
  readonly batch: (batch: readonly unknown[]) => Promise<unknown>;
}

declare const handles: {
  readonly betterSqlite: BetterSQLite3Database;
  readonly bunSqlite: BunSQLiteDatabase;
  readonly d1: D1Database;
  readonly libsql: LibSQLDatabase;
  readonly mysql: MySql2Database;
  readonly nodePostgres: NodePgDatabase;
  readonly pglite: PgliteDatabase;
  readonly pool: Pool;
  readonly postgresJs: PostgresJsDatabase;
  readonly sql: Sql;
  readonly sqliteProxy: SqliteRemoteDatabase;
};

test("postgres() and libsql() take the handles of their own engine only", () => {
  refuses(() => [
    postgres(handles.nodePostgres),
    postgres(handles.pglite),
    postgres(handles.postgresJs),
    libsql(handles.libsql),
  ]);
  refuses(() => {
    // @ts-expect-error another engine
    postgres(handles.libsql);
    // @ts-expect-error another engine
    postgres(handles.mysql);
    // @ts-expect-error a client, which has to be wrapped
    postgres(handles.sql);
    // @ts-expect-error a client, which has to be wrapped
    postgres(handles.pool);
    // @ts-expect-error a URL
    postgres("postgres://localhost/app");
    // @ts-expect-error another engine
    libsql(handles.postgresJs);
    // @ts-expect-error another engine
    libsql(handles.mysql);
    // @ts-expect-error it has no interactive transactions
    libsql(handles.d1);
    // @ts-expect-error its calls are synchronous
    libsql(handles.betterSqlite);
    // @ts-expect-error its calls are synchronous
    libsql(handles.bunSqlite);
    // @ts-expect-error it has no interactive transactions
    libsql(handles.sqliteProxy);
  });
});
