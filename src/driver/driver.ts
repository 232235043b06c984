import type { AppendOutcome, AppendRequest } from "./append.ts";
import type { Checkpoints } from "./checkpoints.ts";
import type { Examiner } from "./examiner.ts";
import type { ConsumerKey } from "./keys.ts";
import type { HandledMessages } from "./inbox.ts";
import type {
  CorrelationQuery,
  LogPage,
  LogQuery,
  MatchPage,
  MatchQuery,
  ProbedEvent,
  StoredEvent,
  StoredStream,
  StreamPage,
  StreamQuery,
  StreamsQuery,
} from "./read.ts";

import type { Schedule } from "./schedule.ts";
import type { Snapshots } from "./snapshots.ts";
import type { Subjects } from "./subjects.ts";

/**
 * Stores events: the only interface between this library and a database.
 *
 * A driver stores, orders, locks and reports; all policy (encoding, ids, retries, subscriptions) belongs to the core.
 * It receives checked names and encoded JSON, never an event's own objects. `driverContract` from
 * `event-sourcery/testing` tests whether a driver keeps these promises.
 *
 * A database inside the process answers without the event loop: its driver lets that go round every few milliseconds, or
 * timers, signals and requests wait for as long as a consumer catches up.
 *
 * @category Drivers
 */
export interface Driver<Db = unknown> extends Session<Db> {
  /** The optional features of the database. */
  readonly capabilities: Capabilities;

  /**
   * Creates the tables, or upgrades them. Idempotent, and safe under concurrent calls.
   *
   * @throws {NewerSchemaError} If a newer version of this library created them.
   * @throws {StoreRewoundError} If the next position is not above all stored ones; see `repairPosition`.
   */
  migrate(): Promise<void>;

  /**
   * Returns which version of the tables there is, and what `migrate` would run; changes nothing. Absent where there are no
   * tables.
   *
   * @throws {NewerSchemaError | OutdatedSchemaError | MissingSchemaError} If `migrate` would refuse the tables.
   */
  readonly schema?: (() => Promise<Schema>) | undefined;

  /**
   * Moves the next position past those of all events and checkpoints: call it once after a restore, a dump of the
   * tables or logical replication, which leave Postgres's sequence behind. Then every process continues without a
   * restart. Changes nothing where the log is sound, and is safe under concurrent calls.
   *
   * @returns The last position in use: the next event comes after it.
   * @throws {UnsupportedError} If this needs a transaction, and the database handle has none.
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
   * Returns a session inside a transaction that the caller opened and will end.
   *
   * @param db The database handle of that transaction.
   */
  using(db: Db): Session<Db>;

  /** Wakes the consumers of other processes; absent where the database cannot, or polling is as good. */
  readonly notifier?: Notifier | undefined;

  /** Looks for damage in the database; absent if the driver cannot. */
  readonly examiner?: Examiner | undefined;
}

/**
 * The tables of a store, as they are and as they are to be.
 *
 * @category Drivers
 */
export interface Schema {
  /** The version of the tables; undefined if there are none, or another tool has made them. */
  readonly version: number | undefined;
  /** The version that `migrate` makes. */
  readonly latest: number;
  /**
   * The statements that `migrate` would run, to be run in this order in one transaction; empty if there is nothing to do.
   * After them, the store works as after `migrate`.
   */
  readonly statements: readonly string[];
}

/**
 * Wakes the consumers of other processes. Only a hint: whatever it loses, polling finds.
 *
 * @category Drivers
 */
export interface Notifier {
  /** Sends a notification soon, at most some dozens a second; never throws, and the caller does not wait for it. */
  notify(): void;

  /**
   * Listens until it is stopped, and reconnects by itself.
   *
   * @param wake Is called after a notification, and when the connection is restored.
   * @returns Stops listening, now or as soon as listening has started.
   */
  listen(wake: () => void): () => void;

  /** Whether notifications arrive at present, so that consumers may look by themselves only now and then. @default false */
  readonly live?: boolean | undefined;
}

/**
 * The optional features of the database behind a driver.
 *
 * @category Drivers
 */
