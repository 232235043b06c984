import type { Event, EventIdentity, RecordedEvent } from "../event/event.ts";
import type { EventStore } from "../store/store.ts";

/**
 * The second argument of a consumer's handler.
 *
 * @category Consumers
 */
export interface ConsumerContext<E extends Event = Event, Db = unknown> {
  /**
   * The store, scoped to the event's tenant: events appended through it carry the event's correlation id, and the
   * event's id as causation id. In a transactional handler it is inside the transaction.
   */
  readonly store: EventStore<E, Db>;
  /** The database handle; in a transactional handler, that of the transaction that also moves the checkpoint. */
  readonly db: Db;
  /** Aborts when a result would come too late: after `timeout`, or when another worker has taken over. */
  readonly signal: AbortSignal;
  /** The number of this attempt at the event, from 1. */
  readonly attempt: number;
  /**
   * Whether the event is history to this consumer: it was imported, or stood in the log already when the consumer was
   * registered, or was last set back by `rebuild`. So a handler can build a table from it and yet send no mail. Where a
   * consumer hands over several events at once, whether all of them are.
   *
   * @throws {UnsupportedError} When it is read, if the driver does not keep this.
   */
  readonly replaying: boolean;
}

/**
 * The second argument of a projection's handler.
 *
 * @category Consumers
 */
export interface ProjectionContext<E extends Event = Event, Db = unknown>
  extends ConsumerContext<E, Db> {
  /** The projection's version, for handlers that keep a table per version. */
  readonly projectionVersion: number;
}

/**
 * Where an error of a consumer comes from, for logs and alerts.
 *
 * @category Consumers
 */
export interface ErrorContext {
  /** The consumer's name. */
  readonly consumer: string;
  /**
   * What failed: the handler or publisher (`"handle"`), or everything around it, such as the connection (`"pass"`). The
   * other two are notices: a lane waits for the lease of a worker that seems to have vanished (`"lease"`); an outbox
   * has passed 10 events, none of them published (`"outbox"`).
   */
  readonly phase: "handle" | "pass" | "lease" | "outbox";
  /** The event that failed; where it cannot be decoded, only what identifies it. Undefined in the other phases. */
  readonly event: RecordedEvent | EventIdentity | undefined;
  /** The number of the attempt that failed, from 1: at the event, or at a pass in a row; undefined for a notice. */
  readonly attempt: number | undefined;
  /** When it is retried, by this process's clock; undefined where it is not retried automatically. */
  readonly retryAt: Date | undefined;
}

/** Receives the errors of one consumer. */
export type Report = (error: unknown, context: Omit<ErrorContext, "consumer">) => void;

/**
 * The type of the `db` that a store's handlers and transactions are given, for handlers in a module of their own:
 * `ProjectionHandlers<OrderEvent, DbOf<typeof store>>`. For a Drizzle database that is the transaction's type, not the
 * handle's.
 *
 * @category Event store
 */
export type DbOf<Store> = Store extends EventStore<infer _E extends Event, infer Db> ? Db : never;
