import type { AppendOutcome, AppendRequest } from "./append.ts";
import type { Checkpoints } from "./checkpoints.ts";
import type {
  LogPage,
  LogQuery,
  StoredStream,
  StreamPage,
  StreamQuery,
  StreamsQuery,
} from "./read.ts";

/**
 * Stores events. The only seam to a database.
 *
 * A driver stores, orders, locks and reports; all policy (encoding, ids, retries, subscriptions) is the core's.
 * It sees names that are already checked and JSON that is already encoded, never an event's own objects.
 * Whether a driver keeps these promises, `driverContract` from `event-sourcery/testing` tells.
 */
export interface Driver<Db = unknown> extends Session<Db> {
  /** What the database behind it can do. */
  readonly capabilities: Capabilities;

  /**
   * Makes the tables, or upgrades them. Idempotent, and safe when many call it at once.
   *
   * @throws {NewerSchemaError} If a newer version of this library made them.
   * @throws {StoreRewoundError} If the log was set back behind what it holds; see `repairPosition`.
   */
  migrate(): Promise<void>;

  /**
   * Moves the next position past everything that an event or a checkpoint holds, where the log was set back behind that:
   * call it once after a restore, a dump of the tables or logical replication, which leave Postgres's sequence behind.
   * Then every process goes on by itself. Changes nothing where the log is sound, and is safe when many call it at once.
   *
   * @returns The last position that counts as given: the next event comes after it.
   * @throws {UnsupportedError} If this takes a transaction, and the database handle has none.
   * @throws {BusyError} If another transaction held the store for too long.
   *
   * @example After a cutover by logical replication
   * ```ts
   * import { memory } from "event-sourcery/memory";
   *
   * const driver = memory(); // postgres(db) or libsql(db)
   * const head = await driver.repairPosition();
   * console.log(`the next event comes after position ${head}`);
   * ```
   */
  repairPosition(): Promise<number>;

  /**
   * Gives a session inside a transaction that the caller opened and will end.
   *
   * @param db The database handle of that transaction.
   */
  using(db: Db): Session<Db>;

  /** Wakes the consumers of other processes; absent where that cannot be, or polling does as well. */
  readonly notifier?: Notifier | undefined;
}

/** Wakes the consumers of other processes. Only a hint: whatever it loses, polling finds. */
export interface Notifier {
  /** Rings, soon and at most some hundred times a second; never throws, and nobody waits for it. */
  notify(): void;

  /**
   * Listens until it is told to stop, mending its connection by itself.
   *
   * @param wake Is called after others rang, and when the connection is there again.
   * @returns Stops listening, at once or once it has begun.
   */
  listen(wake: () => void): () => void;
}

/** What the database behind a driver can do. */
export interface Capabilities {
  /** Whether it has interactive transactions: `transaction` works, and so do in-transaction subscriptions. */
  readonly transactions: boolean;
  /** Whether appends run side by side, or for want of locks one by one; known once the tables were found. */
  readonly appends?: "concurrent" | "serial" | undefined;
  /** Whether `scan` reads backwards. @default false */
  readonly backwards?: boolean | undefined;
  /** Whether `streams` lists by a prefix. @default false */
  readonly prefix?: boolean | undefined;
}

/** The operations of a driver, on their own or inside one transaction. */
export interface Session<Db = unknown> {
  /** The handle for the user's own statements; inside a transaction, that transaction's. */
  readonly db: Db;
  /** Where consumers keep how far they have got; absent where a driver serves none. */
  readonly checkpoints?: Checkpoints | undefined;

  /**
   * Appends events.
   *
   * Each request is atomic and has its own outcome; one that is refused stores nothing, harms no other request and
   * leaves an open transaction usable. A request whose event ids are all new, whose expectations all hold and
   * whose race is won is stored: its events take the next versions of their streams, and positions above every
   * position that was given before, ascending within a stream.
   *
   * @param requests At least one.
   * @returns The outcomes, in the order of the requests.
   * @throws {UnknownOutcomeError} If the connection failed and whether the events are stored is not known.
   */
  append(requests: readonly AppendRequest[]): Promise<readonly AppendOutcome[]>;

  /**
   * Loads a page of one stream, in version order, or from the newest to the oldest.
   *
   * A page of large events ends before its limit, so that it stays within what one answer of the database can hold.
   */
  load(query: StreamQuery): Promise<StreamPage>;

  /**
   * Reads a page of the log in position order, or from the newest to the oldest.
   *
   * @param query Its `until` is at most what `settled` answered before.
   */
  scan(query: LogQuery): Promise<LogPage>;

  /**
   * Tells up to which position the log is settled: no event will ever appear at or below it again.
   * Inside a transaction, that transaction's own events lie above it.
   *
   * @returns The position; 0 where the log is empty.
   */
  settled(): Promise<number>;

  /** Lists streams by id, in the order of its UTF-8 bytes. */
  streams(query: StreamsQuery): Promise<readonly StoredStream[]>;

  /**
   * Removes a stream with everything that belongs to it, where consumers parked it too; none is no error.
   *
   * @throws {UnsupportedError} If this takes a transaction, and the database handle has none.
   */
  delete(tenantId: string, streamId: string): Promise<void>;

  /**
   * Blocks the appends of others until the transaction ends. Does nothing where an open transaction always blocks them,
   * and outside of transactions.
   */
  blockAppends(): Promise<void>;

  /**
   * Runs work in a transaction: commits when it resolves, rolls back when it rejects.
   * In a session that is inside a transaction already, a savepoint.
   *
   * @throws {TransactionAbortedError} If the work resolved but the database had aborted the transaction.
   * @throws {BusyError} If another transaction held the store for too long.
   */
  transaction<R>(work: (session: Session<Db>) => Promise<R>): Promise<R>;
}
