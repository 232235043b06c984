/**
 * Stores events in memory: for tests, and as a readable reference implementation of a driver.
 *
 * It has the semantics of the SQL drivers, including transactions, rollback and savepoints. Its content ends with the
 * process.
 *
 * @example A unit test without a database
 * ```ts
 * import { defineEvent, EventStore } from "event-sourcery";
 * import { memory } from "event-sourcery/memory";
 * import assert from "node:assert/strict";
 *
 * const Counted = defineEvent("Counted");
 * const store = new EventStore(memory(), { events: [Counted] });
 * await store.append("counter", [Counted(), Counted()]);
 * assert.equal(await store.version("counter"), 2);
 * ```
 *
 * @module
 */
import type { Driver } from "../../mod.ts";
import { checkBusyTimeout } from "../_shared/queue.ts";
import { Log } from "./log.ts";
import { MemoryDriver } from "./session.ts";

/**
 * Options of an in-memory driver.
 *
 * @category Drivers
 */
export interface MemoryOptions<Db = undefined> {
  /**
   * The `db` of handlers and transactions: pass it to test handlers that are written for a database, since a handler
   * that uses `db` does not compile without it. @default undefined
   */
  readonly db?: Db | undefined;
  /** How long a write waits for an open transaction, in milliseconds. @default 5000 */
  readonly busyTimeout?: number | undefined;
}

/**
 * Creates a driver that stores events in memory.
 *
 * @returns A driver with an empty log of its own; its `migrate` does nothing.
 * @throws {TypeError | RangeError} If an option is malformed or out of range.
 * @category Drivers
 */
export function memory(options?: MemoryOptions): Driver<undefined>;
/**
 * Creates a driver that stores events in memory and passes a database of the caller to handlers: for tests of handlers
 * that write to one. Their writes are not undone when a transaction of the store is rolled back.
 *
 * @category Drivers
 */
export function memory<Db>(options: MemoryOptions<Db> & { readonly db: Db }): Driver<Db>;
export function memory<Db>(options: MemoryOptions<Db> = {}): Driver<Db> {
  const { db, busyTimeout = 5000 } = options;
  checkBusyTimeout(busyTimeout);
  // The overloads guarantee it: without `db`, its type is `undefined`.
  return new MemoryDriver(new Log(undefined), db as Db, busyTimeout);
}
