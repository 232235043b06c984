import type { Event } from "./event.ts";
import type { AnyEventType, EventInit, EventType, EventTypeOptions, Upcast } from "./type.ts";
import { checkFunction, checkList, checkName, checkObject } from "../errors/check.ts";
import { copyData } from "./copy.ts";
import { InvalidEventError } from "../errors/event.ts";
import { freezeEvent, noMetadata, noTags, storable } from "./freeze.ts";
import { uuidv7 } from "./id.ts";
import { type StandardSchema, validate } from "./schema.ts";
import { guarded, readSensitive, type SensitivePart } from "./sensitive.ts";
import { isUnknown } from "./unknown.ts";

/** The part of an event type that only stores and catalogues need. */
export interface Definition {
  /** The name under which new events are stored. */
  readonly type: string;
  /** Older names, under which events may still be stored. */
  readonly aliases: readonly string[];
  /** Steps from older data, oldest first. */
  readonly upcast: readonly Upcast[];
  /** Whether its events have data. */
  readonly hasData: boolean;
  /** Whether it derives tags. */
  readonly tagged: boolean;
  /** The fields that are stored sealed; absent where there are none. */
  readonly sensitive?: readonly SensitivePart[] | undefined;
}

/** By symbol, so that a type made by another copy of this package still works in a store of this one. */
const definition: symbol = Symbol.for("event-sourcery.definition");

/** Marks the fields of an event that its factory chose because the caller left them out. */
interface Defaults {
  /** Whether the factory generated the id. */
  readonly id: boolean;
  /** Whether the factory took the current time. */
  readonly createdAt: boolean;
}

/** Constructs the object it is given, so that a subclass adds its private field to that object. */
class Given {
  constructor(event: Event) {
    return event;
  }
}

/**
 * Marks an event that a factory of this copy of the package made: it is checked and frozen already. No copy of the event
 * has the mark, since private fields are not copied. With a `WeakMap` of all events, which each garbage collection has
 * to go through, it took 1.15 times as long to make one.
 */
class Made extends Given {
  readonly #defaults: Defaults;

  constructor(event: Event, defaults: Defaults) {
    super(event);
    this.#defaults = defaults;
  }

  static defaultsOf(event: Event): Defaults | undefined {
    return #defaults in event ? event.#defaults : undefined;
  }
}

/**
 * Defines an event type without data.
 *
 * @param type Its name: a non-empty string of at most 512 bytes that does not begin with `?`.
 * @param schema Leave it out, or pass `undefined` to reach the options.
 * @param options Older versions, older names, tags, sensitive fields.
 * @throws {TypeError} If the name or an option is malformed.
 *
 * @category Events
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
export function defineEvent<const Type extends string, Data extends undefined = undefined>(
  type: Type,
  schema?: undefined,
  options?: EventTypeOptions<Data>,
): EventType<Event<Type, undefined>>;
/**
 * Defines an event type whose data a schema checks.
 *
 * @param type Its name.
 * @param schema Any synchronous Standard Schema; its output is stored. Reading never runs it.
 * @param options Older versions, older names, tags, sensitive fields.
 *
 * @category Events
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
 * Defines an event type whose data has a type but no schema; the name follows in a second call:
 * `defineEvent<Data>()("Name")`.
 *
 * @category Events
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
/**
 * Catches a missing second call: where the data's type is given, the name follows as `defineEvent<Data>()("Name")`.
 *
 * @param type No string fits this type, so the compiler reports the call and shows the type's text.
 * @category Events
 */
export function defineEvent<Data>(
  type: "the name goes into a second call: defineEvent<Data>()(name)",
): never;
export function defineEvent(
  type?: string,
  schema?: StandardSchema,
  options?: EventTypeOptions,
): unknown {
  if (type !== undefined) return makeType(type, schema, options, schema !== undefined);
  return (name: string, unchecked?: EventTypeOptions) => makeType(name, undefined, unchecked, true);
}

/** Returns the definition of an event type; undefined if the value is not an event type. */
export function definitionOf(type: unknown): Definition | undefined {
  return typeof type === "function" ? Reflect.get(type, definition) : undefined;
}

/** Returns which fields an event's factory chose; undefined if the event was not made by a factory. */
export function defaultsOf(event: Event): Defaults | undefined {
  return Made.defaultsOf(event);
}

function makeType(
  type: string,
  schema: StandardSchema | undefined,
  options: EventTypeOptions = {},
  hasData: boolean,
): AnyEventType {
  checkTypeName("type", type);
  if (schema !== undefined && typeof schema?.["~standard"]?.validate !== "function") {
    throw new TypeError(`schema of event "${type}" must be a Standard Schema`);
  }
  const { upcast = [], aliases = [], tags } = options;
  const sensitive = options.sensitive && readSensitive(type, options.sensitive);
  checkList("aliases", aliases);
  for (const alias of aliases) checkTypeName("alias", alias);
  if (tags !== undefined) checkFunction("tags", tags);
  if (!Array.isArray(upcast) || upcast.some((step) => typeof step !== "function")) {
    throw new TypeError("upcast must be a list of functions");
  }
  const create = (input?: unknown, init: EventInit = {}): Event => {
    checkObject("init", init);
    const data = storable(type, () => copyData(check(type, schema, hasData, input)));
    const defaults = { id: init.id === undefined, createdAt: init.createdAt === undefined };
    return freezeEvent({
      type,
      id: init.id ?? uuidv7(),
      createdAt: init.createdAt ?? new Date(),
      data,
      metadata: init.metadata ?? noMetadata,
      tags: init.tags ?? tags?.(sensitive ? guarded(type, data, sensitive) : data) ?? noTags,
    }, (event) => new Made(event, defaults));
  };
  const defined: Definition = {
    type,
    aliases: [...aliases],
    upcast: [...upcast],
    hasData,
    tagged: tags !== undefined,
    sensitive,
  };
  Object.defineProperties(create, { name: { value: type }, [definition]: { value: defined } });
  const is = (event: Event) => event.type === type;
  return Object.freeze(Object.assign(create, { type, schema, is })) as unknown as AnyEventType;
}

function checkTypeName(argument: string, type: unknown): void {
  checkName(argument, type);
  if (isUnknown({ type })) {
    throw new TypeError(`${argument} must not begin with "?"`);
  }
}

/** Returns the data to store, not yet copied: the schema's output, or the input where there is no schema. */
function check(
  type: string,
  schema: StandardSchema | undefined,
  hasData: boolean,
  input: unknown,
): unknown {
  if (schema !== undefined) return validate(type, schema, input);
  if (hasData || input === undefined) return input;
  const reason = "it has no data, but some was given";
  throw new InvalidEventError(type, [{ message: reason, path: [] }], { reason });
}
