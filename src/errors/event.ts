import { brand, EventSourceryError, type EventSourceryErrorCode, quote } from "./base.ts";
import type {
  BusyError,
  ConnectionError,
  DriverError,
  MissingSchemaError,
  NewerSchemaError,
  StoreRewoundError,
  TransactionAbortedError,
  UnknownOutcomeError,
  UnsupportedError,
} from "./driver.ts";
import type {
  FilterMismatchError,
  HandlerTimeoutError,
  LanesMismatchError,
  LeaseLostError,
  PermanentError,
} from "./consumer.ts";

/** The expected version of a stream; see `AppendOptions.expectedVersion`. */
export type ExpectedVersion = number | "any" | "noStream" | "streamExists";

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
  /** The version the stream has; 0 where there is none. */
  readonly actual: number;
  /** Whether the surrounding transaction is lost, so that only the whole of it can be tried again. */
  readonly transactionAborted: boolean;

  /** Says which stream, and both versions. */
  constructor(
    streamId: string,
    expected: ExpectedVersion,
    actual: number,
    options: ErrorOptions & { readonly transactionAborted?: boolean } = {},
  ) {
    super(
      `Cannot append to stream ${quote(streamId)}: expected ${
        describe(expected)
      }, current version is ${actual}`,
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

/** Two event types of one store share a name or an alias. */
export class DuplicateEventTypeError extends EventSourceryError {
  /** The name of the class. */
  override readonly name = "DuplicateEventTypeError";
  /** The stable code. */
  readonly code = "DUPLICATE_EVENT_TYPE";
  /** The name that both claim. */
  readonly type: string;

  /** Says which name. */
  constructor(type: string) {
    super(
      `Cannot make an event store: two event types claim the name ${
        quote(type)
      }; give one of them another`,
    );
    this.type = type;
  }
}

/** One thing that is wrong with an event's data or metadata. */
export interface Issue {
  /** What is wrong, in the words of the schema; may quote data, so it is never part of an error's message. */
  readonly message: string;
  /** The keys that lead to it, outermost first; empty for the whole. */
  readonly path: readonly PropertyKey[];
}

/** An event's data, metadata, id, time or tags cannot be used; nothing was made or stored. */
export class InvalidEventError extends EventSourceryError {
  /** The name of the class. */
  override readonly name = "InvalidEventError";
  /** The stable code. */
  readonly code = "INVALID_EVENT";
  /** The type of the event. */
  readonly type: string;
  /** Everything that is wrong, each with its path. */
  readonly issues: readonly Issue[];

  /** Lists the paths of all issues. */
  constructor(
    type: string,
    issues: readonly Issue[],
    options?: ErrorOptions & { readonly reason?: string },
  ) {
    const paths = [...new Set(issues.map(({ path }) => formatPath(path)))].slice(0, 10).join(", ");
    super(
      `Cannot use event ${quote(type)}: ${options?.reason ?? "invalid data"} at ${paths}`,
      options,
    );
    this.type = type;
    this.issues = issues;
  }
}

/** A stored event, or one to be appended, is of a type that the store was not made with. */
export class UnknownEventTypeError extends EventSourceryError {
  /** The name of the class. */
  override readonly name = "UnknownEventTypeError";
  /** The stable code. */
  readonly code = "UNKNOWN_EVENT_TYPE";
  /** The type that nobody defined. */
  readonly type: string;

  /** Says which type, and what to do. */
  constructor(type: string) {
    super(
      `Cannot use event type ${quote(type)}: the store was not made with it; ` +
        'add it to "events", add it to the "aliases" of its new name, or read with unknownEvents: "keep"',
    );
    this.type = type;
  }
}

/** A stored event cannot be read: its data does not decode, or an upcaster threw. */
export class CorruptEventError extends EventSourceryError {
  /** The name of the class. */
  override readonly name = "CorruptEventError";
  /** The stable code. */
  readonly code = "CORRUPT_EVENT";
  /** The stream of the event. */
  readonly streamId: string;
  /** The version of the event in its stream. */
  readonly version: number;

  /** Says which event. */
  constructor(streamId: string, version: number, reason: string, options?: ErrorOptions) {
    super(`Cannot read event ${version} of stream ${quote(streamId)}: ${reason}`, options);
    this.streamId = streamId;
    this.version = version;
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

/** Every error of this library, told apart by `code`. */
export type AnyEventSourceryError =
  | AggregateDiscardedError
  | BusyError
  | ConcurrencyError
  | ConnectionError
  | CorruptEventError
  | DriverError
  | DuplicateEventError
  | DuplicateEventTypeError
  | FilterMismatchError
  | HandlerTimeoutError
  | InvalidEventError
  | LanesMismatchError
  | LeaseLostError
  | MissingSchemaError
  | NewerSchemaError
  | PermanentError
  | StoreRewoundError
  | TransactionAbortedError
  | UnknownEventTypeError
  | UnknownOutcomeError
  | UnsupportedError;

/**
 * Tells whether a value is an error of this library, and of the given code where one is given.
 *
 * Works across two copies of the package, where `instanceof` does not.
 *
 * @param error What was caught.
 * @param code The code to look for; any code when left out.
 * @returns `true` where it is, and the error's type is narrowed.
 */
export function isEventSourceryError<Code extends EventSourceryErrorCode = EventSourceryErrorCode>(
  error: unknown,
  code?: Code,
): error is Extract<AnyEventSourceryError, { readonly code: Code }> {
  return typeof error === "object" && error !== null && brand in error &&
    (code === undefined || "code" in error && error.code === code);
}

/** Writes a path as one would in code: `"lines[2].price"`. */
export function formatPath(path: readonly PropertyKey[]): string {
  const text = path.map((key) => typeof key === "number" ? `[${key}]` : `.${String(key)}`).join("");
  return text === "" ? "the top" : quote(text.replace(/^\./, ""));
}

function describe(expected: ExpectedVersion): string {
  if (typeof expected === "number") return `version ${expected}`;
  return {
    any: "any version",
    noStream: "no stream",
    streamExists: "an existing stream",
  }[expected];
}
