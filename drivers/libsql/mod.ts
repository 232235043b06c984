/**
 * Stores events in libSQL: a file, Turso or any libSQL server, through any Drizzle handle. Imports no client, so it runs
 * in a Worker.
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
import { checkBusyTimeout } from "../_shared/queue.ts";
import type { LibsqlHandle } from "./handle.ts";
import { LibsqlDriver } from "./driver.ts";

export type { LibsqlHandle } from "./handle.ts";
export {
  checkpoints,
  consumers,
  events,
  eventTags,
  libsqlTables,
  migrations,
  parked,
} from "./sql/schema.ts";
export type { LibsqlTables } from "./sql/schema.ts";

/** How the libSQL driver works. */
export interface LibsqlOptions {
  /** What the tables' names begin with: letters, digits and underscores. @default "es_" */
  readonly prefix?: string | undefined;
  /** How long a write waits for another transaction, in milliseconds. @default 5000 */
  readonly busyTimeout?: number | undefined;
}

/**
 * Makes a driver for libSQL. Connects to nothing by itself; call `migrate()` once to make the tables.
 *
 * In-transaction handlers work on a remote database too, but must be quick: its server ends a transaction that idles for
 * some seconds while another writer waits.
 *
 * @param db Any Drizzle handle for libSQL; the caller opens and closes it.
 * @throws {TypeError | RangeError} If `db` is no Drizzle handle for libSQL, or an option is malformed.
 */
export function libsql<Tx>(db: LibsqlHandle<Tx>, options: LibsqlOptions = {}): Driver<Tx> {
  const { prefix = "es_", busyTimeout = 5000 } = options;
  if (typeof prefix !== "string" || !/^[A-Za-z_][A-Za-z0-9_]{0,40}$/.test(prefix)) {
    throw new TypeError(
      "prefix must be 1 to 41 letters, digits and underscores, and begin with none of the digits",
    );
  }
  checkBusyTimeout(busyTimeout);
  // A handle does whatever a transaction does, but for rollback(): afterCommit handlers get it as their db.
  return new LibsqlDriver<Tx>(db as Tx, { prefix, busyTimeout });
}
