import type { ExpectedVersion } from "../driver/version.ts";
import type { Event, Metadata, RecordedEvent } from "../event/event.ts";
import type { AggregateEvent } from "./aggregate.ts";

/**
 * Result of `save`.
 *
 * @category Aggregates
 */
export interface SaveResult<E extends Event = Event> {
  /** The version of the stream after saving; 0 if it has no events. */
  readonly version: number;
  /** The position of the last saved event; undefined if there was nothing to save. */
  readonly position: number | undefined;
  /** The saved events as they are stored; empty if there was nothing to save. */
  readonly events: readonly RecordedEvent<E>[];
}

/**
 * Result of `execute`.
 *
 * @category Aggregates
 */
export interface ExecuteResult<A, R, E extends Event = AggregateEvent<A>> extends SaveResult<E> {
  /** The command's return value, awaited. */
  readonly result: R;
  /** The aggregate after the command, saved. */
  readonly aggregate: A;
}

/**
 * Options of `save`.
 *
 * @category Aggregates
 */
export interface SaveOptions {
  /** Metadata for the events; an event's own metadata takes precedence. @default none */
  readonly metadata?: Metadata | undefined;
}

/**
 * Options of `execute`.
 *
 * @category Aggregates
 */
export interface ExecuteOptions extends SaveOptions {
  /**
   * The version that the aggregate's stream must have before the command: a number (`0` = it must not exist),
   * `"noStream"` or `"streamExists"`. With another version the command does not run; after a conflict it does not run
   * again.
   *
   * @default "any"
   */
  readonly expectedVersion?: ExpectedVersion | undefined;
}
