import { EventSourceryError, quote } from "./base.ts";

/**
 * An event can never be handled, however often it is tried: thrown by a handler or publisher, it parks the stream
 * immediately.
 *
 * What to do: mend what refuses the event and call `redrive()`, or give the event up with `discard()`.
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
  /** `"PERMANENT"`: the stream is parked without a further attempt. */
  declare readonly code: "PERMANENT";

  /** Makes the message, which gives the reason; it is stored with the parked stream, so it must hold no secret. */
  constructor(reason: string, options?: ErrorOptions) {
    super("PERMANENT", `Cannot handle the event, now or later: ${reason}`, options);
  }
}

/**
 * A consumer's lane is another worker's by now: what is done for it will not be committed.
 *
 * What to do: nothing, the new owner goes on; where it happens often, raise `lease` or make handlers shorter.
 */
export class LeaseLostError extends EventSourceryError {
  /** `"LEASE_LOST"`: the work is rolled back or will be repeated by the new owner. */
  declare readonly code: "LEASE_LOST";
  /** `true`: another worker goes on; this one may come back. */
  override readonly retryable = true;

  /** Makes the message, which names the consumer. */
  constructor(consumer: string, options?: ErrorOptions) {
    super(
      "LEASE_LOST",
      `Cannot go on with consumer ${quote(consumer)}: its lease ran out, or it was rebuilt`,
      options,
    );
  }
}

/**
 * A handler or publisher took longer than the consumer's `timeout`.
 *
 * What to do: let the handler stop when `signal` aborts, or raise the consumer's `timeout`.
 */
export class HandlerTimeoutError extends EventSourceryError {
  /** `"HANDLER_TIMEOUT"`: the call counts as failed. */
  declare readonly code: "HANDLER_TIMEOUT";
  /** `true`: the event will be tried again. */
  override readonly retryable = true;

  /** Makes the message, which says how long it took. */
  constructor(consumer: string, timeout: number) {
    super(
      "HANDLER_TIMEOUT",
      `Cannot wait any longer for consumer ${quote(consumer)}: no answer in ${timeout} ms`,
    );
  }
}

/**
 * A consumer was made with another number of lanes than it has.
 *
 * What to do: call `await consumer.relane(lanes)` once, or make the consumer with the number that it has.
 */
export class LanesMismatchError extends EventSourceryError {
  /** `"LANES_MISMATCH"`: the consumer has not run. */
  declare readonly code: "LANES_MISMATCH";
  /** How many it has. */
  readonly lanes: number;

  /** Makes the message, which says how to change them. */
  constructor(consumer: string, lanes: number, wanted: number) {
    super(
      "LANES_MISMATCH",
      `Cannot run consumer ${quote(consumer)} with ${wanted} lanes: it has ${lanes}; ` +
        `call "await consumer.relane(${wanted})" once`,
    );
    this.lanes = lanes;
  }
}

/**
 * A consumer wants other events than before: those that it passed over would never come.
 *
 * What to do: rebuild the consumer, give it another name or version, or accept the new filter from here on.
 */
export class FilterMismatchError extends EventSourceryError {
  /** `"FILTER_MISMATCH"`: the consumer has not run. */
  declare readonly code: "FILTER_MISMATCH";

  /** Makes the message, which says what can be done. */
  constructor(consumer: string) {
    super(
      "FILTER_MISMATCH",
      `Cannot run consumer ${
        quote(consumer)
      }: it wants other types or categories of events than before; ` +
        "rebuild it, give it another name or version, or say acceptFilter: true to have the new ones from now on",
    );
  }
}