export interface Capabilities {
  /** Whether it has interactive transactions: `transaction` works, and so do in-transaction subscriptions. */
  readonly transactions: boolean;
  /** Whether appends run concurrently, or one at a time for lack of locks; known once the tables were found. */
  readonly appends?: "concurrent" | "serial" | undefined;
  /** Whether `scan` reads backwards. @default false */
  readonly backwards?: boolean | undefined;
  /** Whether `streams` lists by a prefix. @default false */
  readonly prefix?: boolean | undefined;
  /** Whether `query` works, and `append` checks the condition of a request. @default false */
  readonly conditions?: boolean | undefined;
  /** Whether `append` compares the id of the event at an expected version. @default false */
  readonly expectedEventId?: boolean | undefined;
  /** Whether `append` stores which events are imported, and reading returns it. @default false */
  readonly imported?: boolean | undefined;
  /** Whether consumers keep the head that they were registered at, or set back at. @default false */
  readonly replay?: boolean | undefined;
}

/**
 * What there is to do for consumers.
 *
 * @category Drivers
 */
export interface LogState {
  /** The position up to which the log is settled. */
  readonly settled: number;
  /** Consumers with work that does not come from the log: a retry that is due, a lease that ran out. */
  readonly due: readonly ConsumerKey[];
}

/**
 * The operations of a driver, on their own or inside one transaction.
 *
 * @category Drivers
 */
export interface Session<Db = unknown> {
  /** The handle for the user's own statements; inside a transaction, that transaction's. */
  readonly db: Db;
  /** The progress of consumers; absent if the driver does not support them. */
  readonly checkpoints?: Checkpoints | undefined;

  /**
   * Appends events.
   *
   * Each request is atomic and has its own outcome; one that is refused stores nothing, affects no other request and
   * leaves an open transaction usable. A request whose event ids are all new, whose expectations all hold and
   * that wins any race is stored: its events take the next versions of their streams, and positions above every
   * position that was assigned before, ascending within a stream.
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
   * @param query Its `until` is at most a position that `settled` has returned.
   */
  scan(query: LogQuery): Promise<LogPage>;

  /**
   * Returns the position up to which the log is settled: no event will ever appear at or below it again.
   * Inside a transaction, that transaction's own events lie above it.
   *
   * @returns The position; 0 where the log is empty.
   */
  settled(): Promise<number>;

  /**
   * Looks up events by their positions, by which the position of an instant is searched; absent if the driver cannot.
   *
   * @param positions From 1, ascending.
   * @returns For each position, the first event of any tenant at or above it; undefined if there is none.
   */
  readonly probe?:
    | ((positions: readonly number[]) => Promise<readonly (ProbedEvent | undefined)[]>)
    | undefined;

  /**
   * Finds an event of a tenant by its id, settled or not; absent if the driver cannot.
   *
   * @returns The event; undefined if there is none.
   */
  readonly find?: ((tenantId: string, id: string) => Promise<StoredEvent | undefined>) | undefined;

  /**
   * Returns in one request what `settled` and `checkpoints.due` return, for consumers that have nothing to do; absent
   * where it takes two anyway.
   *
   * @param seen As that of `due`.
   */
  readonly poll?: ((seen: readonly ConsumerKey[]) => Promise<LogState>) | undefined;

  /** The snapshots of aggregates; absent if the driver keeps none. */
  readonly snapshots?: Snapshots | undefined;

  /** The keys of subjects, whose events have sensitive fields; absent if the driver keeps none. */
  readonly keys?: Subjects | undefined;
  /** The messages that inboxes have handled; absent if the driver keeps none. */
  readonly inbox?: HandledMessages | undefined;

  /** The events that wait for their time; absent if the driver keeps none. */
  readonly schedule?: Schedule | undefined;

  /** Reads a page of the events of a flow by position, settled or not; absent if the driver cannot. */
  readonly correlated?: ((query: CorrelationQuery) => Promise<StreamPage>) | undefined;

  /**
   * Reads a page of the events that a decision rests on, in position order. It sees what is committed, settled or not.
   * Works exactly where the driver's capabilities say `conditions`.
   */
  readonly query?: ((query: MatchQuery) => Promise<MatchPage>) | undefined;

  /** Lists streams by id, in the order of its UTF-8 bytes. */
  streams(query: StreamsQuery): Promise<readonly StoredStream[]>;

  /**
   * Removes a stream with everything that belongs to it, including its parked entries and what is scheduled for it; a
   * missing stream is not an error.
   *
   * @throws {UnsupportedError} If this needs a transaction, and the database handle has none.
   */
  delete(tenantId: string, streamId: string): Promise<void>;

  /**
   * Blocks appends of other sessions until the transaction ends. Does nothing outside of transactions, and where an
   * open transaction always blocks them.
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
