import type { Event, Metadata } from "./event.ts";
import type { StandardSchema } from "./schema.ts";
import type { Sensitive } from "./sensitive.ts";

/**
 * An event type: the factory of its events.
 *
 * @category Events
 */
export interface EventType<E extends Event = Event, Input = E["data"]> {
  /**
   * Makes an event: checks the data, copies and freezes it.
   *
   * @throws {InvalidEventError} If the data does not match the schema or cannot be stored.
   * @throws {TypeError} If the schema is asynchronous, or an argument has the wrong type.
   */
  (
    ...args: [undefined] extends [Input] ? [data?: Input, init?: EventInit]
      : [data: Input, init?: EventInit]
  ): E;
  /** The name that its events carry in `type`. */
  readonly type: E["type"];
  /** The schema that checks data; undefined for a type without one. */
  readonly schema: StandardSchema<unknown, E["data"]> | undefined;
  /** Reports whether an event is of this type; usable as `events.filter(TurnedOn.is)`. */
  is<X extends Event>(event: X): event is X & E;
}

/**
 * Any event type, whatever its data.
 *
 * @category Events
 */
export type AnyEventType = EventType<Event, never>;

/**
 * The events that a type makes.
 *
 * @category Events
 */
export type EventOf<T extends AnyEventType> = T extends EventType<infer E, never> ? E : never;

/**
 * Fields of a new event that otherwise get a default.
 *
 * @category Events
 */
export interface EventInit {
  /** An id that is unique in the store, a string of at most 512 bytes. @default a new UUIDv7 */
  readonly id?: string | undefined;
  /** A UTC instant of the years 1 to 9999. @default now */
  readonly createdAt?: Date | undefined;
  /** Metadata as it is to be stored; the factory merges nothing into it. @default {} */
  readonly metadata?: Metadata | undefined;
  /** Labels by which `readAll` can find the event. @default the result of the type's `tags`, else none */
  readonly tags?: readonly string[] | undefined;
}

/**
 * A step from one version of the data to the next.
 *
 * @category Events
 */
export type Upcast<To = unknown> = {
  /** Converts the data as it was stored, or as the previous step returned it. */
  step(data: unknown): To;
}["step"];

/**
 * Options of an event type: how its older events are read, and how new ones are tagged.
 *
 * @category Events
 */
export interface EventTypeOptions<Data = unknown> {
  /** Steps from older data to the current, oldest first; the current schema version is their number plus 1. */
  readonly upcast?: readonly [...(readonly Upcast[]), Upcast<Data>] | undefined;
  /** Older names of the type; events stored under them are read as this type. */
  readonly aliases?: readonly string[] | undefined;
  /** Derives the tags of an event from its data. */
  readonly tags?: ((data: Data) => readonly string[]) | undefined;
  /**
   * Which fields of the data are a person's, or a list of such for several people: they are stored sealed, and the store
   * needs `keys`. @default none
   */
  readonly sensitive?: Sensitive<Data> | readonly Sensitive<Data>[] | undefined;
}
