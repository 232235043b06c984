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
  | "OUTDATED_SCHEMA"
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
  /** Identifies the kind of error, and never changes between releases; `"BUSY"` is that of `BusyError`. */
  readonly code: EventSourceryErrorCode;
  /** Whether the same call may succeed when it is made again. */
  readonly retryable: boolean = false;

  static {
    Object.defineProperty(this.prototype, brand, { value: true });
  }

  /**
   * Sets `name` from the code, so that it is the class's own also where a minifier has renamed the class.
   *
   * @param code The code of the class.
   * @param message What was tried, and why it failed.
   */
  constructor(code: EventSourceryErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
    // Defined, not assigned: where `Error.prototype` is frozen, as under SES, an assignment throws.
    const value = nameOf(code);
    Object.defineProperty(this, "name", { value, writable: true, configurable: true });
  }
}

/** The name of the class whose code this is: `"LEASE_LOST"` is that of `LeaseLostError`. */
function nameOf(code: EventSourceryErrorCode): string {
  const words = code.split("_").map((word) => `${word.slice(0, 1)}${word.slice(1).toLowerCase()}`);
  return `${words.join("")}Error`;
}

/** Quotes a name for a message; long names are cut. */
export function quote(name: string): string {
  return JSON.stringify(name.length > 100 ? `${name.slice(0, 100)}…` : name);
}
