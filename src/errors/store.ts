import type { ExpectedVersion } from "../driver/version.ts";
import { EventSourceryError, quote } from "./base.ts";

/**
 * A stream was not at the version that the caller expected, or has another event there; nothing was stored.
 *
 * What to do: load the stream again, decide again and append with its new version, as `Repository.aggregate` does.
 *
 * @category Errors
 */
export class ConcurrencyError extends EventSourceryError {
  /** `"CONCURRENCY"`: nothing was stored. */
  declare readonly code: "CONCURRENCY";
  /** `true`: the command has to be decided again on the stream's new events. */
  override readonly retryable = true;
  /** The stream of the append, with its category. */
  readonly streamId: string;
  /** The version that the caller expected. */
  readonly expected: ExpectedVersion;
  /** The version of the stream: 0 if it has no events, undefined if an aborted transaction cannot be asked. */
  readonly actual: number | undefined;
  /** Whether the surrounding transaction was aborted, so that only the whole of it can be retried. */
  readonly transactionAborted: boolean;

  /** Makes the message, which names the stream and both versions. */
  constructor(
    streamId: string,
    expected: ExpectedVersion,
    actual: number | undefined,
    options: ErrorOptions & { readonly transactionAborted?: boolean } = {},
  ) {
    super(
      "CONCURRENCY",
      `Cannot append to stream ${quote(streamId)}: expected ${describe(expected)}, ${
        describeActual(expected, actual)
      }`,
      options,
    );
    this.streamId = streamId;
    this.expected = expected;
    this.actual = actual;
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
  readonly eventId: string;

  /** Makes the message, which contains the id. */
  constructor(eventId: string, options?: ErrorOptions) {
    super(
      "DUPLICATE_EVENT",
      `Cannot append event ${
        quote(eventId)
      }: an event with this id is stored elsewhere or in another order`,
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
      `Cannot use aggregate ${quote(id)}: its changes were rolled back or refused; load it again`,
    );
  }
}

function describeActual(expected: ExpectedVersion, actual: number | undefined): string {
  if (actual === undefined) return "another writer was faster";
  return actual === expected
    ? "the event there is another: the stream was deleted and made anew"
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
