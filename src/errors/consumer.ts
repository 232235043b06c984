import { EventSourceryError, quote } from "./base.ts";
import { checkNumber, maxInt32 } from "./check.ts";

/**
 * An event can never be handled, no matter how often it is retried: thrown by a handler or publisher, it parks the
 * stream immediately.
 *
 * What to do: fix what rejects the event and call `redrive()`, or give the event up with `discard()`.
 *
 * @category Errors
 *
 * @example A message that the broker rejects permanently
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

  /** Makes the message from the reason; it is stored with the parked stream, so it must not contain a secret. */
  constructor(reason: string, options?: ErrorOptions) {
    super("PERMANENT", `Cannot handle the event, now or later: ${reason}`, options);
  }
}

/**
 * An event cannot be handled yet: thrown by a handler or publisher, it is tried again no earlier than after a delay.
 *
 * What to do: nothing; the delay is what the other side asked for, as a server does by `Retry-After`.
 *
 * @category Errors
 *
 * @example A server that asks for a pause
 * ```ts
 * import { RetryLaterError } from "event-sourcery";
 * import assert from "node:assert/strict";
 *
 * const error = new RetryLaterError("the server is busy", 30_000);
 * assert.equal(error.delay, 30_000);
 * ```
 */
export class RetryLaterError extends EventSourceryError {
  /** `"RETRY_LATER"`: the call counts as failed, and its retry waits for `delay` at least. */
  declare readonly code: "RETRY_LATER";
  /** `true`: the event will be tried again. */
  override readonly retryable = true;
  /** The least time before the next attempt, in milliseconds. */
  readonly delay: number;

  /**
   * Makes the message from the reason; it is stored with the parked stream, so it must not contain a secret.
   *
   * @param delay The least time before the next attempt, in milliseconds, at most 2^31 - 1.
   * @throws {TypeError | RangeError} If the delay is not a whole number in that range.
   */
  constructor(reason: string, delay: number, options?: ErrorOptions) {
    checkNumber("delay", delay, 0, maxInt32);
    super("RETRY_LATER", `Cannot handle the event yet: ${reason}`, options);
    this.delay = delay;
  }
}

/**
 * A consumer's lane belongs to another worker by now: further work on it cannot be committed.
 *
 * What to do: nothing, the new owner continues; if it happens often, raise `lease` or shorten the handlers.
 *
 * @category Errors
 */
export class LeaseLostError extends EventSourceryError {
  /** `"LEASE_LOST"`: the work was rolled back, or will be repeated by the new owner. */
  declare readonly code: "LEASE_LOST";
  /** `true`: another worker continues, and this one can get the lane again later. */
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
 *
 * @category Errors
 */
export class HandlerTimeoutError extends EventSourceryError {
  /** `"HANDLER_TIMEOUT"`: the call counts as failed. */
  declare readonly code: "HANDLER_TIMEOUT";
  /** `true`: the event will be tried again. */
  override readonly retryable = true;

  /** Makes the message, which states the timeout. */
  constructor(consumer: string, timeout: number) {
    super(
      "HANDLER_TIMEOUT",
      `Cannot wait any longer for consumer ${quote(consumer)}: no answer in ${timeout} ms`,
    );
  }
}

/**
 * A consumer was made with another number of lanes than is stored for it.
 *
 * What to do: call `await consumer.relane(lanes)` once, or make the consumer with the stored number.
 *
 * @category Errors
 */
export class LanesMismatchError extends EventSourceryError {
  /** `"LANES_MISMATCH"`: the consumer has not run. */
  declare readonly code: "LANES_MISMATCH";
  /** The number of lanes that is stored. */
  declare readonly lanes: number;

  /** Names both numbers and how to change them; no lanes at all means that the consumer was forgotten. */
  constructor(consumer: string, lanes: number, wanted: number) {
    super(
      "LANES_MISMATCH",
      lanes === 0
        ? `Cannot run consumer ${quote(consumer)}: it was forgotten; make it anew to begin again`
        : `Cannot run consumer ${quote(consumer)} with ${wanted} lanes: it has ${lanes}; ` +
          `call "await consumer.relane(${wanted})" once`,
    );
    this.lanes = lanes;
  }
}

/**
 * Which events a consumer wants: an omitted list stands for all of them.
 *
 * @category Errors
 */
export interface ConsumerFilter {
  /** The names of the event types. @default all */
  readonly types?: readonly string[] | undefined;
  /** The categories of the streams. @default all */
  readonly categories?: readonly string[] | undefined;
  /** Whether it wants only events that were published, as an outbox does. @default false */
  readonly published?: boolean | undefined;
}

/**
 * A consumer's filter selects other events than before: those that it has already skipped would never be delivered.
 *
 * What to do: rebuild the consumer, give it another name or version, or set `onFilterChange`.
 *
 * @category Errors
 */
export class FilterMismatchError extends EventSourceryError {
  /** `"FILTER_MISMATCH"`: the consumer has not run. */
  declare readonly code: "FILTER_MISMATCH";
  /** The event types that it wants as well now; `"*"` stands for all others. */
  declare readonly newTypes: readonly string[];
  /** The event types that it no longer wants; `"*"` stands for all others. */
  declare readonly goneTypes: readonly string[];
  /** The categories that it wants as well now; `"*"` stands for all others. */
  declare readonly newCategories: readonly string[];
  /** The categories that it no longer wants; `"*"` stands for all others. */
  declare readonly goneCategories: readonly string[];

  /**
   * Makes the message, which names what is new and what is gone, and what can be done.
   *
   * @param before What is stored of the consumer.
   * @param wanted What it wants now.
   */
  constructor(consumer: string, before: ConsumerFilter, wanted: ConsumerFilter) {
    const newTypes = missing(before.types, wanted.types);
    const goneTypes = missing(wanted.types, before.types);
    const newCategories = missing(before.categories, wanted.categories);
    const goneCategories = missing(wanted.categories, before.categories);
    const changes = [
      ...changed("type", "types", newTypes, goneTypes),
      ...changed("category", "categories", newCategories, goneCategories),
    ];
    if (before.published !== wanted.published) {
      changes.push(`it wants ${wanted.published ? "only" : "more than"} published events now`);
    }
    super(
      "FILTER_MISMATCH",
      `Cannot run consumer ${quote(consumer)}: ${changes.join(", ")}; ` +
        'give it another name or version, or set onFilterChange to "accept" or, for a projection, "rebuild"',
    );
    this.newTypes = newTypes;
    this.goneTypes = goneTypes;
    this.newCategories = newCategories;
    this.goneCategories = goneCategories;
  }
}

/** Which names the second list has beyond the first; an omitted list has all. */
function missing(
  first: readonly string[] | undefined,
  second: readonly string[] | undefined,
): readonly string[] {
  if (first === undefined) return [];
  return second === undefined ? ["*"] : second.filter((name) => !first.includes(name));
}

/** At most so many names stand in a message. */
const most = 5;

function changed(
  noun: string,
  plural: string,
  added: readonly string[],
  gone: readonly string[],
): readonly string[] {
  const list = (names: readonly string[]) => {
    if (names[0] === "*") return `all other ${plural}`;
    const more = names.length > most ? ` and ${names.length - most} more` : "";
    const shown = names.slice(0, most).map(quote).join(", ");
    return `${names.length > 1 ? plural : noun} ${shown}${more}`;
  };
  return [
    ...(added.length > 0 ? [`it wants ${list(added)} as well`] : []),
    ...(gone.length > 0 ? [`it no longer wants ${list(gone)}`] : []),
  ];
}
