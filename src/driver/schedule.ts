import type { NewEvent } from "./append.ts";

/**
 * Keeps events until they are due, by the database's clock.
 *
 * @category Drivers
 */
export interface Schedule {
  /**
   * Keeps an event until it is due. If one of its id waits already, that one stays as it is.
   *
   * @returns What waits under the id.
   */
  add(event: NewScheduledEvent): Promise<Pick<NewScheduledEvent, "streamId" | "dueAt">>;
  /**
   * Removes an event that waits, or has failed. While another transaction has taken it, waits for that one.
   *
   * @returns Whether it was there.
   */
  remove(tenantId: string, id: string): Promise<boolean>;
  /**
   * Removes and returns events that are due, in a transaction that appends them. Of each stream only the first: the one
   * that is being retried, else the one that is due first, and of several the one that was added first. None behind one
   * that has failed, and none that another transaction has taken.
   *
   * @returns The events, those that are due first first.
   */
  take(query: DueQuery): Promise<readonly DueEvent[]>;
  /** Records that an event could not be delivered; it is due again after the delay, or has failed for good. */
  fail(tenantId: string, id: string, failure: DeliveryFailure): Promise<void>;
  /**
   * Makes an event that has failed due immediately, before all others of its stream, as if it had never been tried.
   *
   * @returns Whether it had failed.
   */
  retry(tenantId: string, id: string): Promise<boolean>;
  /** Lists the events that have failed, of a tenant or of all, those first that failed first. */
  failed(tenantId: string | undefined): Promise<readonly FailedEvent[]>;
  /** Returns in how many milliseconds the next event will be due that is not due yet; undefined if there is none. */
  next(tenantId: string | undefined): Promise<number | undefined>;
  /** Counts the events that wait, due or not, and those that have failed. */
  count(
    tenantId: string | undefined,
  ): Promise<{ readonly waiting: number; readonly failed: number }>;
}

/**
 * An event as it will be stored, but for its time, and when it is due.
 *
 * @category Drivers
 */
export interface NewScheduledEvent extends Omit<NewEvent, "createdAt" | "imported"> {
  /** The tenant of the stream. */
  readonly tenantId: string;
  /** The stream that it will be appended to. */
  readonly streamId: string;
  /** When it is due, in milliseconds since 1970. */
  readonly dueAt: number;
}

/**
 * Which events are taken.
 *
 * @category Drivers
 */
export interface DueQuery {
  /** Only those of a tenant; undefined for all. */
  readonly tenantId: string | undefined;
  /** Only the one of this id; undefined for any. */
  readonly id: string | undefined;
  /** The greatest number of events wanted. */
  readonly limit: number;
}

/**
 * An event that is due.
 *
 * @category Drivers
 */
export interface DueEvent extends NewScheduledEvent {
  /** How often its delivery has failed. */
  readonly attempts: number;
}

/**
 * Why an event could not be delivered.
 *
 * @category Drivers
 */
export interface DeliveryFailure {
  /** How often that has failed by now. */
  readonly attempts: number;
  /** Describes the error. */
  readonly error: string;
  /** In how many milliseconds it is tried again; undefined if never. */
  readonly delay: number | undefined;
}

/**
 * An event that is not tried again.
 *
 * @category Drivers
 */
export interface FailedEvent {
  /** The tenant of the stream. */
  readonly tenantId: string;
  /** The event's id. */
  readonly id: string;
  /** The stream that it should have been appended to. */
  readonly streamId: string;
  /** The name of its type, as stored. */
  readonly type: string;
  /** How often its delivery has failed. */
  readonly attempts: number;
  /** Describes the last error. */
  readonly error: string;
  /** When that was, in milliseconds since 1970. */
  readonly failedAt: number;
}
