/**
 * An immutable fact, in the past tense.
 *
 * @typeParam Type The name of the event's type.
 * @typeParam Data What the event says; `undefined` where its name says it all.
 */
export interface Event<Type extends string = string, Data = unknown> {
  /** The name of its type. */
  readonly type: Type;
  /** A UUIDv7 unless the caller gave another; unique in the store. */
  readonly id: string;
  /** When it was created, a UTC instant. */
  readonly createdAt: Date;
  /**
   * What it says. Plain objects and lists in it are frozen deeply, also where their type is mutable: changing one throws a
   * `TypeError`. Copy it to change it; a Map, a Set or a Date may be changed, which changes nothing that is stored.
   */
  readonly data: Data;
  /** Additional information about the event. */
  readonly metadata: Metadata;
  /** Names to find it by. */
  readonly tags: readonly string[];
}

/** What is known about an event besides its data. Any JSON may stand in it. */
export interface Metadata {
  /** The same for all that follows from one cause; an event without one starts its own, with its id. */
  readonly correlationId?: string | undefined;
  /** The id of the event that this one answers. */
  readonly causationId?: string | undefined;
  /** Whatever the user adds. */
  readonly [key: string]: unknown;
}

/** What an event gains when it is stored. */
export interface Recorded {
  /** The stream that holds it. */
  readonly streamId: string;
  /** Its place in the stream: 1, 2, 3 … */
  readonly version: number;
  /** Its place in the log of all streams: strictly increasing, may have holes. */
  readonly position: number;
  /** The tenant it belongs to; `""` where there are no tenants. */
  readonly tenantId: string;
}

/** An event as it is stored. */
export type RecordedEvent<E extends Event = Event> = E & Recorded;

/** How a store with `unknownEvents: "keep"` reads a stored event that nobody defined: its type follows a `?`. */
export type UnknownEvent = Event<`?${string}`, unknown>;
