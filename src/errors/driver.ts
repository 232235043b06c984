import { EventSourceryError, quote } from "./base.ts";

/** The connection failed while events were stored, and whether they are could not be found out. */
export class UnknownOutcomeError extends EventSourceryError {
  /** The name of the class. */
  override readonly name = "UnknownOutcomeError";
  /** The stable code. */
  readonly code = "UNKNOWN_OUTCOME";
  /** The same call may succeed when it is made again. */
  override readonly retryable = true;
  /** The streams that were to be appended to; empty for a transaction whose commit was not answered. */
  readonly streamIds: readonly string[];

  /** Says which streams. */
  constructor(streamIds: readonly string[], options?: ErrorOptions) {
    super(
      streamIds.length === 0
        ? "Cannot tell whether the transaction was committed: the connection failed; read what it wrote, then decide"
        : `Cannot tell whether the append to ${
          streamIds.map(quote).join(", ")
        } was stored: the connection failed; ` +
          "append the same events again, which stores them at most once",
      options,
    );
    this.streamIds = streamIds;
  }
}

/** Another writer held the store for longer than `busyTimeout`, or a lane of a consumer; nothing was stored. */
export class BusyError extends EventSourceryError {
  /** The name of the class. */
  override readonly name = "BusyError";
  /** The stable code. */
  readonly code = "BUSY";
  /** The same call may succeed when it is made again. */
  override readonly retryable = true;

  /** Says how long was waited, and what to do inside a transaction; or for which consumer's lane. */
  constructor(
    waited: number,
    options?: ErrorOptions & { readonly consumer?: string | undefined },
  ) {
    super(
      options?.consumer === undefined
        ? `Cannot write: another transaction held the store for ${waited} ms; ` +
          'inside a transaction or a handler, use the "store" that was passed to the function'
        : `Cannot change the lanes of consumer ${
          quote(options.consumer)
        }: another worker kept one for ${waited} ms`,
      options,
    );
  }
}

/** The database handle is closed, or its connection was lost. */
export class ConnectionError extends EventSourceryError {
  /** The name of the class. */
  override readonly name = "ConnectionError";
  /** The stable code. */
  readonly code = "CONNECTION";
  /** The same call may succeed when it is made again. */
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
  /** The name of the class. */
  override readonly name = "DriverError";
  /** The stable code. */
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
  /** The name of the class. */
  override readonly name = "MissingSchemaError";
  /** The stable code. */
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
  /** The name of the class. */
  override readonly name = "NewerSchemaError";
  /** The stable code. */
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
  /** The name of the class. */
  override readonly name = "StoreRewoundError";
  /** The stable code. */
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
  /** The name of the class. */
  override readonly name = "TransactionAbortedError";
  /** The stable code. */
  readonly code = "TRANSACTION_ABORTED";
  /** The same call may succeed when it is made again. */
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
  /** The name of the class. */
  override readonly name = "UnsupportedError";
  /** The stable code. */
  readonly code = "UNSUPPORTED";

  /** Says what, and why. */
  constructor(action: string, reason: string) {
    super(`Cannot ${action}: ${reason}`);
  }
}
