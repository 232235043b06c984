import type { ExpectedVersion } from "../driver/version.ts";
import type { Event, RecordedEvent } from "../event/event.ts";

/** Appends events: what a module asks for that only writes. */
export interface EventWriter<in E extends Event = never> {
  /**
   * Appends events to a stream: all or none, in one round trip.
   *
   * The same events (same ids) appended again to the same stream are stored once: the first result comes back and no
   * handler runs again. A conflict leaves an open transaction usable.
   *
   * @param streamId A non-empty string of at most 512 bytes.
   * @param events One event or several, in order.
   * @param options What is expected of the stream.
   * @returns The recorded events, with the version and position of the last.
   * @throws {ConcurrencyError} If the stream is not at the expected version.
   * @throws {DuplicateEventError} If an event's id is taken elsewhere.
   * @throws {UnknownEventTypeError} If the store was not made with an event's type.
   * @throws {UnknownOutcomeError} If the connection failed and the outcome is not known.
   * @throws {RangeError} If there are no events, or a name or version is out of range.
   */
  readonly append: <A extends E>(
    streamId: string,
    events: A | readonly A[],
    options?: AppendOptions,
  ) => Promise<AppendResult<A>>;

  /** Appends events as `append` does, for the outbox too. */
  readonly publish: <A extends E>(
    streamId: string,
    events: A | readonly A[],
    options?: AppendOptions,
  ) => Promise<AppendResult<A>>;

  /**
   * Appends to several streams in one atomic step.
   *
   * @param appends At least one; each of another stream.
   * @returns A result for each, in order.
   * @throws {ConcurrencyError} If any stream is not at its expected version; nothing is stored.
   * @throws {TypeError} If a stream stands twice.
   */
  readonly appendAll: <const Appends extends readonly StreamAppend<E>[]>(
    appends: Appends,
  ) => Promise<AppendResults<Appends>>;

  /**
   * Carries the type; there is no value. TypeScript compares generic members without their constraints: by these alone,
   * a store would pass as a writer of events that it does not have.
   */
  readonly "~accepts"?: ((event: E) => void) | undefined;
}

/** What is expected of a stream that is appended to. */
export interface AppendOptions {
  /**
   * The version the stream must have: a number (`0` = it must not exist), `"noStream"`, `"streamExists"`, or `"any"`,
   * which never conflicts. @default "any"
   */
  readonly expectedVersion?: ExpectedVersion | undefined;
}

/** One stream's part of `appendAll`. */
export interface StreamAppend<E extends Event = Event> extends AppendOptions {
  /** The stream. */
  readonly streamId: string;
  /** One event or several, in order. */
  readonly events: E | readonly E[];
}

/** What `appendAll` stored, stream by stream; a stream's events were given as one, or as a list. */
export type AppendResults<Appends extends readonly StreamAppend[]> = {
  readonly [Index in keyof Appends]: AppendResult<
    | Extract<Appends[Index]["events"], Event>
    | Extract<Appends[Index]["events"], readonly Event[]>[number]
  >;
};

/** What an append stored. */
export interface AppendResult<E extends Event = Event> {
  /** The stream. */
  readonly streamId: string;
  /** The version of the last event. */
  readonly version: number;
  /** The position of the last event. */
  readonly position: number;
  /** The events as they are stored. */
  readonly events: readonly [RecordedEvent<E>, ...RecordedEvent<E>[]];
}
