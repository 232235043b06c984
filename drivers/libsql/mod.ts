/**
 * Stores events in libSQL: a file, Turso or any libSQL server, through any Drizzle handle. Imports no client, so it
 * runs in a Worker.
 *
 * @example An event store in a file
 * ```ts
 * import { defineEvent, EventStore } from "event-sourcery";
 * import { libsql } from "event-sourcery/libsql";
 * import { createClient } from "@libsql/client";
 * import { drizzle } from "drizzle-orm/libsql";
 * import assert from "node:assert/strict";
 *
 * const OrderPlaced = defineEvent("OrderPlaced");
 * const client = createClient({ url: "file::memory:" });
 * const driver = libsql(drizzle(client));
 * await driver.migrate();
 *
 * const store = new EventStore(driver, { events: [OrderPlaced] });
 * await store.append("order:42", OrderPlaced());
 * assert.equal(await store.version("order:42"), 1);
 * client.close();
 * ```
 *
 * @module
 */
import type { Driver } from "../../mod.ts";
import { readGroups } from "../_shared/groups.ts";
import { checkBusyTimeout } from "../_shared/queue.ts";
import type { LibsqlHandle } from "./handle.ts";
import { LibsqlDriver } from "./driver.ts";

export type { LibsqlHandle } from "./handle.ts";
export {
  checkpoints,
  consumers,
  events,
  eventTags,
  inbox,
  libsqlTables,
  migrations,
  parked,
  scheduled,
  snapshots,
  subjectKeys,
} from "./sql/schema.ts";
export type { LibsqlTables } from "./sql/schema.ts";

/**
 * Options of the libSQL driver.
 *
 * @category Drivers
 */
export interface LibsqlOptions {
  /** The prefix of the tables' names: letters, digits and underscores. @default "es_" */
  readonly prefix?: string | undefined;
  /** How long a write waits for another transaction, in milliseconds. @default 5000 */
  readonly busyTimeout?: number | undefined;
  /**
   * Whether appends that arrive while others are under way are sent together, in one statement, each with its own
   * outcome; a number is the most of them in one statement. Appends in transactions and those to several streams go by
   * themselves. @default true, but for Cloudflare's
   * Workers, whose requests cannot wait for each other
   */
  readonly groups?: boolean | number | undefined;
}

/**
 * Creates a driver for libSQL. Does not connect by itself; call `migrate()` once to create the tables.
 *
 * In-transaction handlers work on a remote database too, but must be quick: its server ends a transaction that idles
 * for some seconds while another writer waits.
 *
 * @param db Any Drizzle handle for libSQL; the caller opens and closes it.
 * @throws {TypeError | RangeError} If `db` is not a Drizzle handle for libSQL, or an option is malformed.
 * @category Drivers
 */
export function libsql<Tx>(db: LibsqlHandle<Tx>, options: LibsqlOptions = {}): Driver<Tx> {
  const { prefix = "es_", busyTimeout = 5000 } = options;
  if (typeof prefix !== "string" || !/^[A-Za-z_][A-Za-z0-9_]{0,40}$/.test(prefix)) {
    throw new TypeError(
      "prefix must be 1 to 41 letters, digits and underscores, and must not begin with a digit",
    );
  }
  checkBusyTimeout(busyTimeout);
  const groups = readGroups(options.groups);
  // A handle has all members of a transaction but rollback(): afterCommit handlers get it as their db.
  return new LibsqlDriver<Tx>(db as Tx, { prefix, busyTimeout, groups });
}
