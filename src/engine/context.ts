import type { Event } from "../event/event.ts";
import type { EventStore } from "../store/store.ts";

/** What a consumer's handler is given besides the event. */
export interface ConsumerContext<E extends Event = Event, Db = unknown> {
  /**
   * The store, of the event's tenant: what is appended through it carries the event's correlation id, and the event's id
   * as causation id. In a transactional handler it is inside the transaction.
   */
  readonly store: EventStore<E, Db>;
  /** The database handle; in a transactional handler, that of the transaction that also moves the checkpoint. */
  readonly db: Db;
  /** Aborts when the answer would come too late: after `timeout`, or when another worker has taken over. */
  readonly signal: AbortSignal;
  /** Which attempt at the event this is, from 1. */
  readonly attempt: number;
}

/** What a projection's handler is given besides the event. */
export interface ProjectionContext<E extends Event = Event, Db = unknown>
  extends ConsumerContext<E, Db> {
  /** The projection's version, by which it may choose its table. */
  readonly projectionVersion: number;
}
