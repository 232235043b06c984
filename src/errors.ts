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
  | "INVALID_EVENT"
  | "MISSING_SCHEMA"
  | "NEWER_SCHEMA"
  | "STORE_REWOUND"
  | "TRANSACTION_ABORTED"
  | "UNKNOWN_EVENT_TYPE"
  | "UNKNOWN_OUTCOME"
  | "UNSUPPORTED";

const brand: symbol = Symbol.for("event-sourcery.error");

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

/** The expected version of a stream; see `AppendOptions.expectedVersion`. */
export type ExpectedVersion = number | "any" | "noStream" | "streamExists";

/** A stream was not at the version that the caller expected; nothing was stored. */
export class ConcurrencyError extends EventSourceryError {
  override readonly name = "ConcurrencyError";
  readonly code = "CONCURRENCY";
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
  override readonly name = "DuplicateEventError";
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
  override readonly name = "DuplicateEventTypeError";
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

/** The connection failed while events were stored, and whether they are could not be found out. */
export class UnknownOutcomeError extends EventSourceryError {
  override readonly name = "UnknownOutcomeError";
  readonly code = "UNKNOWN_OUTCOME";
  override readonly retryable = true;
  /** The streams that were to be appended to; empty for a transaction whose commit was not answered. */
  readonly streamIds: readonly string[];

  /** Says which streams. */
  constructor(streamIds: readonly string[], options?: ErrorOptions) {
    super(
      streamIds.length === 0
        ? "Cannot tell whether the transaction was committed: the connection failed; read what it wrote, then decide"
        : `Cannot tell whether the append to ${streamIds.map(quote).join(", ")} was stored: the connection failed; ` +
          "append the same events again, which stores them at most once",
      options,
    );
    this.streamIds = streamIds;
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
  override readonly name = "InvalidEventError";
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
  override readonly name = "UnknownEventTypeError";
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
  override readonly name = "CorruptEventError";
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
  override readonly name = "AggregateDiscardedError";
  readonly code = "AGGREGATE_DISCARDED";

  /** Says which aggregate. */
  constructor(id: string) {
    super(
      `Cannot use aggregate ${quote(id)}: its changes were rolled back or refused; load it again`,
    );
  }
}

/** Another writer held the store for longer than `busyTimeout`; nothing was stored. */
export class BusyError extends EventSourceryError {
  override readonly name = "BusyError";
  readonly code = "BUSY";
  override readonly retryable = true;

  /** Says how long was waited, and what to do inside a transaction. */
  constructor(waited: number, options?: ErrorOptions) {
    super(
      `Cannot write: another transaction held the store for ${waited} ms; ` +
        'inside a transaction or a handler, use the "store" that was passed to the function',
      options,
    );
  }
}

/** The database handle is closed, or its connection was lost. */
export class ConnectionError extends EventSourceryError {
  override readonly name = "ConnectionError";
  readonly code = "CONNECTION";
  override readonly retryable = true;

  /** Says that the database cannot be reached. */
  constructor(options?: ErrorOptions) {
    super(
      "Cannot reach the database: the handle is closed or the connection was lost; open a new handle",
      options,
    );
  }
}

/** The database refused a statement for a reason of its own, which stands in `cause`. */
export class DriverError extends EventSourceryError {
  override readonly name = "DriverError";
  readonly code = "DRIVER";

  /** Names the database's own error code where there is one. */
  constructor(
    action: string,
    options: ErrorOptions & { readonly databaseCode?: string | undefined },
  ) {
    const code = options.databaseCode === undefined ? "" : ` with code ${options.databaseCode}`;
    super(`Cannot ${action}: the database refused${code}; its error is the cause`, options);
  }
}

/** The tables are not there. */
export class MissingSchemaError extends EventSourceryError {
  override readonly name = "MissingSchemaError";
  readonly code = "MISSING_SCHEMA";

  /** Says which tables, and how to make them. */
  constructor(where: string, options?: ErrorOptions) {
    super(
      `Cannot find the tables of the event store in ${where}: call "await driver.migrate()" once`,
      options,
    );
  }
}

/** The tables were made by a newer version of this library, which this one cannot read or write safely. */
export class NewerSchemaError extends EventSourceryError {
  override readonly name = "NewerSchemaError";
  readonly code = "NEWER_SCHEMA";

  /** Says which versions. */
  constructor(found: number, known: number) {
    super(
      `Cannot use tables of schema version ${found}: this version knows ${known}; upgrade event-sourcery`,
    );
  }
}

/** The log went backwards, as after the restore of an older backup; positions would be given twice. */
export class StoreRewoundError extends EventSourceryError {
  override readonly name = "StoreRewoundError";
  readonly code = "STORE_REWOUND";

  /** Says what is ahead of what. */
  constructor(head: number, seen: number, options?: ErrorOptions) {
    super(
      `Cannot use the event store: its next position follows ${head}, but position ${seen} was already given; ` +
        "the database was restored to an older state, or its sequence was reset",
      options,
    );
  }
}

/** The transaction is aborted: the database will not commit it, whatever the code in it believes. */
export class TransactionAbortedError extends EventSourceryError {
  override readonly name = "TransactionAbortedError";
  readonly code = "TRANSACTION_ABORTED";
  override readonly retryable = true;

  /** Says that nothing of the transaction is stored. */
  constructor(options?: ErrorOptions) {
    super(
      "Cannot commit the transaction: the database aborted it, nothing of it is stored",
      options,
    );
  }
}

/** The database handle cannot do what was asked. */
export class UnsupportedError extends EventSourceryError {
  override readonly name = "UnsupportedError";
  readonly code = "UNSUPPORTED";

  /** Says what, and why. */
  constructor(action: string, reason: string) {
    super(`Cannot ${action}: ${reason}`);
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
  | InvalidEventError
  | MissingSchemaError
  | NewerSchemaError
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

/** Quotes a name for a message; long names are cut. */
export function quote(name: string): string {
  return JSON.stringify(name.length > 100 ? `${name.slice(0, 100)}…` : name);
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
