import { EventSourceryError, quote } from "./base.ts";

/**
 * The connection failed while events were being stored, and it could not be determined whether they are.
 *
 * What to do: append the same events, with the same ids, again; after a transaction, read what it wrote before
 * you repeat it.
 *
 * @category Errors
 */
export class UnknownOutcomeError extends EventSourceryError {
  /** `"UNKNOWN_OUTCOME"`: the events may be stored, or not. */
  declare readonly code: "UNKNOWN_OUTCOME";
  /** `true`: appending the same events again stores them at most once. */
  override readonly retryable = true;
  /** The streams of the append; empty for a transaction whose commit was not confirmed. */
  declare readonly streamIds: readonly string[];

  /** Makes the message, which names the streams. */
  constructor(
    streamIds: readonly string[],
    options?: ErrorOptions & { readonly reason?: string | undefined },
  ) {
    const what = streamIds.length === 0
      ? "the transaction was committed"
      : `the append to ${streamIds.map(quote).join(", ")} was stored`;
    const reason = options?.reason ? ` (${options.reason})` : "";
    super(
      "UNKNOWN_OUTCOME",
      `Cannot tell whether ${what}: the connection failed${reason}; read what is stored, then decide`,
      options,
    );
    this.streamIds = streamIds;
  }
}

/**
 * Another writer held the store, or a lane of a consumer, for longer than `busyTimeout`; nothing was stored.
 *
 * What to do: try again; inside a transaction or a handler, write through the `store` that was passed to the
 * function.
 *
 * @category Errors
 */
export class BusyError extends EventSourceryError {
  /** `"BUSY"`: nothing was stored. */
  declare readonly code: "BUSY";
  /** `true`: the other writer may have finished by then. */
  override readonly retryable = true;

  /** Makes the message, which says how long was waited and what to do; or which consumer's lane a worker holds. */
  constructor(
    waited: number,
    options?: ErrorOptions & { readonly consumer?: string | undefined },
  ) {
    super(
      "BUSY",
      options?.consumer === undefined
        ? `Cannot write: another transaction held the store for ${waited} ms; ` +
          'inside a transaction or a handler, use the "store" that was passed to the function'
        : `Cannot change consumer ${quote(options.consumer)}: a worker holds one of its lanes` +
          (waited > 0 ? `, and kept it for ${waited} ms` : "; stop its workers first"),
      options,
    );
  }
}

/**
 * The database handle is closed, or its connection was lost.
 *
 * What to do: check that the database is running and that the handle points to it; replace a closed handle with a new
 * one.
 *
 * @category Errors
 */
export class ConnectionError extends EventSourceryError {
  /** `"CONNECTION"`: nothing was read or stored. */
  declare readonly code: "CONNECTION";
  /** `true`: the database may be reachable again by then. */
  override readonly retryable = true;

  /** Makes the message, which says what failed, such as `ECONNREFUSED 127.0.0.1:5432`. */
  constructor(options?: ErrorOptions & { readonly reason?: string | undefined }) {
    super(
      "CONNECTION",
      `Cannot reach the database: ${
        options?.reason ??
          "the handle is closed or the connection was lost; open a new handle"
      }`,
      options,
    );
  }
}

/**
 * The database or its client refused a statement for a reason of its own, which stands in `cause`.
 *
 * What to do: read the `cause` and remove the reason, such as a missing privilege, a full disk or a constraint of your
 * own.
 *
 * @category Errors
 */
export class DriverError extends EventSourceryError {
  /** `"DRIVER"`: the statement had no effect. */
  declare readonly code: "DRIVER";

  /** Names the reason, such as `the database refused with disk_full (53100)`. */
  constructor(
    action: string,
    options: ErrorOptions & { readonly reason?: string | undefined },
  ) {
    const { reason = "the database refused", cause } = options;
    const more = cause === undefined ? "" : "; its error is the cause";
    super("DRIVER", `Cannot ${action}: ${reason}${more}`, options);
  }
}

/**
 * The tables of the event store do not exist.
 *
 * What to do: call `await driver.migrate()` once on this database, or point the handle to the migrated one.
 *
 * @category Errors
 */
export class MissingSchemaError extends EventSourceryError {
  /** `"MISSING_SCHEMA"`: nothing was read or stored. */
  declare readonly code: "MISSING_SCHEMA";

