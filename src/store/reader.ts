import type { Event, RecordedEvent } from "../event/event.ts";

/** Reads events: what a module asks for that only reads. */
export interface EventReader<out E extends Event = Event> {
  /**
   * Loads a stream's events, by version.
   *
   * @returns The events; empty where there is no stream.
   * @throws {RangeError} If an option is out of range.
   * @throws {UnknownEventTypeError} If nobody defined a stored event's type.
   * @throws {CorruptEventError} If a stored event cannot be read.
   */
  readonly load: (streamId: string, options?: LoadOptions) => Promise<readonly RecordedEvent<E>[]>;

  /** Reads a stream's events as `load` does, holding one page of them in memory. */
  readonly read: (streamId: string, options?: LoadOptions) => AsyncIterable<RecordedEvent<E>>;

  /**
   * Reads the log across streams, by position, up to the position that is settled when the reading begins; backwards it
   * begins there. No event that is committed later will stand before one that was read.
   *
   * @throws {UnsupportedError} If it is to go backwards, and the driver cannot.
   */
  readonly readAll: (options?: ReadAllOptions) => AsyncIterable<RecordedEvent<E>>;

  /**
   * Reads the log as `readAll` does, and goes on as it grows: each event is given at once when it is committed and
   * settled. It never ends, unless its signal aborts.
   */
  readonly follow: (options?: FollowOptions) => AsyncIterable<RecordedEvent<E>>;

  /**
   * Folds a stream into a value.
   *
   * @param streamId The stream.
   * @param initial The value before the first event.
   * @param evolve Makes the next value of a value and an event.
   * @param options How far to go.
   * @returns The value after the last event; `initial` where there is none.
   */
  readonly fold: <State>(
    streamId: string,
    initial: State,
    evolve: (state: State, event: RecordedEvent<E>) => State,
    options?: FoldOptions,
  ) => Promise<State>;

  /** Tells the version of a stream: the number of its last event, 0 where there is none. */
  readonly version: (streamId: string) => Promise<number>;

  /** Tells the settled position of the log, 0 where it is empty: nothing will ever appear at or below it. */
  readonly position: () => Promise<number>;

  /**
   * Lists streams by id, in the order of its UTF-8 bytes: await it for all of them, or iterate over it page by page.
   *
   * @throws {UnsupportedError} If a prefix is given, and the driver cannot list by one.
   */
  readonly streams: (options?: StreamsOptions) => StreamList;
}

/** Which events of a stream to load. */
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

/** Which events of the log to read. A filter that is left out lets all pass, an empty one nothing. */
export interface ReadAllOptions {
  /** Only events after this position. @default 0 */
  readonly after?: number | undefined;
  /** Only events before this position. @default the end of what is settled */
  readonly before?: number | undefined;
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

/** How far to fold. */
export interface FoldOptions {
  /** The last version to fold in. @default the last */
  readonly to?: number | undefined;
  /** As of this UTC instant: everything before the first event that was created later. @default now */
  readonly at?: Date | undefined;
}

/** Which streams to list. */
export interface StreamsOptions {
  /** Only streams of this category; `""` are those without one. @default all */
  readonly category?: string | undefined;
  /** Only streams whose id begins with this text, character by character. @default all */
  readonly prefix?: string | undefined;
  /** Only streams whose id comes after this one, such as the last of the page before. @default from the first */
  readonly after?: string | undefined;
  /** The greatest number of streams. @default all */
  readonly limit?: number | undefined;
}

/** A stream as it is listed. */
export interface StreamInfo {
  /** Its id. */
  readonly streamId: string;
  /** The version of its last event. */
  readonly version: number;
  /** When its first event was created, a UTC instant. */
  readonly createdAt: Date;
  /** When its last event was created, a UTC instant. */
  readonly updatedAt: Date;
}

/** A list of streams: `await` gives all of it, `for await` holds one page in memory. */
export interface StreamList extends AsyncIterable<StreamInfo>, PromiseLike<readonly StreamInfo[]> {}

/** Which events to follow. */
export interface FollowOptions extends Omit<ReadAllOptions, "limit" | "before" | "backwards"> {
  /** Ends it: the iteration is over then. @default it never ends */
  readonly signal?: AbortSignal | undefined;
  /** How often to look for events at least, in milliseconds; a notification announces them earlier. @default 1000 */
  readonly pollInterval?: number | undefined;
}
