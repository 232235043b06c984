import { sql } from "drizzle-orm";
import { drizzle } from "drizzle-orm/postgres-js";
import type { Driver } from "event-sourcery";
import { libsql } from "event-sourcery/libsql";
import { postgres } from "event-sourcery/postgres";
import connect from "postgres";
import { libsqlHandles } from "./handles.ts";
import { createDatabase } from "./postgres.ts";

/** An empty store, two ways to it, and a way around it. */
export interface Place {
  /** A driver that may do everything. */
  readonly driver: Driver;
  /** One that may only read. */
  readonly reader: Driver;
  readonly run: (text: string) => Promise<unknown>;
  readonly table: (name: string) => string;
}

/** A database with as many places as wanted. */
export interface Engine {
  readonly name: "Postgres" | "libSQL";
  /** Opens a place of its own, with its tables. */
  readonly place: () => Promise<Place>;
  readonly close: () => Promise<void>;
}

export async function openPostgres(): Promise<Engine> {
  const database = await createDatabase();
  const quiet = { fetch_types: false, onnotice: () => {}, max: 2 };
  const admin = connect(database.url, quiet);
  const role = `reader_${crypto.randomUUID().slice(0, 8)}`;
  await admin.unsafe(`create role ${role}`);
  const reader = connect(database.url, { ...quiet, connection: { options: `-c role=${role}` } });
  let places = 0;
  return {
    name: "Postgres",
    async place() {
      const schema = `place_${++places}`;
      const db = drizzle(admin);
      const driver = postgres(db, { schema });
      await driver.migrate();
      await admin.unsafe(
        `grant usage on schema ${schema} to ${role}; grant select on all tables in schema ${schema} to ${role};
        grant select on all sequences in schema ${schema} to ${role}`,
      );
      return {
        driver: driver as Driver,
        reader: postgres(drizzle(reader), { schema }) as Driver,
        run: (text) => admin.unsafe(text),
        table: (name) => `${schema}.${name}`,
      };
    },
    async close() {
      await reader.end();
      await admin.unsafe(`drop owned by ${role}; drop role ${role}`);
      await admin.end();
      await database.drop();
    },
  };
}

export async function openLibsql(): Promise<Engine> {
  const { db, close } = await libsqlHandles[0]!.open();
  let places = 0;
  return {
    name: "libSQL",
    async place() {
      const prefix = `place_${++places}_`;
      const driver = libsql(db, { prefix });
      await driver.migrate();
      return {
        driver: driver as Driver,
        reader: libsql(db, { prefix }) as Driver,
        async run(text) {
          for (const one of text.split(";")) await db.run(sql.raw(one));
        },
        table: (name) => `${prefix}${name}`,
      };
    },
    close,
  };
}

/** Both engines, by name. */
export const engines: Readonly<Record<Engine["name"], () => Promise<Engine>>> = {
  Postgres: openPostgres,
  libSQL: openLibsql,
};
