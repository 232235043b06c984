import type { ExpectedVersion } from "../driver/version.ts";
import type { Event, Metadata, RecordedEvent } from "../event/event.ts";
import type { EventWriter } from "../store/writer.ts";
import type { AggregateEvent } from "./aggregate.ts";
import type { Attempt } from "./run.ts";

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

/**
 * Appends the events of a command, if there are any, to the stream whose state it ran on.
 *
 * @param append `append` or `publish` of the store.
 * @param version The version that the command ran on.
 * @param expectedVersion The version to expect, if it is given in another way. @default version
 */
export async function send<E extends Event>(
  append: EventWriter<E>["append"],
  streamId: string,
  decided: readonly E[],
  attempt: Attempt,
  version: number,
  expectedVersion: ExpectedVersion = version,
): Promise<SaveResult<E>> {
  if (decided.length === 0) return { version, position: undefined, events: [] };
  attempt.sent = true;
  const options = { expectedVersion, expectedEventId: attempt.pinned };
  const { events, ...last } = await append(streamId, decided, options);
  return { version: last.version, position: last.position, events };
}
