import type { ExpectedVersion } from "../driver/version.ts";
import { EventSourceryError, quote } from "./base.ts";

/** A stream was not at the version that the caller expected; nothing was stored. */
export class ConcurrencyError extends EventSourceryError {
  /** The name of the class. */
  override readonly name = "ConcurrencyError";
  /** The stable code. */
  readonly code = "CONCURRENCY";
  /** The same call may succeed when it is made again. */
  override readonly retryable = true;
  /** The stream that was to be appended to. */
  readonly streamId: string;
  /** What the caller expected. */
  readonly expected: ExpectedVersion;
  /** The version the stream has: 0 where it has no events, undefined where an aborted transaction cannot be asked. */
  readonly actual: number | undefined;
  /** Whether the surrounding transaction is lost, so that only the whole of it can be tried again. */
  readonly transactionAborted: boolean;

  /** Says which stream, and both versions. */
  constructor(
    streamId: string,
    expected: ExpectedVersion,
    actual: number | undefined,
    options: ErrorOptions & { readonly transactionAborted?: boolean } = {},
  ) {
    super(
      `Cannot append to stream ${quote(streamId)}: expected ${describe(expected)}, ${
        actual === undefined ? "another writer was faster" : `current version is ${actual}`
      }`,
      options,
    );
    this.streamId = streamId;
    this.expected = expected;
    this.actual = actual;
    this.transactionAborted = options.transactionAborted ?? false;
  }
}

/** An event's id is taken by another event; nothing was stored. */
export class DuplicateEventError extends EventSourceryError {
  /** The name of the class. */
  override readonly name = "DuplicateEventError";
  /** The stable code. */
  readonly code = "DUPLICATE_EVENT";
  /** The id that is taken. */
  readonly eventId: string;

  /** Says which id. */
  constructor(eventId: string, options?: ErrorOptions) {
    super(
      `Cannot append event ${
        quote(eventId)
      }: an event with this id is stored elsewhere or in another order`,
      options,
    );
    this.eventId = eventId;
  }
}

/** An aggregate was used whose changes were rolled back or refused; load it again. */
export class AggregateDiscardedError extends EventSourceryError {
  /** The name of the class. */
  override readonly name = "AggregateDiscardedError";
  /** The stable code. */
  readonly code = "AGGREGATE_DISCARDED";

  /** Says which aggregate. */
  constructor(id: string) {
    super(
      `Cannot use aggregate ${quote(id)}: its changes were rolled back or refused; load it again`,
    );
  }
}

function describe(expected: ExpectedVersion): string {
  if (typeof expected === "number") return `version ${expected}`;
  return {
    any: "any version",
    noStream: "no stream",
    streamExists: "an existing stream",
  }[expected];
}
