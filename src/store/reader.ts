import type { Event, RecordedEvent } from "../event/event.ts";
import type { EventQuery, MatchOf, QueryResult } from "../query/query.ts";

/**
 * Reads events: the part of a store for modules that never append.
 *
 * @category Event store
 */
export interface EventReader<out E extends Event = Event> {
  /**
   * Loads a stream's events, by version.
   *
   * @returns The events; empty if the stream has none.
   * @throws {RangeError} If an option is out of range.
   * @throws {UnknownEventTypeError} If the type of a stored event is not among the store's events.
   * @throws {CorruptEventError} If a stored event cannot be read.
   * @throws {ConcurrencyError} If the stream was deleted between two pages, each of at most 1,024 events.
   */
  readonly load: (streamId: string, options?: LoadOptions) => Promise<readonly RecordedEvent<E>[]>;

  /** Reads a stream's events as `load` does, holding one page of them in memory. */
  readonly read: (streamId: string, options?: LoadOptions) => AsyncIterable<RecordedEvent<E>>;

  /**
   * Reads the log across streams, by position, up to the position that is settled when reading starts; backwards, from
   * there. No event that is committed later precedes one that was read.
   *
   * @throws {UnsupportedError} If `backwards`, `since` or `until` is set, and the driver cannot.
   */
  readonly readAll: (options?: ReadAllOptions) => AsyncIterable<RecordedEvent<E>>;

  /**
   * Reads the log as `readAll` does, and continues as it grows: each event is yielded as soon as it is committed and
   * settled. Ends only when its signal aborts.
   */
  readonly follow: (options?: FollowOptions) => AsyncIterable<RecordedEvent<E>>;

  /**
   * Returns the events that a decision rests on, across streams and by position, and a condition for its append: that
   * no other match has been stored by then. So it replaces the version of a stream where a rule spans several.
   *
   * Reads everything that is committed, and the own events of a transaction; what commits behind it refuses the
   * condition. A scoped store asks its tenant, an unscoped one the tenant `""`. A condition that was made inside a
   * transaction is of use only there.
   *
   * @param query Types, tags or both, or a list of such alternatives.
   * @returns The events, empty if none matches; and the condition, which is plain JSON.
   * @throws {TypeError | RangeError} If the query is malformed or selects nothing; there is no query for everything.
   * @throws {UnknownEventTypeError} If a type is not among the store's events.
   * @throws {UnsupportedError} If the driver cannot; nothing is sent.
   *
   * @example A name that is used once
   * ```ts
   * import { defineEvent, EventStore, isEventSourceryError } from "event-sourcery";
   * import { memory } from "event-sourcery/memory";
   * import assert from "node:assert/strict";
   *
   * const Registered = defineEvent<{ email: string }>()("Registered", {
   *   tags: ({ email }) => [`email:${email}`],
   * });
   * const store = new EventStore(memory(), { events: [Registered] });
   *
   * const register = async (id: string, email: string) => {
   *   const { events, condition } = await store.query({ tags: [`email:${email}`] });
   *   if (events.length > 0) throw new RangeError("The address is taken");
   *   await store.append(`user:${id}`, Registered({ email }), { condition });
   * };
   * const results = await Promise.allSettled([register("1", "a@b.c"), register("2", "a@b.c")]);
   * const refused = results.find(({ status }) => status === "rejected") as PromiseRejectedResult;
   * assert(isEventSourceryError(refused.reason, "CONCURRENCY"));
   * ```
   */
  readonly query: <const Q extends EventQuery<E["type"]>>(
    query: Q,
  ) => Promise<QueryResult<MatchOf<E, Q>>>;

  /**
   * Folds a stream into a value.
   *
   * @param streamId The stream's id.
   * @param initial The value before the first event.
   * @param evolve Returns the next value from a value and an event.
   * @param options The last event to include.
   * @returns The value after the last event; `initial` if there is none.
   */
  readonly fold: <State>(
    streamId: string,
    initial: State,
    evolve: (state: State, event: RecordedEvent<E>) => State,
    options?: FoldOptions,
  ) => Promise<State>;

  /** Returns the version of a stream: the number of its last event, 0 if there is none. */
  readonly version: (streamId: string) => Promise<number>;

  /** Returns the settled position of the log, 0 if it is empty: no event will ever appear at or below it again. */
  readonly position: () => Promise<number>;

  /**
   * Finds the position of an instant: that of the last event which was created no later. Events that are created between
   * appends have rising times; where you set `createdAt` yourself, it is one of the positions where earlier events pass
   * into later ones. For a stream, `fold` and `Repository.load` have `at`, which is exact.
   *
   * @param date A UTC instant.
   * @returns A settled position; 0 if the first event was created later. Of the whole log, as `position()` is.
   * @throws {UnsupportedError} If the driver cannot look up events by their positions.
   */
  readonly positionAt: (date: Date) => Promise<number>;

