/**
 * Stores events in Postgres, through any Drizzle handle.
 *
 * @example An event store on a database you already have
 * ```ts
 * import { defineEvent, EventStore } from "event-sourcery";
 * import { postgres } from "event-sourcery/postgres";
 * import { PGlite } from "@electric-sql/pglite";
 * import { drizzle } from "drizzle-orm/pglite";
 * import assert from "node:assert/strict";
 *
 * const OrderPlaced = defineEvent("OrderPlaced");
 * const client = new PGlite();
 * const driver = postgres(drizzle(client));
 * await driver.migrate();
 *
 * const store = new EventStore(driver, { events: [OrderPlaced] });
 * await store.append("order:42", OrderPlaced());
 * assert.equal(await store.version("order:42"), 1);
 * await client.close();
 * ```
 *
 * @module
 */
import { PostgresDriver } from "./driver.ts";
import type { PostgresHandle } from "./handle.ts";
import type { Driver } from "../../mod.ts";
import { checkBusyTimeout } from "../_shared/queue.ts";

export type { PostgresHandle, PostgresTransactionConfig } from "./handle.ts";
export {
  checkpoints,
  consumers,
  events,
  eventTags,
  migrations,
  parked,
  position,
  postgresTables,
  schema,
} from "./sql/schema.ts";
export type { PostgresTables } from "./sql/schema.ts";

/** How the Postgres driver works. */
export interface PostgresOptions {
  /** The schema that holds the tables: at most 63 bytes in UTF-8. @default "event_sourcery" */
  readonly schema?: string | undefined;
  /**
   * Whether statements are prepared; turn it off behind a pooler that cannot keep them apart, and in the client, too, where
   * that prepares its own: `postgres(url, { prepare: false })` of postgres.js. @default true
   */
  readonly prepare?: boolean | undefined;
  /**
   * How long a write waits for another transaction, in milliseconds.
   *
   * A statement sets this limit once it holds the locks of its tables: what waits for those, behind `create index`,
   * `alter table` or a `delete()` of a transaction that is still open, waits until that has ended. So do appends inside a
   * transaction. A `lock_timeout` of the role or the connection limits both, and ends in a `BusyError`, too: for
   * postgres.js `postgres(url, { connection: { lock_timeout: 5000 } })`, for node-postgres
   * `new Pool({ connectionString, lock_timeout: 5000 })`. @default 5000
   */
  readonly busyTimeout?: number | undefined;
  /**
   * Whether an append wakes consumers of other processes, by an empty NOTIFY after it, at most some hundred times a
   * second; without it they poll. @default true
   */
  readonly notify?: boolean | undefined;
}

/**
 * Makes a driver for Postgres 13 and later. Connects to nothing by itself; call `migrate()` once to make the tables.
 *
 * Appends run side by side, and readers see by advisory locks which are under way. Where the role that makes the tables may
 * not take such locks, or the database has none, appends run one transaction at a time from then on
 * (`capabilities.appends` is `serial`); so they do on CockroachDB and YugabyteDB. What shows the locks of one node alone and
 * does not say so in `version()`, such as several Citus workers or a pooler that spreads one database over several servers,
 * cannot be told from Postgres: there, append and read through one coordinator or server.
 *
 * @param db Any Drizzle handle for Postgres; the caller opens and closes it. One of postgres.js is best opened with
 * `fetch_types: false`: a connection that is lost while it asks for types rejects where nobody can catch it. The same
 * happens where the server ends a connection of postgres.js within a transaction, as `idle_in_transaction_session_timeout`
 * does, for the third time: a process that must survive that listens to `unhandledRejection`, or uses node-postgres.
 * @throws {TypeError | RangeError} If `db` is no Drizzle handle for Postgres, or an option is malformed.
 */
export function postgres<Tx>(db: PostgresHandle<Tx>, options: PostgresOptions = {}): Driver<Tx> {
  const { schema = "event_sourcery", prepare = true, busyTimeout = 5000, notify = true } = options;
  const bytes = typeof schema === "string" ? new TextEncoder().encode(schema).length : 0;
  if (bytes < 1 || bytes > 63 || /[\0\p{Surrogate}]/u.test(schema)) {
    throw new TypeError(
      "schema must be a name of 1 to 63 bytes in UTF-8, well-formed and without NUL",
    );
  }
  checkBusyTimeout(busyTimeout);
  // A handle does whatever a transaction does, but for rollback(): afterCommit handlers get it as their db.
  return new PostgresDriver<Tx>(db as Tx, { schema, prepare, busyTimeout, notify });
}
