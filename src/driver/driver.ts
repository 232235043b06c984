import type { Checkpoints, LaneFilter } from "./checkpoints.ts";
import type { ExpectedVersion } from "../errors/event.ts";

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
   * @throws {StoreRewoundError} If the log was set back behind what it holds.
   */
  migrate(): Promise<void>;

  /**
   * Gives a session inside a transaction that the caller opened and will end.
   *
   * @param db The database handle of that transaction.
   */
  using(db: Db): Session<Db>;

  /** Wakes the consumers of other processes; absent where that cannot be, or polling does as well. */
  readonly doorbell?: Doorbell | undefined;
}

/** Wakes the consumers of other processes. Only a hint: whatever it loses, polling finds. */
export interface Doorbell {
  /** Rings, soon and at most some hundred times a second; never throws, and nobody waits for it. */
  ring(): void;

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
  readonly fence?: "advisory" | "serial" | undefined;
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
   * Loads events of one stream, in version order, or from the newest to the oldest.
   *
   * @returns At most `limit` events; empty where there is none.
   */
  load(query: StreamQuery): Promise<readonly StoredEvent[]>;

  /**
   * Reads the log in position order.
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

  /** Keeps the appends of others out until the transaction ends; absent where a transaction always does. */
  exclude?(): Promise<void>;

  /**
   * Runs work in a transaction: commits when it resolves, rolls back when it rejects.
   * In a session that is inside a transaction already, a savepoint.
   *
   * @throws {TransactionAbortedError} If the work resolved but the database had aborted the transaction.
   * @throws {BusyError} If another transaction held the store for too long.
   */
  transaction<R>(work: (session: Session<Db>) => Promise<R>): Promise<R>;
}

/** One atomic append. */
export interface AppendRequest {
  /** Whose streams these are; `""` where there are no tenants. */
  readonly tenantId: string;
  /** At least one; each of another stream. */
  readonly writes: readonly StreamWrite[];
}

/** The part of an append that goes to one stream. */
export interface StreamWrite {
  /** The stream. */
  readonly streamId: string;
  /** What stands before the first `:` of the stream id, or `""`. */
  readonly category: string;
  /** A number from 0 to 1023 that follows from tenant and stream: by it, streams are shared out to lanes. */
  readonly slot: number;
  /** What must hold of the stream's version (0 = no events) for the append to happen. */
  readonly expectedVersion: ExpectedVersion;
  /** At least one, in order. */
  readonly events: readonly NewEvent[];
}

/** An event on its way into the store. */
export interface NewEvent {
  /** Unique within the tenant. */
  readonly id: string;
  /** The name of the event's type. */
  readonly type: string;
  /** The version of the type's schema, from 1. */
  readonly schemaVersion: number;
  /** The UTC instant, as `2026-01-31T12:00:00.000Z`. */
  readonly createdAt: string;
  /** JSON text; null where the event has no data. Never holds `\u0000` or a lone surrogate. */
  readonly data: string | null;
  /** JSON text of an object. */
  readonly metadata: string;
  /** JSON text of an object: JSON pointer (`/data/endsAt`) → what stands there (`date`); null for plain JSON. */
  readonly codec: string | null;
  /** Names to find the event by. */
  readonly tags: readonly string[];
  /** Whether it is also for the outbox. */
  readonly published: boolean;
}

/** What became of a request. */
export type AppendOutcome = AppendStored | AppendRefused;

/** The request's events are stored. */
export interface AppendStored {
  /** Tells the outcomes apart. */
  readonly status: "stored";
  /** For each write, in order. */
  readonly writes: readonly {
    /** The version of the stream's last event now. */
    readonly version: number;
    /** The position of each event, in order. */
    readonly positions: readonly number[];
  }[];
}

/** Nothing of the request is stored: an expectation did not hold, a race was lost, or an id is taken. */
export interface AppendRefused {
  /** Tells the outcomes apart. */
  readonly status: "refused";
  /** The current version of each write's stream, in order; -1 where an aborted transaction cannot be asked. */
  readonly versions: readonly number[];
  /** Those of the request's events whose ids are in the store, in any order. */
  readonly known: readonly KnownEvent[];
  /** Whether the surrounding transaction is lost with it. */
  readonly transactionAborted: boolean;
}

/** Where an event id is taken. */
export interface KnownEvent {
  /** The id. */
  readonly id: string;
  /** The stream that holds the event. */
  readonly streamId: string;
  /** Its version there. */
  readonly version: number;
  /** Its position in the log. */
  readonly position: number;
}

/** Which events of a stream to load. */
export interface StreamQuery {
  /** Whose stream it is. */
  readonly tenantId: string;
  /** The stream. */
  readonly streamId: string;
  /** The lowest version wanted, from 1. */
  readonly from: number;
  /** The highest version wanted. */
  readonly to: number;
  /** The greatest number of events wanted. */
  readonly limit: number;
  /** Whether the newest come first. */
  readonly backwards: boolean;
}

/** Which events of the log to read; a filter that is left out lets all pass, an empty one nothing. */
export interface LogQuery {
  /** One tenant's events only; everyone's when undefined. */
  readonly tenantId: string | undefined;
  /** Only events after this position. */
  readonly after: number;
  /** Only events up to this position. */
  readonly until: number;
  /** The greatest number of events wanted. */
  readonly limit: number;
  /** Events of any of these categories. */
  readonly categories: readonly string[] | undefined;
  /** Events of any of these types. */
  readonly types: readonly string[] | undefined;
  /** Events that carry all of these tags; at least one where given. */
  readonly tags: readonly string[] | undefined;
  /** Events of this stream, of whichever tenant. */
  readonly streamId?: string | undefined;
  /** Whether only events that are for the outbox. */
  readonly published?: boolean | undefined;
  /** Events of the streams of this lane. */
  readonly lane?: LaneFilter | undefined;
}

/** One page of the log. */
export interface LogPage {
  /** The matching events, by position. */
  readonly events: readonly StoredEvent[];
  /** How far the log was searched: no further match stands at or below this position. */
  readonly scanned: number;
}

/** An event as a driver gives it back. */
export interface StoredEvent extends KnownEvent {
  /** Whose event it is. */
  readonly tenantId: string;
  /** The name of its type, as stored. */
  readonly type: string;
  /** The version of the type's schema that wrote it. */
  readonly schemaVersion: number;
  /** The UTC instant: text that `new Date` reads, or milliseconds since 1970. */
  readonly createdAt: string | number;
  /** The parsed JSON, made anew for each call; undefined or null where the event has no data, or JSON's null. */
  readonly data: unknown;
  /** The parsed JSON object, made anew for each call. */
  readonly metadata: Readonly<Record<string, unknown>>;
  /** The parsed annotations; null for plain JSON. */
  readonly codec: Readonly<Record<string, string>> | null;
  /** Its tags, in the order they were given. */
  readonly tags: readonly string[];
  /** Whether it is also for the outbox. */
  readonly published: boolean;
}

/** Which streams to list. */
export interface StreamsQuery {
  /** Whose streams. */
  readonly tenantId: string;
  /** Only this category; all when undefined. */
  readonly category: string | undefined;
  /** Only streams whose id comes after this one; from the first when undefined. */
  readonly after: string | undefined;
  /** The greatest number of streams wanted. */
  readonly limit: number;
}

/** A stream as a driver lists it. */
export interface StoredStream {
  /** Its id. */
  readonly streamId: string;
  /** The version of its last event. */
  readonly version: number;
  /** When its first event was created; as in `StoredEvent`. */
  readonly createdAt: string | number;
  /** When its last event was created. */
  readonly updatedAt: string | number;
}
