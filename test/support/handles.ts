import { PGlite } from "@electric-sql/pglite";
import { createClient } from "@libsql/client";
import type { LibSQLDatabase } from "drizzle-orm/libsql";
import { drizzle as libsql } from "drizzle-orm/libsql";
import { drizzle as nodePostgres } from "drizzle-orm/node-postgres";
import type { PgDatabase, PgQueryResultHKT } from "drizzle-orm/pg-core";
import { drizzle as pglite } from "drizzle-orm/pglite";
import { drizzle as postgresJs } from "drizzle-orm/postgres-js";
import { sql } from "drizzle-orm";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import postgres from "postgres";
import { collect } from "./collect.ts";
import { pgliteFiles } from "./pglite.ts";
import { openPool } from "./pool.ts";
import { createDatabase, postgresServers } from "./postgres.ts";
import { runtime } from "./root.ts";
import { ownPrefix, sqldUrl } from "./sqld.ts";

/** Any Drizzle handle for Postgres. */
export type PostgresDb = PgDatabase<PgQueryResultHKT>;

/** An open handle on an empty place to store in. */
export interface Opened<Db> {
  readonly db: Db;
  /** For `libsql(db, { prefix })`: unique where several tests share a database. */
  readonly prefix: string;
  /** Where a client of one's own finds the same database; `undefined` where it cannot. */
  readonly url: string | undefined;
  /** Opens a second client on the same database, at another URL if need be; absent where there can be one only. */
  readonly another: ((url?: string) => Promise<Db>) | undefined;
  /** Closes all clients and throws the database away. */
  close(): Promise<void>;
}

/** A way to reach a database. */
export interface Handle<Db> {
  readonly name: string;
  open(): Promise<Opened<Db>>;
}

/** A client, as a handle. */
export type Client<Db> = { db: Db; close(): Promise<void> };
type Connect<Db> = (url: string) => Client<Db> | Promise<Client<Db>>;

const clients: Record<string, Connect<PostgresDb>> = {
  "postgres.js"(url) {
    // Where a connection is lost while it asks for the database's types, the client throws where it cannot be caught.
    const client = postgres(url, { max: 10, fetch_types: false, onnotice: () => {} });
    // Without a timeout it waits for ever once a connection was lost.
    const close = () => client.end({ timeout: 1 });
    return { db: postgresJs(client), close };
  },
  "node-postgres"(url) {
    const { pool, close } = openPool(url);
    return { db: nodePostgres(pool), close };
  },
  ...(runtime === "bun" && {
    async "Bun SQL"(url: string) {
      // Out of the compiler's sight: Bun's types would put its globals in view everywhere.
      const { connectBunSql } = await import(new URL("./bunsql.ts", import.meta.url).href);
      return connectBunSql(url);
    },
  }),
};

const embeddable: Handle<PostgresDb> = {
  name: "PGlite",
  async open() {
    const client = await PGlite.create({ loadDataDir: await pgliteFiles() });
    const close = () => client.close();
    return { db: pglite(client), prefix: "es_", url: undefined, another: undefined, close };
  },
};

/**
 * The Postgres handles of this runtime by server; each opening is a database of its own. Ours is asked by every client, and
 * there is PGlite; a given one, which differs in its version, by one client.
 */
export function postgresHandlesOn(server: string): readonly Handle<PostgresDb>[] {
  const known = Object.entries(clients);
  const handles = (server === "embedded" ? known : known.slice(0, 1)).map(([name, connect]) => ({
    name: `${name} on ${server} Postgres`,
    async open() {
      const database = await createDatabase(server);
      return await opened(database.url, connect, () => database.drop());
    },
  }));
  return server === "embedded" ? [...handles, embeddable] : handles;
}

/** All Postgres handles of this runtime. */
export const postgresHandles: readonly Handle<PostgresDb>[] = postgresServers.flatMap(
  postgresHandlesOn,
);

/** All libSQL handles; each opening is a database, or a prefix, of its own. */
export const libsqlHandles: readonly Handle<LibSQLDatabase>[] = [
  {
    name: "libSQL in memory",
    async open() {
      const { db, close } = await connectLibsql(":memory:");
      return { db, prefix: "es_", url: undefined, another: undefined, close };
    },
  },
  {
    name: "libSQL file",
    open() {
      const folder = mkdtempSync(join(tmpdir(), "event-sourcery-libsql-"));
      const remove = () => rmSync(folder, { recursive: true, force: true });
      return opened(`file:${join(folder, "events.db")}`, connectLibsql, remove);
    },
  },
  {
    name: "libSQL over HTTP",
    async open() {
      const url = await sqldUrl();
      const prefix = ownPrefix();
      const { db, close } = await connectLibsql(url);
      const remove = async () => {
        await dropTables(db, prefix);
        await close();
      };
      const own = await opened(url, connectLibsql, remove);
      return { ...own, prefix };
    },
  },
];

/** With the tables of hundreds of tests in it, the server needs five times as long for a request: each reads the schema. */
export async function dropTables(db: LibSQLDatabase, prefix: string): Promise<void> {
  const rows = await db.all<{ name: string }>(
    sql`select name from sqlite_master where type = 'table' and substr(name, 1, ${prefix.length}) = ${prefix}`,
  );
  for (const { name } of rows) await db.run(sql.raw(`drop table "${name}"`));
}

/** Opens a client for a libSQL database. */
export async function connectLibsql(url: string): Promise<Client<LibSQLDatabase>> {
  const client = createClient({ url });
  const close = async () => {
    client.close();
    collect();
  };
  return { db: libsql(client), close };
}

async function opened<Db>(
  url: string,
  connect: Connect<Db>,
  remove: () => unknown,
): Promise<Opened<Db>> {
  const open: Client<Db>[] = [];
  const another = async (at: string = url) => {
    const client = await connect(at);
    open.push(client);
    return client.db;
  };
  const close = async () => {
    await Promise.all(open.map((client) => client.close()));
    await remove();
  };
  return { db: await another(), prefix: "es_", url, another, close };
}
