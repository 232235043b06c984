/**
 * The codes of all errors of this library; a code never changes between releases.
 *
 * @category Errors
 */
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
  | "KEY_UNAVAILABLE"
  | "LANES_MISMATCH"
  | "LEASE_LOST"
  | "MISSING_SCHEMA"
  | "NEWER_EVENT"
  | "NEWER_SCHEMA"
  | "OUTDATED_SCHEMA"
  | "PERMANENT"
  | "RETRY_LATER"
  | "SNAPSHOT"
  | "STORE_REWOUND"
  | "TRANSACTION_ABORTED"
  | "UNKNOWN_EVENT_TYPE"
  | "UNKNOWN_OUTCOME"
  | "UNSUPPORTED";

/** Marks every error of this library, also those made by another copy of it. */
export const brand: symbol = Symbol.for("event-sourcery.error");

/**
 * The base of every error of this library.
 *
 * A message never contains event data, SQL or parameters. The error of the database client is the `cause`.
 *
 * @category Errors
 *
 * @example Distinguish errors by their code
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
  /** Identifies the kind of error, and never changes between releases: `"BUSY"` is the code of `BusyError`. */
  declare readonly code: EventSourceryErrorCode;
  /** Whether the same call may succeed if it is repeated. */
  readonly retryable: boolean = false;

  static {
    Object.defineProperty(this.prototype, brand, { value: true });
  }

  /**
   * Sets `name` from the code, so that it is right even if a minifier has renamed the class.
   *
   * @param code The code of the class.
   * @param message The attempted action, and why it failed.
   */
  constructor(code: EventSourceryErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
    // Defined, not assigned: where `Error.prototype` is frozen, as under SES, an assignment throws.
    const value = nameOf(code);
    Object.defineProperty(this, "name", { value, writable: true, configurable: true });
  }
}

/** Returns the name of the class with this code: `LeaseLostError` for `"LEASE_LOST"`. */
function nameOf(code: EventSourceryErrorCode): string {
  const words = `_${code.toLowerCase()}`;
  return `${words.replace(/_./g, (start) => start.slice(1).toUpperCase())}Error`;
}

/** Quotes a name for a message; names longer than 100 characters are truncated. */
export function quote(name: string): string {
  return JSON.stringify(name.length > 100 ? name.slice(0, 100) + "…" : name);
}
