import type { Event, Metadata } from "./event.ts";
import type { StandardIssue, StandardSchema } from "./schema.ts";
import { checkInstant, checkList, checkName, kind } from "./check.ts";
import { copyData, Unstorable } from "./data.ts";
import { InvalidEventError } from "./errors.ts";
import { uuidv7 } from "./id.ts";

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
  /** Tells whether an event is of this type; usable as `events.filter(TurnedOn.is)`. */
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
  /** Merged over nothing: what is given is what is stored. @default {} */
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

/** What a store needs to know of a type besides its public face. */
export interface Definition {
  /** The name of the type. */
  readonly type: string;
  /** Older names. */
  readonly aliases: readonly string[];
  /** Steps from older data. */
  readonly upcast: readonly Upcast[];
}

/** By symbol, so that a type made by another copy of this package still works in a store of this one. */
const definition: symbol = Symbol.for("event-sourcery.definition");

/** Which of its fields an event's factory chose by itself. */
export interface Defaults {
  /** Whether the id was made, not given. */
  readonly id: boolean;
  /** Whether the time was taken, not given. */
  readonly createdAt: boolean;
}

/** The events that factories of this copy of the package made: they need no further check. */
const made: WeakMap<Event, Defaults> = new WeakMap();

/**
 * Defines an event type without data.
 *
 * @param type Its name: a non-empty string of at most 512 bytes that does not begin with `?`.
 * @throws {TypeError} If the name is malformed.
 *
 * @example A fact whose name says it all
 * ```ts
 * import { defineEvent } from "event-sourcery";
 * import assert from "node:assert/strict";
 *
 * const TurnedOn = defineEvent("TurnedOn");
 * assert.equal(TurnedOn().type, "TurnedOn");
 * ```
 */
export function defineEvent<const Type extends string>(
  type: Type,
): EventType<Event<Type, undefined>>;
/**
 * Defines an event type whose data a schema checks.
 *
 * @param type Its name.
 * @param schema Any Standard Schema that answers at once; its output is what is stored. Reading never runs it.
 * @param options Older versions, older names, tags.
 *
 * @example Data that a schema checks
 * ```ts
 * import { defineEvent } from "event-sourcery";
 * import * as v from "valibot";
 * import assert from "node:assert/strict";
 *
 * const SprintStarted = defineEvent("SprintStarted", v.object({ projectKey: v.string(), endsAt: v.date() }));
 * const event = SprintStarted({ projectKey: "PRO", endsAt: new Date("2026-12-01") });
 * assert.equal(event.data.projectKey, "PRO");
 * ```
 */
export function defineEvent<const Type extends string, Input, Output>(
  type: Type,
  schema: StandardSchema<Input, Output>,
  options?: EventTypeOptions<NoInfer<Output>>,
): EventType<Event<Type, Output>, Input>;
/**
 * Begins an event type whose data has a type but no schema: `defineEvent<Data>()("Name")`.
 *
 * @example Typed but unchecked
 * ```ts
 * import { defineEvent } from "event-sourcery";
 * import assert from "node:assert/strict";
 *
 * const Renamed = defineEvent<{ name: string }>()("Renamed");
 * assert.equal(Renamed({ name: "new" }).data.name, "new");
 * ```
 */
export function defineEvent<Data>(): <const Type extends string>(
  type: Type,
  options?: EventTypeOptions<Data>,
) => EventType<Event<Type, Data>>;
export function defineEvent(
  type?: string,
  schema?: StandardSchema,
  options?: EventTypeOptions,
): unknown {
  if (type !== undefined) return makeType(type, schema, options, schema !== undefined);
  return (name: string, unchecked?: EventTypeOptions) => makeType(name, undefined, unchecked, true);
}

/** Tells what a store needs to know of an event type; undefined if it is none. */
export function definitionOf(type: unknown): Definition | undefined {
  return typeof type === "function" ? Reflect.get(type, definition) : undefined;
}

/** Tells which fields an event's factory chose by itself; undefined if no factory made the event. */
export function defaultsOf(event: Event): Defaults | undefined {
  return made.get(event);
}

