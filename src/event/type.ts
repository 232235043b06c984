import type { Event, Metadata } from "./event.ts";
import type { StandardSchema } from "./schema.ts";

/** A type of event, and the factory of its events. */
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
  /** The name of the type. */
  readonly type: E["type"];
  /** The schema that checks data; undefined where there is none. */
  readonly schema: StandardSchema<unknown, E["data"]> | undefined;
  /** Reports whether an event is of this type; usable as `events.filter(TurnedOn.is)`. */
  is<X extends Event>(event: X): event is X & E;
}

/** Any type of event. */
export type AnyEventType = EventType<Event, never>;

/** The events that a type makes. */
export type EventOf<T extends AnyEventType> = T extends EventType<infer E, never> ? E : never;

/** What a factory would make by itself, given. */
export interface EventInit {
  /** A unique name. @default a new UUIDv7 */
  readonly id?: string | undefined;
  /** A UTC instant of the years 1 to 9999. @default now */
  readonly createdAt?: Date | undefined;
  /** Stored as given; nothing is merged in by the factory. @default {} */
  readonly metadata?: Metadata | undefined;
  /** Names to find the event by. @default what the type's `tags` makes of the data, else none */
  readonly tags?: readonly string[] | undefined;
}

/** A step from one version of the data to the next. */
export type Upcast<To = unknown> = {
  /** Takes the data as it was stored, or as the step before left it. */
  step(data: unknown): To;
}["step"];

/** How a type reads what it stored earlier, and how its events are found. */
export interface EventTypeOptions<Data = unknown> {
  /** Steps from older data to today's, oldest first; today's schema version is their number plus 1. */
  readonly upcast?: readonly [...(readonly Upcast[]), Upcast<Data>] | undefined;
  /** Older names of the type, still read under this one. */
  readonly aliases?: readonly string[] | undefined;
  /** Makes the names to find an event by. */
  readonly tags?: ((data: Data) => readonly string[]) | undefined;
}
