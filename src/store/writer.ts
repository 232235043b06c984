import type { ExpectedVersion } from "../driver/version.ts";
import type { Event, RecordedEvent } from "../event/event.ts";
import type { AppendCondition } from "../query/query.ts";

/**
 * Appends events: the part of a store for modules that only write.
 *
 * @category Event store
 */
export interface EventWriter<in E extends Event = never> {
  /**
   * Appends events to a stream: all or none, in one round trip.
   *
   * The same events (same ids) appended again to the same stream are stored once: the first result is returned and no
   * handler runs again. A conflict leaves an open transaction usable.
   *
   * @param streamId A non-empty string of at most 512 bytes.
   * @param events One event or several, in order.
   * @param options The expected version of the stream, and a condition; both must hold.
   * @returns The recorded events, with the version and position of the last.
   * @throws {ConcurrencyError} If the stream is not at the expected version, or an event matches the condition.
   * @throws {DuplicateEventError} If an event's id is used elsewhere.
   * @throws {UnknownEventTypeError} If the store was not made with an event's type.
   * @throws {UnknownOutcomeError} If the connection failed and the outcome is not known.
   * @throws {UnsupportedError} If there is a condition, and the driver cannot check one; nothing is sent.
   * @throws {TypeError | RangeError} If `events` is empty, the condition is malformed, or a name or version is out of
   * range.
   */
  readonly append: <A extends E>(
    streamId: string,
    events: A | readonly A[],
    options?: AppendOptions,
  ) => Promise<AppendResult<A>>;

  /** Appends events as `append` does, and publishes them to the outbox. */
  readonly publish: <A extends E>(
    streamId: string,
    events: A | readonly A[],
    options?: AppendOptions,
  ) => Promise<AppendResult<A>>;

  /**
   * Appends to several streams in one atomic step.
   *
   * @param appends At least one; no two to the same stream.
   * @param options A condition for the whole step.
   * @returns A result for each, in order.
   * @throws {ConcurrencyError} If any stream is not at its expected version, or an event matches the condition; nothing
   * is stored.
   * @throws {TypeError} If two appends are to the same stream.
   */
  readonly appendAll: <const Appends extends readonly StreamAppend<E>[]>(
    appends: Appends,
    options?: AppendAllOptions,
  ) => Promise<AppendResults<Appends>>;

  /**
   * Schedules an event: from a time on, a `Scheduler` appends it to the stream, exactly once. In a transaction, together
   * with it.
   *
   * Its id is that of the schedule: scheduled twice it is delivered once, at the first time that was given, also if that
   * is over. Its `createdAt` will be the time of its delivery, and its `metadata.dueAt` the time that it was due.
   *
   * @param streamId A non-empty string of at most 512 bytes.
   * @param event One event. Give it an id of your own, such as `order-42-timeout`, to take it back without having to
   * remember another one.
   * @param options When it is due.
   * @throws {DuplicateEventError} If an event of its id waits for another stream.
   * @throws {UnsupportedError} If the driver keeps no scheduled events, or the handle has no transactions.
   * @throws {TypeError | RangeError} If an argument is malformed.
   */
  readonly schedule: <A extends E>(
    streamId: string,
    event: A,
    options: ScheduleOptions,
  ) => Promise<Scheduled>;

  /**
   * Takes back an event that waits for its time. While a scheduler delivers it, waits for the outcome.
   *
   * @param id The event's id.
   * @returns Whether it will not be delivered; `false` if it was, or was never scheduled.
   * @throws {UnsupportedError} As `schedule`.
   */
  readonly unschedule: (id: string) => Promise<boolean>;

  /**
   * Carries the type; has no value at runtime. TypeScript compares generic members without their constraints: by those
   * alone, a store would be assignable to a writer of events that it does not have.
   */
  readonly "~accepts"?: ((event: E) => void) | undefined;
}

/**
 * Options of an append.
 *
 * @category Event store
 */
export interface AppendOptions {
  /**
   * The version the stream must have: a number (`0` = it must not exist), `"noStream"`, `"streamExists"`, or `"any"`,
   * which never conflicts. @default "any"
   */
  readonly expectedVersion?: ExpectedVersion | undefined;
  /**
   * The id that the event at the expected version must have, beside a number from 1: a stream that was deleted and made
   * anew under the same id is another history with the same versions. @default any
   */
  readonly expectedEventId?: string | undefined;
  /** What must not be in the log, in any stream; see `EventReader.query`. @default nothing */
  readonly condition?: AppendCondition | undefined;
  /**
   * Takes the append out as long as it waits to be sent, behind others or for a connection: it then rejects with the
   * signal's reason, and nothing is stored. Once it is sent, the signal changes nothing. @default none
   */
  readonly signal?: AbortSignal | undefined;
}

/**
 * Options of `schedule`.
 *
 * @category Event store
 */
export interface ScheduleOptions {
  /** When it is due, a UTC instant; if that is over, now. */
  readonly at: Date;
  /** Whether it is also published to the outbox, as with `publish`. @default false */
  readonly publish?: boolean | undefined;
}

/**
 * An event that waits for its time.
 *
 * @category Event store
 */
export interface Scheduled {
  /** The event's id, by which `unschedule` takes it back. */
  readonly id: string;
  /** The stream that it will be appended to. */
  readonly streamId: string;
  /** When it is due; of several times that were given for its id, the first. */
  readonly at: Date;
}

/**
 * Options of `appendAll`.
 *
 * @category Event store
 */
export interface AppendAllOptions extends Pick<AppendOptions, "condition" | "signal"> {
  /** Whether the events are also published to the outbox, as with `publish`. @default false */
  readonly publish?: boolean | undefined;
}

/**
 * An append to one of the streams of `appendAll`.
 *
 * @category Event store
 */
export interface StreamAppend<E extends Event = Event>
  extends Omit<AppendOptions, "condition" | "signal"> {
  /** The id of the stream, a non-empty string of at most 512 bytes. */
  readonly streamId: string;
  /** One event or several, in order. */
  readonly events: E | readonly E[];
}

/**
 * Results of `appendAll`, one for each stream; the events of a stream may be given as one or as a list.
 *
 * @category Event store
 */
export type AppendResults<Appends extends readonly StreamAppend[]> = {
  readonly [Index in keyof Appends]: AppendResult<
    | Extract<Appends[Index]["events"], Event>
    | Extract<Appends[Index]["events"], readonly Event[]>[number]
  >;
};

/**
 * Result of an append.
 *
 * @category Event store
 */
export interface AppendResult<E extends Event = Event> {
  /** The id of the stream, as it was given. */
  readonly streamId: string;
  /** The version of the last event. */
  readonly version: number;
  /** The position of the last event. */
  readonly position: number;
  /** The events as they are stored, with their versions and positions. */
  readonly events: readonly [RecordedEvent<E>, ...RecordedEvent<E>[]];
}