  /**
   * Reads a flow: all events that share a correlation id, each below the event that caused it. That of the first event
   * is its own id, so that this traces what an event has led to. It shows what is committed, whether it is settled or
   * not, of the store's tenant.
   *
   * @returns The events as trees; undefined if no event has this correlation id.
   * @throws {UnsupportedError} If the driver cannot find events by their correlation id.
   * @throws {UnknownEventTypeError} If the type of a stored event is not among the store's events.
   */
  readonly trace: (correlationId: string) => Promise<Trace<E> | undefined>;

  /**
   * Lists streams by id, in the order of its UTF-8 bytes: `await` returns all of them, `for await` reads page by page.
   *
   * @throws {UnsupportedError} If a prefix is given, and the driver cannot filter by one.
   */
  readonly streams: (options?: StreamsOptions) => StreamList;
}

/**
 * Selects events of a stream.
 *
 * @category Event store
 */
export interface LoadOptions {
  /** The lowest version, from 1. @default 1 */
  readonly from?: number | undefined;
  /** The highest version. @default the last */
  readonly to?: number | undefined;
  /** The greatest number of events. @default all */
  readonly limit?: number | undefined;
  /** Whether the newest come first. @default false */
  readonly backwards?: boolean | undefined;
}

/**
 * Selects events of the log. An omitted filter matches everything, an empty one nothing.
 *
 * @category Event store
 */
export interface ReadAllOptions {
  /** Only events after this position. @default 0 */
  readonly after?: number | undefined;
  /** Only events before this position. @default the end of the settled log */
  readonly before?: number | undefined;
  /** Only events from this UTC instant on, as far as `positionAt` tells. @default the beginning */
  readonly since?: Date | undefined;
  /** Only events up to this UTC instant, included, as far as `positionAt` tells. @default the end */
  readonly until?: Date | undefined;
  /** Whether the newest come first. @default false */
  readonly backwards?: boolean | undefined;
  /** The greatest number of events. @default all */
  readonly limit?: number | undefined;
  /** Events of streams of any of these categories. @default all */
  readonly categories?: readonly string[] | undefined;
  /** Events of any of these types. @default all */
  readonly types?: readonly string[] | undefined;
  /** Events that carry all of these tags. @default all */
  readonly tags?: readonly string[] | undefined;
}

/**
 * The point up to which a stream is folded.
 *
 * @category Event store
 */
export interface FoldOptions {
  /** The last version to include. @default the last */
  readonly to?: number | undefined;
  /** As of this UTC instant: everything before the first event that was created later. @default now */
  readonly at?: Date | undefined;
}

/**
 * A flow: the events that share a correlation id.
 *
 * @category Event store
 */
export interface Trace<out E extends Event = Event> {
  /** What they share: the id of the first event, unless that was given another. */
  readonly correlationId: string;
  /** The number of events in it, at most 10,000. */
  readonly events: number;
  /** Whether these are all; false if there are more than 10,000, of which these are the first. */
  readonly complete: boolean;
  /** The events without a cause in the flow, by position. */
  readonly roots: readonly TraceNode<E>[];
}

/**
 * An event of a flow, with what followed from it.
 *
 * @category Event store
 */
export interface TraceNode<out E extends Event = Event> {
  /** The event. */
  readonly event: RecordedEvent<E>;
  /** The events that name it as their cause, by position. */
  readonly effects: readonly TraceNode<E>[];
}

/**
 * Selects streams.
 *
 * @category Event store
 */
export interface StreamsOptions {
  /** Only streams of this category; `""` are those without one. @default all */
  readonly category?: string | undefined;
  /** Only streams whose id begins with this text, character by character. @default all */
  readonly prefix?: string | undefined;
  /** Only streams whose id comes after this one, such as the last of the previous page. @default from the first */
  readonly after?: string | undefined;
  /** The greatest number of streams. @default all */
  readonly limit?: number | undefined;
}

/**
 * A stream in a list.
 *
 * @category Event store
 */
export interface StreamInfo {
  /** The stream's id, unique within its tenant. */
  readonly streamId: string;
  /** The version of its last event. */
  readonly version: number;
  /** When its first event was created, a UTC instant. */
  readonly createdAt: Date;
  /** When its last event was created, a UTC instant. */
  readonly updatedAt: Date;
}

/**
 * A list of streams: `await` returns all of it, `for await` holds one page in memory.
 *
 * @category Event store
 */
export interface StreamList extends AsyncIterable<StreamInfo>, PromiseLike<readonly StreamInfo[]> {}

/**
 * Selects events to follow.
 *
 * @category Event store
 */
export interface FollowOptions
  extends Omit<ReadAllOptions, "limit" | "before" | "since" | "until" | "backwards"> {
  /** Ends the iteration when it aborts. @default it never ends */
  readonly signal?: AbortSignal | undefined;
  /**
   * The longest pause before it looks for events again, in milliseconds; a notification wakes it earlier. @default 1000
   */
  readonly pollInterval?: number | undefined;
}
