import type { ExpectedVersion } from "../driver/version.ts";
import { EventSourceryError, quote } from "./base.ts";

/**
 * A stream was not at the version that the caller expected, has another event there, or an event matches the condition;
 * nothing was stored. Or it was deleted while it was read, page by page.
 *
 * What to do: load or query again, decide again and append with the new version or condition, as `Repository.aggregate`
 * and `decision` do.
 *
 * @category Errors
 */
export class ConcurrencyError extends EventSourceryError {
  /** `"CONCURRENCY"`: nothing was stored. */
  declare readonly code: "CONCURRENCY";
  /** `true`: the command has to be decided again on the new events. */
  override readonly retryable = true;
  /** The stream of the append, or of the load, with its category. */
  declare readonly streamId: string;
  /** The version that the caller expected, or up to which the stream had been read. */
  declare readonly expected: ExpectedVersion;
  /**
   * The version of the stream: 0 if it has no events, undefined if an aborted transaction cannot be asked, the condition
   * was not met, or the stream was deleted while it was read.
   */
  declare readonly actual: number | undefined;
  /**
   * The first event that matches the condition and that the query had not returned, with its type as stored; undefined
   * if the version was not met.
   */
  declare readonly condition:
    | { readonly position: number; readonly type: string; readonly streamId: string }
    | undefined;
  /** Whether the surrounding transaction was aborted, so that only the whole of it can be retried. */
  declare readonly transactionAborted: boolean;

  /** Makes the message, which names the stream, and both versions or the event that matches the condition. */
  constructor(
    streamId: string,
    expected: ExpectedVersion,
    actual: number | undefined,
    options: ErrorOptions & {
      readonly transactionAborted?: boolean;
      readonly condition?: ConcurrencyError["condition"];
      /** Whether the stream was deleted while it was read. */
      readonly reading?: boolean;
    } = {},
  ) {
    const { condition, reading = false } = options;
    const expectation = condition === undefined
      ? `${describe(expected)}, ${describeActual(expected, actual)}`
      : `no match of the condition, event ${
        quote(condition.type)
      } at position ${condition.position} ` +
        `in stream ${quote(condition.streamId)} is one`;
    super(
      "CONCURRENCY",
      reading
        ? `Cannot read stream ${quote(streamId)}: it was deleted after version ${expected} was read`
        : `Cannot append to stream ${quote(streamId)}: expected ${expectation}`,
      options,
    );
    this.streamId = streamId;
    this.expected = expected;
    this.actual = actual;
    this.condition = condition;
    this.transactionAborted = options.transactionAborted ?? false;
  }
}

/**
 * An event's id is already used by another event; nothing was stored.
 *
 * What to do: give the event a new id; to repeat an append, send the same events in the same order to the same stream.
 *
 * @category Errors
 */
export class DuplicateEventError extends EventSourceryError {
  /** `"DUPLICATE_EVENT"`: nothing was stored. */
  declare readonly code: "DUPLICATE_EVENT";
  /** The id that is already used. */
  declare readonly eventId: string;

  /** Makes the message, which contains the id. */
  constructor(eventId: string, options?: ErrorOptions) {
    super(
      "DUPLICATE_EVENT",
      `Cannot append event ${quote(eventId)}: its id is stored elsewhere or in another order`,
      options,
    );
    this.eventId = eventId;
  }
}

/**
 * An aggregate was used after its changes were rolled back or refused.
 *
 * What to do: load the aggregate again and run the command on the new instance.
 *
 * @category Errors
 */
export class AggregateDiscardedError extends EventSourceryError {
  /** `"AGGREGATE_DISCARDED"`: nothing was emitted or saved. */
  declare readonly code: "AGGREGATE_DISCARDED";

  /** Makes the message, which contains the aggregate's id. */
  constructor(id: string) {
    super(
      "AGGREGATE_DISCARDED",
      `Cannot use aggregate ${quote(id)}: its changes were undone or refused; load it again`,
    );
  }
}

/**
 * A snapshot could not be taken, kept or restored; the command or load around it has succeeded without it.
 *
 * What to do: give plain data from `snapshot`, raise `stateVersion` when the state's shape changes, keep states small.
 *
 * @category Errors
 */
export class SnapshotError extends EventSourceryError {
  /** `"SNAPSHOT"`: only told to the store's `onError`. */
  declare readonly code: "SNAPSHOT";
  /** The stream whose state it is. */
  declare readonly streamId: string;
  /** The kind of the snapshot. */
  declare readonly kind: string;

  /** Makes the message, which names the stream and holds no data. */
  constructor(streamId: string, kind: string, reason: string, options?: ErrorOptions) {
    super("SNAPSHOT", `Cannot use a snapshot of ${quote(streamId)} (${kind}): ${reason}`, options);
    this.streamId = streamId;
    this.kind = kind;
  }
}

function describeActual(expected: ExpectedVersion, actual: number | undefined): string {
  if (actual === undefined) return "another writer was faster";
  return actual === expected
    ? "the event there is another, of a new stream"
    : `current version is ${actual}`;
}

function describe(expected: ExpectedVersion): string {
  if (typeof expected === "number") return `version ${expected}`;
  return {
    any: "any version",
    noStream: "no stream",
    streamExists: "an existing stream",
  }[expected];
}
