import type { ExpectedVersion } from "../driver/version.ts";
import type { Event, Metadata, RecordedEvent } from "../event/event.ts";
import type { AggregateEvent } from "./aggregate.ts";

/** What `save` stored. */
export interface SaveResult<E extends Event = Event> {
  /** The version of the stream now; 0 where it has no events. */
  readonly version: number;
  /** The position of the last event; undefined where there was nothing to save. */
  readonly position: number | undefined;
  /** The events as they are stored; empty where there was nothing to save. */
  readonly events: readonly RecordedEvent<E>[];
}

/** What a command did. */
export interface ExecuteResult<A, R, E extends Event = AggregateEvent<A>> extends SaveResult<E> {
  /** What the command returned. */
  readonly result: R;
  /** The aggregate as it is now. */
  readonly aggregate: A;
}

/** How aggregates are saved. */
export interface SaveOptions {
  /** Metadata for the events; their own wins. @default none */
  readonly metadata?: Metadata | undefined;
}

/** How a command is executed. */
export interface ExecuteOptions extends SaveOptions {
  /**
   * The version that the aggregate's stream must have before the command: a number (`0` = it must not exist), `"noStream"`
   * or `"streamExists"`. Where it has another, the command does not run; after a conflict it does not run again.
   *
   * @default "any"
   */
  readonly expectedVersion?: ExpectedVersion | undefined;
}
