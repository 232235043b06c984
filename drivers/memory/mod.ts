/**
 * Keeps events in memory: for tests, and as the readable reference of what a driver does.
 *
 * It has the semantics of the SQL drivers, transactions, rollback and savepoints included. What is in it is gone with
 * the process.
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

/** How an in-memory driver behaves. */
export interface MemoryOptions<Db = undefined> {
  /**
   * What handlers and transactions get as `db`: `memory({ db })` for handlers written for a database, since a handler that
   * uses `db` does not compile without. @default undefined
   */
  readonly db?: Db | undefined;
  /** How long a write waits for an open transaction, in milliseconds. @default 5000 */
  readonly busyTimeout?: number | undefined;
}

/**
 * Makes a driver that keeps events in memory.
 *
 * @returns An empty store of its own; its `migrate` has nothing to do.
 * @throws {TypeError | RangeError} If an option is malformed or out of range.
 */
export function memory(options?: MemoryOptions): Driver<undefined>;
/**
 * Makes a driver that keeps events in memory, and hands a database of the caller's to handlers: for tests of handlers
 * that write to one. What they write there is not undone when a transaction of the store is rolled back.
 */
export function memory<Db>(options: MemoryOptions<Db> & { readonly db: Db }): Driver<Db>;
export function memory<Db>(options: MemoryOptions<Db> = {}): Driver<Db> {
  const { db, busyTimeout = 5000 } = options;
  checkBusyTimeout(busyTimeout);
  // The overloads see to it: where there is no `db`, its type is `undefined`.
  return new MemoryDriver(new Log(undefined), db as Db, busyTimeout);
}

// Field by field, here and in `read`: spreading and resting an object takes Node 20 twice the time.
