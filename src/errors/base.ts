/** The stable code of every error of this library. */
export type EventSourceryErrorCode =
  | "AGGREGATE_DISCARDED"
  | "BUSY"
  | "CONCURRENCY"
  | "CONNECTION"
  | "CORRUPT_EVENT"
  | "DRIVER"
  | "DUPLICATE_EVENT"
  | "DUPLICATE_EVENT_TYPE"
  | "FILTER_MISMATCH"
  | "HANDLER_TIMEOUT"
  | "INVALID_EVENT"
  | "LANES_MISMATCH"
  | "LEASE_LOST"
  | "MISSING_SCHEMA"
  | "NEWER_SCHEMA"
  | "PERMANENT"
  | "STORE_REWOUND"
  | "TRANSACTION_ABORTED"
  | "UNKNOWN_EVENT_TYPE"
  | "UNKNOWN_OUTCOME"
  | "UNSUPPORTED";

/** Marks every error of this library, also those of another copy of it. */
export const brand: symbol = Symbol.for("event-sourcery.error");

/**
 * The base of every error of this library.
 *
 * A message never carries event data, SQL or parameters. What a database client threw stands in `cause`.
 *
 * @example Tell errors apart by their code
 * ```ts
 * import { ConcurrencyError, isEventSourceryError } from "event-sourcery";
 * import assert from "node:assert/strict";
 *
 * const error: unknown = new ConcurrencyError("order:42", 3, 5);
 * assert(isEventSourceryError(error, "CONCURRENCY"));
 * assert.equal(error.retryable, true);
 * ```
 */
export abstract class EventSourceryError extends Error {
  /** The stable code of this kind of error. */
  abstract readonly code: EventSourceryErrorCode;
  /** Whether the same call may succeed when it is made again. */
  readonly retryable: boolean = false;

  static {
    Object.defineProperty(this.prototype, brand, { value: true });
  }

  /** Sets the message, and the cause where there is one. */
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = new.target.name;
  }
}

/** Quotes a name for a message; long names are cut. */
export function quote(name: string): string {
  return JSON.stringify(name.length > 100 ? `${name.slice(0, 100)}…` : name);
}
