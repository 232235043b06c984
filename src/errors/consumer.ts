import { EventSourceryError, quote } from "./base.ts";

/**
 * Says that an event can never be handled, however often it is tried: thrown by a handler or publisher, it parks the
 * stream at once.
 *
 * @example A message that the broker refuses for good
 * ```ts
 * import { PermanentError } from "event-sourcery";
 * import assert from "node:assert/strict";
 *
 * const error = new PermanentError("the message is too large");
 * assert.equal(error.code, "PERMANENT");
 * ```
 */
export class PermanentError extends EventSourceryError {
  /** The name of the class. */
  override readonly name = "PermanentError";
  /** The stable code. */
  readonly code = "PERMANENT";

  /** Says why; the message is stored with the parked stream, so it must hold no secret. */
  constructor(reason: string, options?: ErrorOptions) {
    super(`Cannot handle the event, now or later: ${reason}`, options);
  }
}

/** A consumer's lane is another worker's by now: what is done for it will not be committed. */
export class LeaseLostError extends EventSourceryError {
  /** The name of the class. */
  override readonly name = "LeaseLostError";
  /** The stable code. */
  readonly code = "LEASE_LOST";
  /** Another worker goes on; this one may come back. */
  override readonly retryable = true;

  /** Says of which consumer. */
  constructor(consumer: string, options?: ErrorOptions) {
    super(
      `Cannot go on with consumer ${quote(consumer)}: its lease ran out, or it was rebuilt`,
      options,
    );
  }
}

/** A handler or publisher took longer than the consumer's `timeout`. */
export class HandlerTimeoutError extends EventSourceryError {
  /** The name of the class. */
  override readonly name = "HandlerTimeoutError";
  /** The stable code. */
  readonly code = "HANDLER_TIMEOUT";
  /** The event will be tried again. */
  override readonly retryable = true;

  /** Says how long it took. */
  constructor(consumer: string, timeout: number) {
    super(`Cannot wait any longer for consumer ${quote(consumer)}: no answer in ${timeout} ms`);
  }
}

/** A consumer was made with another number of lanes than it has. */
export class LanesMismatchError extends EventSourceryError {
  /** The name of the class. */
  override readonly name = "LanesMismatchError";
  /** The stable code. */
  readonly code = "LANES_MISMATCH";
  /** How many it has. */
  readonly lanes: number;

  /** Says how to change them. */
  constructor(consumer: string, lanes: number, wanted: number) {
    super(
      `Cannot run consumer ${quote(consumer)} with ${wanted} lanes: it has ${lanes}; ` +
        `call "await consumer.relane(${wanted})" once`,
    );
    this.lanes = lanes;
  }
}

/** A consumer wants other events than before: those that it passed over would never come. */
export class FilterMismatchError extends EventSourceryError {
  /** The name of the class. */
  override readonly name = "FilterMismatchError";
  /** The stable code. */
  readonly code = "FILTER_MISMATCH";

  /** Says what can be done. */
  constructor(consumer: string) {
    super(
      `Cannot run consumer ${
        quote(consumer)
      }: it wants other types or categories of events than before; ` +
        "rebuild it, give it another name or version, or say acceptFilter: true to have the new ones from now on",
    );
  }
}