function makeType(
  type: string,
  schema: StandardSchema | undefined,
  options: EventTypeOptions = {},
  hasData: boolean,
): AnyEventType {
  checkTypeName("type", type);
  if (schema !== undefined && typeof schema?.["~standard"]?.validate !== "function") {
    throw new TypeError(
      `schema of event "${type}" must be a Standard Schema, such as one of Valibot, Zod or ArkType`,
    );
  }
  const { upcast = [], aliases = [], tags } = options;
  for (const alias of aliases) checkTypeName("alias", alias);
  for (const step of upcast) {
    if (typeof step !== "function") {
      throw new TypeError(`upcast of event "${type}" must be a list of functions`);
    }
  }
  const create = (input?: unknown, init: EventInit = noInit): Event => {
    const data = storable(type, () => copyData(validate(type, schema, hasData, input)));
    const event = freezeEvent({
      type,
      id: init.id ?? uuidv7(),
      createdAt: init.createdAt ?? new Date(),
      data,
      metadata: init.metadata ?? noMetadata,
      tags: init.tags ?? tags?.(data) ?? noTags,
    });
    made.set(
      event,
      init === noInit
        ? both
        : { id: init.id === undefined, createdAt: init.createdAt === undefined },
    );
    return event;
  };
  const definitionValue: Definition = { type, aliases: [...aliases], upcast: [...upcast] };
  return Object.freeze(Object.defineProperties(create, {
    name: { value: type },
    type: { value: type, enumerable: true },
    schema: { value: schema, enumerable: true },
    is: { value: (event: Event) => event.type === type, enumerable: true },
    [definition]: { value: definitionValue },
  })) as unknown as AnyEventType;
}

const noTags: readonly string[] = Object.freeze([]);
const noInit: EventInit = {};
const both: Defaults = { id: true, createdAt: true };

/**
 * Checks an event's id, time, metadata and tags, and freezes it; its data must be copied and frozen already.
 *
 * The order of the keys is the order they print in.
 */
export function freezeEvent(event: Event): Event {
  const { type, id, createdAt, data, metadata, tags } = event;
  checkName("id", id);
  checkInstant("createdAt", createdAt);
  if (tags.length > 0 || !Array.isArray(tags)) checkList("tags", tags);
  return Object.freeze({
    type,
    id,
    createdAt: new Date(createdAt.getTime()),
    data,
    metadata: copyMetadata(type, metadata),
    tags: tags === noTags ? noTags : Object.freeze([...tags]),
  });
}

const noMetadata: Metadata = Object.freeze({});

/** Copies and freezes metadata; what is undefined at its top is left out. */
export function copyMetadata(type: string, metadata: Metadata): Metadata {
  if (metadata === noMetadata) return noMetadata;
  if (typeof metadata !== "object" || metadata === null || Array.isArray(metadata)) {
    throw new TypeError(`metadata must be a plain object, got ${kind(metadata)}`);
  }
  const given = Object.entries(storable(type, () => copyData(metadata, ["metadata"])) as Metadata);
  const { correlationId, causationId, ...rest } = Object.fromEntries(
    given.filter(([, value]) => value !== undefined),
  );
  if (correlationId !== undefined) checkName("correlationId", correlationId);
  if (causationId !== undefined) checkName("causationId", causationId);
  return Object.freeze({
    ...(correlationId === undefined ? {} : { correlationId }),
    ...(causationId === undefined ? {} : { causationId }),
    ...rest,
  });
}

/** Runs a copy; what cannot be stored becomes an error that names the event's type. */
export function storable<T>(type: string, copy: () => T): T {
  try {
    return copy();
  } catch (error) {
    if (!(error instanceof Unstorable)) throw error;
    throw new InvalidEventError(type, [error.issue], { reason: error.message, cause: error.cause });
  }
}

function checkTypeName(argument: string, type: unknown): void {
  checkName(argument, type);
  if (type.startsWith("?")) {
    throw new TypeError(`${argument} must not begin with "?", which marks unknown events`);
  }
}

function validate(
  type: string,
  schema: StandardSchema | undefined,
  hasData: boolean,
  input: unknown,
): unknown {
  if (schema === undefined) {
    if (hasData || input === undefined) return input;
    throw new InvalidEventError(type, [{ message: "this event has no data", path: [] }], {
      reason: "it has no data, but some was given",
    });
  }
  const result = run(type, schema, input);
  if ("then" in result) {
    result.then(undefined, () => {}); // its failure is nobody's business any more
    throw new TypeError(
      `Cannot create event "${type}": its schema is async, it answered with a promise; use a sync one`,
    );
  }
  if (result.issues === undefined) return result.value;
  throw new InvalidEventError(
    type,
    result.issues.map(({ message, path }) => ({ message, path: keys(path) })),
  );
}

function run(
  type: string,
  schema: StandardSchema,
  input: unknown,
): ReturnType<StandardSchema["~standard"]["validate"]> {
  try {
    return schema["~standard"].validate(input);
  } catch (cause) {
    const issues = [{ message: "the schema threw", path: [] }];
    throw new InvalidEventError(type, issues, { reason: "its schema threw", cause });
  }
}

function keys(path: StandardIssue["path"]): readonly PropertyKey[] {
  return (path ?? []).map((part) => typeof part === "object" ? part.key : part);
}
