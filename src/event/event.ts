/**
 * An immutable fact, in the past tense.
 *
 * @typeParam Type The name of the event's type.
 * @typeParam Data The type of its data; `undefined` where the name alone is enough.
 * @category Events
 */
export interface Event<Type extends string = string, Data = unknown> {
  /** The name of its type. */
  readonly type: Type;
  /** A UUIDv7 unless the caller gave another; unique in the store. */
  readonly id: string;
  /** When it was created, a UTC instant. */
  readonly createdAt: Date;
  /**
   * Its data. Plain objects and lists in it are deeply frozen, even where their type is mutable: changing one throws a
   * `TypeError`, so copy it first. A Map, a Set or a Date can be changed, without effect on what is stored.
   */
  readonly data: Data;
  /** Additional information about the event. */
  readonly metadata: Metadata;
  /** Labels by which `readAll` can find the event. */
  readonly tags: readonly string[];
}

/**
 * Information about an event besides its data: the two ids below, and anything else that can be stored.
 *
 * @category Events
 */
export interface Metadata {
  /** Shared by all events that follow from one another; an event without one gets its own id. */
  readonly correlationId?: string | undefined;
  /** The id of the event that caused this one. */
  readonly causationId?: string | undefined;
  /** The user's own fields. */
  readonly [key: string]: unknown;
}

/**
 * The fields that an event gains when it is stored.
 *
 * @category Events
 */
export interface Recorded {
  /** The stream that holds it. */
  readonly streamId: string;
  /** Its number in the stream: 1, 2, 3 … */
  readonly version: number;
  /** Its position in the log of all streams: strictly increasing, may have gaps. */
  readonly position: number;
  /** The tenant it belongs to; `""` outside of any tenant. */
  readonly tenantId: string;
}

/**
 * An event as it is stored.
 *
 * @category Events
 */
export type RecordedEvent<E extends Event = Event> = E & Recorded;

/**
 * The identity of a stored event, known without decoding it.
 *
 * @category Events
 */
export interface EventIdentity {
  /** The event's id, unique within the tenant. */
  readonly id: string;
  /** The name of its type, as stored. */
  readonly type: string;
  /** The tenant it belongs to; `""` without tenants. */
  readonly tenantId: string;
  /** The stream that holds it. */
  readonly streamId: string;
  /** Its version: its number in the stream, from 1. */
  readonly version: number;
  /** Its position in the log, from 1. */
  readonly position: number;
}

/**
 * A stored event of a type that a store with `unknownEvents: "keep"` does not know: its type follows a `?`.
 *
 * @category Events
 */
export type UnknownEvent = Event<`?${string}`, unknown>;

/**
 * A stored event of a type that is `retired`: no longer defined, and read with its name after a `?`, with its data as it
 * was stored.
 *
 * @category Events
 */
export type RetiredEvent<Name extends string = string> = Name extends string
  ? Event<`?${Name}`, unknown>
  : never;
