import { sql } from "drizzle-orm";
import type { Driver } from "event-sourcery";
import { libsql } from "event-sourcery/libsql";
import { memory } from "event-sourcery/memory";
import { postgres } from "event-sourcery/postgres";
import { libsqlHandles, postgresHandles } from "./handles.ts";

/** A database with tables, two drivers on it, and a way around them. */
export interface Place {
  readonly driver: Driver<unknown>;
  /** As another process would have it. */
  readonly another: Driver<unknown>;
  /** Runs work in a transaction that was opened without the library. */
  readonly begin: <R>(work: (db: unknown) => Promise<R>) => Promise<R>;
  /** Runs a statement on a handle or inside a transaction; undefined where there is no SQL. */
  readonly execute: ((db: unknown, query: string) => Promise<unknown>) | undefined;
  /** The names of tables, as SQL writes them. */
  readonly table: (name: string) => string;
  readonly close: () => Promise<void>;
}

/** One place of each kind, by name. */
export const places: Record<string, (busyTimeout?: number) => Promise<Place>> = {
  async memory(busyTimeout) {
    const driver = memory({ busyTimeout });
    return {
      ...{ driver, another: driver, execute: undefined, table: (name) => name },
      begin: (work) => driver.transaction((session) => work(session.db)),
      close: async () => {},
    };
  },
  async Postgres(busyTimeout) {
    const handle = postgresHandles.find(({ name }) => /^postgres.js on embedded/.test(name))!;
    const { db, another, close } = await handle.open();
    const driver = postgres(db, { busyTimeout });
    await driver.migrate();
    return {
      ...{ driver: driver as Driver<unknown>, close },
      another: postgres(await another!(), { busyTimeout }) as Driver<unknown>,
      begin: (work) => db.transaction(work),
      execute: async (on, query) => await (on as typeof db).execute(sql.raw(query)),
      table: (name) => `event_sourcery.${name}`,
    };
  },
  async libSQL(busyTimeout) {
    const { db, another, prefix, close } = await libsqlHandles[1]!.open();
    const driver = libsql(db, { prefix, busyTimeout });
    await driver.migrate();
    return {
      ...{ driver: driver as Driver<unknown>, close },
      another: libsql(await another!(), { prefix, busyTimeout }) as Driver<unknown>,
      begin: (work) => db.transaction(work),
      execute: async (on, query) => await (on as typeof db).all(sql.raw(query)),
      table: (name) => `"${prefix}${name}"`,
    };
  },
};
