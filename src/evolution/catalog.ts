import type { StandardSchema } from "../event/schema.ts";
import type { AnyEventType } from "../event/type.ts";
import { checkFunction, checkList, checkObject, kind } from "../errors/check.ts";
import { DuplicateEventTypeError } from "../errors/event.ts";
import { definitionOf } from "../event/define.ts";
import { describe, type JsonSchema } from "./describe.ts";

/**
 * The event types of a program, as plain JSON. The same types give the same text, in whatever order they are listed.
 *
 * @category Evolution
 */
export interface EventCatalog {
  /** The version of this format. */
  readonly format: 1;
  /** The event types, sorted by name. */
  readonly events: readonly DescribedEvent[];
  /** The names of types that are no longer defined, and whose events are still stored; sorted. */
  readonly retired: readonly string[];
}

/**
 * An event type of a catalogue.
 *
 * @category Evolution
 */
export interface DescribedEvent {
  /** The name under which new events are stored. */
  readonly type: string;
  /** The schema version of new events: 1, and 1 more for each step of `upcast`. */
  readonly version: number;
  /** Older names of the type, sorted. */
  readonly aliases: readonly string[];
  /** The data as it is stored, in JSON Schema; null where it cannot be described. */
  readonly schema: JsonSchema | null;
  /** Why there is no schema; left out where there is one. */
  readonly reason?: string | undefined;
  /** Whether the type derives tags from the data. */
  readonly tagged: boolean;
  /** The paths of sensitive fields, such as `lines.*.note`, sorted. */
  readonly sensitive: readonly string[];
}

/**
 * Options of a catalogue.
 *
 * @category Evolution
 */
export interface CatalogOptions {
  /**
   * Describes a schema in JSON Schema, where its library has no `jsonSchema` of its own or another description is
   * better. It describes what a schema returns, not what it accepts, since that is what is stored; a `Date` as
   * `{ type: "string", format: "date-time", "x-type": "Date" }`, other values that JSON does not have as
   * `{ "x-type": "bigint" }`.
   *
   * @returns The JSON Schema; undefined for what the schema's own library says.
   * @default the schema's own `jsonSchema.output`, which Zod and ArkType have
   */
  readonly toJsonSchema?:
    | ((schema: StandardSchema<unknown, unknown>, type: string) => unknown)
    | undefined;
  /** Names of types whose definition was removed, as in the store's option of this name. @default none */
  readonly retired?: readonly string[] | undefined;
}

/**
 * Describes event types. It takes the types, not a store, so that it needs no database. A schema that cannot be
 * described never fails it: such a type has the schema null, and a reason.
 *
 * @param events The event types, as a store takes them.
 * @param options How schemas are described, and which types are retired.
 * @throws {TypeError} If an argument is malformed.
 * @throws {DuplicateEventTypeError} If two types share a name, or a retired name is in use.
 *
 * @category Evolution
 *
 * @example What is stored, as JSON
 * ```ts
 * import { defineEvent } from "event-sourcery";
 * import { eventCatalog } from "event-sourcery/evolution";
 * import assert from "node:assert/strict";
 * import { z } from "zod";
 *
 * const Paid = defineEvent("Paid", z.object({ cents: z.number() }), { aliases: ["Payed"] });
 * const { events } = eventCatalog([Paid]);
 * assert.equal(events[0]?.type, "Paid");
 * assert.deepEqual(events[0]?.aliases, ["Payed"]);
 * ```
 */
export function eventCatalog(
  events: readonly AnyEventType[],
  options: CatalogOptions = {},
): EventCatalog {
  if (!Array.isArray(events)) {
    throw new TypeError(`events must be a list of event types, got ${kind(events)}`);
  }
  const { toJsonSchema, retired = [] } = checkObject("options", options);
  if (toJsonSchema !== undefined) checkFunction("toJsonSchema", toJsonSchema);
  checkList("retired", retired);
  const names = new Set<string>();
  const take = (name: string): void => {
    if (names.has(name)) throw new DuplicateEventTypeError(name);
    names.add(name);
  };
  const described = [...new Set(events)].map((event): DescribedEvent => {
    const found = definitionOf(event);
    if (found === undefined) {
      throw new TypeError("events must be a list of event types made by defineEvent");
    }
    const { type, aliases, upcast, hasData, tagged, sensitive = [] } = found;
    for (const name of new Set([type, ...aliases])) take(name);
    return {
      type,
      version: upcast.length + 1,
      aliases: sorted(aliases),
      ...describe(type, event.schema, hasData, toJsonSchema),
      tagged,
      sensitive: sorted(sensitive.flatMap(({ fields }) => Object.keys(fields))),
    };
  });
  for (const name of new Set(retired)) take(name);
  described.sort((a, b) => a.type < b.type ? -1 : 1);
  return { format: 1, events: described, retired: sorted(retired) };
}

function sorted(names: readonly string[]): readonly string[] {
  return [...new Set(names)].sort();
}