  /**
   * Makes the message, which says in which schema of which database the tables were looked for.
   *
   * @param options Which tables have vanished of a log whose other tables are there. @default all are missing
   */
  constructor(
    where: string,
    options?: ErrorOptions & { readonly vanished?: readonly string[] | undefined },
  ) {
    super(
      "MISSING_SCHEMA",
      options?.vanished === undefined
        ? `Cannot find the tables of the event store in ${where}: call "await driver.migrate()" once`
        : `Cannot use the event store in ${where}: of its tables, ${
          options.vanished.join(", ")
        } have vanished; restore them from a backup, or drop the others to begin a new log`,
      options,
    );
  }
}

/**
 * The tables were made by a newer version of this library, which this one cannot read or write safely.
 *
 * What to do: upgrade event-sourcery in this process to the version that migrated the database.
 *
 * @category Errors
 */
export class NewerSchemaError extends EventSourceryError {
  /** `"NEWER_SCHEMA"`: nothing was read or stored. */
  declare readonly code: "NEWER_SCHEMA";

  /** Makes the message, which states both schema versions. */
  constructor(found: number, known: number) {
    super(
      "NEWER_SCHEMA",
      `Cannot use tables of schema version ${found}: this version knows ${known}; upgrade event-sourcery`,
    );
  }
}

/**
 * The tables were made by an older version of this library, which this one neither reads nor upgrades.
 *
 * What to do: drop the tables, or use another schema or prefix, and call `await driver.migrate()`.
 *
 * @category Errors
 */
export class OutdatedSchemaError extends EventSourceryError {
  /** `"OUTDATED_SCHEMA"`: nothing was read or changed. */
  declare readonly code: "OUTDATED_SCHEMA";

  /** Makes the message, which names both versions. */
  constructor(found: number, oldest: number) {
    super(
      "OUTDATED_SCHEMA",
      `Cannot use tables of schema version ${found}: this version begins at ${oldest}; ` +
        'drop the tables, or use another schema or prefix, and call "await driver.migrate()" once',
    );
  }
}

/**
 * The log went backwards, as after the restore of an older backup; positions would be given twice.
 *
 * What to do: restore all tables of the store from one backup; where only the sequence was left behind, as by logical
 * replication, call `await driver.repairPosition()` once.
 *
 * @category Errors
 */
export class StoreRewoundError extends EventSourceryError {
  /** `"STORE_REWOUND"`: nothing was stored, and consumers do not advance. */
  declare readonly code: "STORE_REWOUND";

  /** Makes the message, which states the log's last position and the highest one that was seen. */
  constructor(head: number, seen: number, options?: ErrorOptions) {
    super(
      "STORE_REWOUND",
      `Cannot use the event store: its next position follows ${head}, but position ${seen} was already given; ` +
        'restore all its tables from one backup or, if it has all events, call "await driver.repairPosition()" once',
      options,
    );
  }
}

/**
 * The transaction is aborted: the database will not commit it, even if its work has returned normally.
 *
 * What to do: run the whole transaction again, and let database errors leave the work instead of catching them inside.
 *
 * @category Errors
 */
export class TransactionAbortedError extends EventSourceryError {
  /** `"TRANSACTION_ABORTED"`: nothing of the transaction is stored. */
  declare readonly code: "TRANSACTION_ABORTED";
  /** `true`: the whole transaction has to run again, not its last statement. */
  override readonly retryable = true;

  /** Makes the message; it is the same for every aborted transaction. */
  constructor(options?: ErrorOptions) {
    super(
      "TRANSACTION_ABORTED",
      "Cannot commit the transaction: the database aborted it, nothing of it is stored",
      options,
    );
  }
}

/**
 * The database handle does not support the operation.
 *
 * What to do: use a database handle that supports it, such as one with interactive transactions.
 *
 * @category Errors
 */
export class UnsupportedError extends EventSourceryError {
  /** `"UNSUPPORTED"`: nothing was started. */
  declare readonly code: "UNSUPPORTED";

  /** Makes the message from the attempted action and the reason. */
  constructor(action: string, reason: string) {
    super("UNSUPPORTED", `Cannot ${action}: ${reason}`);
  }
}
