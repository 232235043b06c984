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
import { readGroups } from "../_shared/groups.ts";
import { checkBusyTimeout } from "../_shared/queue.ts";

export type { PostgresHandle, PostgresTransactionConfig } from "./handle.ts";
export {
  boundary,
  checkpoints,
  consumers,
  events,
  eventTags,
  inbox,
  migrations,
  parked,
  position,
  postgresTables,
  scheduled,
  schema,
  snapshots,
  subjectKeys,
} from "./sql/schema.ts";
export type { PostgresTables } from "./sql/schema.ts";

/**
 * Options of the Postgres driver.
 *
 * @category Drivers
 */
export interface PostgresOptions {
  /** The schema that holds the tables: at most 63 bytes in UTF-8. @default "event_sourcery" */
  readonly schema?: string | undefined;
  /**
   * Whether statements are prepared; turn it off behind a pooler that does not support them, and also in the client if
   * it prepares its own: `postgres(url, { prepare: false })` of postgres.js. @default true
   */
  readonly prepare?: boolean | undefined;
  /**
   * How long a write waits for another transaction, in milliseconds.
   *
   * A statement sets this limit once it holds the locks of its tables: a wait for those, behind `create index`, `alter
   * table` or a `delete()` of an open transaction, lasts until that has ended. So does the wait of an append inside a
   * transaction. A `lock_timeout` of the role or the connection limits both, and ends in a `BusyError`, too: for
   * postgres.js `postgres(url, { connection: { lock_timeout: 5000 } })`, for node-postgres `new Pool({
   * connectionString, lock_timeout: 5000 })`. @default 5000
   */
  readonly busyTimeout?: number | undefined;
  /**
   * Whether an append wakes consumers of other processes, by an empty NOTIFY after it, at most some dozen times a
   * second; without it they poll. @default true
   */
  readonly notify?: boolean | undefined;
  /**
   * Whether appends that arrive while others are under way are sent together, in one statement, each with its own
   * outcome; a number is the most of them in one statement. Appends in transactions and those to several streams go by
   * themselves. @default true, but for Cloudflare's
   * Workers, whose requests cannot wait for each other
   */
  readonly groups?: boolean | number | undefined;
}

/**
 * Creates a driver for Postgres 13 and later. Does not connect by itself; call `migrate()` once to create the tables.
 *
 * Appends run concurrently, and advisory locks show readers which are running. If the role that creates the tables may
 * not take such locks, or the database has none, appends run one transaction at a time from then on
 * (`capabilities.appends` is `serial`); so they do on CockroachDB and YugabyteDB. A database that shows only the locks
 * of one node and does not identify itself in `version()`, such as several Citus workers or a pooler that spreads one
 * database over several servers, looks like Postgres: there, append and read through one coordinator or server.
 *
 * @param db Any Drizzle handle for Postgres; the caller opens and closes it. Open one of postgres.js with `fetch_types:
 * false`: a connection that is lost while it queries types causes an unhandled rejection. The same happens when the
 * server ends a connection of postgres.js within a transaction, as `idle_in_transaction_session_timeout` does, for the
 * third time: a process that must survive that listens to `unhandledRejection`, or uses node-postgres.
 * @throws {TypeError | RangeError} If `db` is not a Drizzle handle for Postgres, or an option is malformed.
 * @category Drivers
 */
export function postgres<Tx>(db: PostgresHandle<Tx>, options: PostgresOptions = {}): Driver<Tx> {
  const { schema = "event_sourcery", prepare = true, busyTimeout = 5000, notify = true } = options;
  const groups = readGroups(options.groups);
  const bytes = typeof schema === "string" ? new TextEncoder().encode(schema).length : 0;
  if (bytes < 1 || bytes > 63 || /[\0\p{Surrogate}]/u.test(schema)) {
    throw new TypeError(
      "schema must be a name of 1 to 63 bytes in UTF-8, well-formed and without NUL",
    );
  }
  checkBusyTimeout(busyTimeout);
  // A handle has all members of a transaction but rollback(): afterCommit handlers get it as their db.
  return new PostgresDriver<Tx>(db as Tx, { schema, prepare, busyTimeout, notify, groups });
}
