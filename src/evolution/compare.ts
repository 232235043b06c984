import type { DescribedEvent, EventCatalog } from "./catalog.ts";
import { checkObject } from "../errors/check.ts";
import { type Difference, differences } from "./difference.ts";
import { shapesOf } from "./shape.ts";
import type { JsonSchema } from "./describe.ts";

/**
 * What changed between two catalogues.
 *
 * @category Evolution
 */
export interface CatalogComparison {
  /** What breaks reading or privacy: stored events can no longer be read as what they are, or are read unprotected. */
  readonly breaking: readonly CatalogChange[];
  /** Everything else; some of it breaks older code. */
  readonly compatible: readonly CatalogChange[];
}

/**
 * A change of an event type.
 *
 * @category Evolution
 */
export interface CatalogChange {
  /** The name of the type, as it was. */
  readonly type: string;
  /** The path of the field, such as `lines.*.price`; `""` for the type itself. */
  readonly path: string;
  /**
   * What the change breaks. `"reading"`: new code, with stored events. `"older code"`: older processes during a
   * rollout, and other programs that receive the events, with new events. `"privacy"`: the protection of a field.
   * Undefined if it breaks nothing.
   */
  readonly breaks: "reading" | "older code" | "privacy" | undefined;
  /** What changed, such as `was optional, is required`. */
  readonly reason: string;
}

/**
 * Compares two catalogues: which stored events new code cannot read, and which new events older code cannot.
 *
 * Data is compared by its shape: types, required fields, null, literals, items, records, dates. A changed shape is no
 * obstacle to reading if the version rose, since then an upcast answers for it; test the upcast with
 * `event-sourcery/testing`. Reading never runs a schema, so lengths, patterns and ranges break nothing. What cannot be
 * compared is taken to break, except for a type without a schema.
 *
 * @param before The catalogue of the events that are stored.
 * @param after The catalogue of the new code.
 * @throws {TypeError} If an argument is not a catalogue of this format.
 *
 * @category Evolution
 *
 * @example A field that became required
 * ```ts
 * import { defineEvent } from "event-sourcery";
 * import { compareCatalogs, eventCatalog } from "event-sourcery/evolution";
 * import assert from "node:assert/strict";
 * import { z } from "zod";
 *
 * const before = eventCatalog([defineEvent("Paid", z.object({ cents: z.number() }))]);
 * const Paid = defineEvent("Paid", z.object({ cents: z.number(), currency: z.string() }));
 * const { breaking } = compareCatalogs(before, eventCatalog([Paid]));
 * assert.deepEqual(breaking, [
 *   { type: "Paid", path: "currency", breaks: "reading", reason: "is new and required" },
 * ]);
 * ```
 */
export function compareCatalogs(before: EventCatalog, after: EventCatalog): CatalogComparison {
  checkCatalog("before", before);
  checkCatalog("after", after);
  const owners = new Map(
    after.events.flatMap((event) => namesOf(event).map((name) => [name, event] as const)),
  );
  const known = new Set(before.events.flatMap(namesOf));
  const changes = [
    ...before.events.flatMap((event) => compareEvent(event, owners, new Set(after.retired))),
    ...after.events.filter((event) => !namesOf(event).some((name) => known.has(name))).map((
      event,
    ) => change(event.type, "", "older code", "is new")),
  ];
  const breaks = ({ breaks }: CatalogChange) => breaks === "reading" || breaks === "privacy";
  return {
    breaking: changes.filter(breaks),
    compatible: changes.filter((it) => !breaks(it)),
  };
}

/** Compares an event type with whatever reads its events now, under each of the names they may be stored under. */
function compareEvent(
  before: DescribedEvent,
  owners: ReadonlyMap<string, DescribedEvent>,
  retired: ReadonlySet<string>,
): readonly CatalogChange[] {
  const { type } = before;
  const changes: CatalogChange[] = [];
  const readers = new Set<DescribedEvent>();
  for (const name of namesOf(before)) {
    const what = name === type ? "the type" : `alias "${name}"`;
    const reader = owners.get(name);
    if (reader !== undefined) readers.add(reader);
    else if (retired.has(name)) changes.push(change(type, "", undefined, `${what} is retired`));
    else {
      const advice = "keep it, name it as an alias, or retire it";
      changes.push(change(type, "", "reading", `${what} is gone: ${advice}`));
    }
  }
  for (const reader of readers) changes.push(...compareReader(before, reader));
  return changes;
}

function compareReader(before: DescribedEvent, after: DescribedEvent): readonly CatalogChange[] {
  const { type, version } = before;
  const changes: CatalogChange[] = [];
  if (after.type !== type) {
    const what = namesOf(after).includes(type) ? "is now named" : "gave an alias to";
    changes.push(change(type, "", "older code", `${what} "${after.type}"`));
  }
  if (after.version !== version) {
    const breaks = after.version < version ? "reading" : "older code";
    changes.push(change(type, "", breaks, `version was ${version}, is ${after.version}`));
  }
  changes.push(...compareData(before, after));
  if (before.tagged && !after.tagged) {
    changes.push(change(type, "", undefined, "no longer derives tags, by which events are found"));
  }
  for (const path of before.sensitive) {
    if (after.sensitive.includes(path) || !reaches(after.schema, path)) continue;
    changes.push(change(type, path, "privacy", "was sensitive, is not"));
  }
  for (const path of after.sensitive) {
    if (before.sensitive.includes(path)) continue;
    const stays = reaches(before.schema, path) ? "; events stored before keep it in the clear" : "";
    changes.push(change(type, path, undefined, `is sensitive now${stays}`));
  }
  return changes;
}

function compareData(before: DescribedEvent, after: DescribedEvent): readonly CatalogChange[] {
  const { type } = before;
  if (before.schema === null || after.schema === null) {
    const reason = after.schema === null ? after.reason : `until now, ${before.reason}`;
    return [change(type, "", undefined, `its data is not comparable: ${reason}`)];
  }
  const forward = differences(before.schema, after.schema, true);
  const backward = differences(after.schema, before.schema, false);
  const rose = after.version > before.version;
  const told = (difference: Difference, breaks: "reading" | "older code"): CatalogChange => {
    const { path, reason } = difference;
    return change(type, path, difference.breaks ? breaks : undefined, reason);
  };
  const changes = [
    ...forward.map((difference) => told(difference, rose ? "older code" : "reading")),
    ...backward.map((difference) => told(difference, "older code")),
  ];
  const texts = changes.map((it) => JSON.stringify(it));
  return changes.filter((_, index) => texts.indexOf(texts[index]!) === index);
}

/** Reports whether data of a schema may have a field at a path; it may if that cannot be told. */
function reaches(schema: JsonSchema | null, path: string): boolean {
  if (schema === null) return true;
  let places: readonly JsonSchema[] = [schema];
  for (const key of path.split(".")) {
    places = places.flatMap((place) => shapesOf(place, schema)).flatMap((shape) => {
      if (shape.kind === "any" || shape.kind === "opaque") return [true];
      if (shape.kind === "array") return [...shape.prefix, shape.rest];
      if (shape.kind !== "object") return [];
      const values = [...shape.properties.values(), shape.rest];
      return key === "*" ? values : [shape.properties.get(key) ?? shape.rest];
    });
  }
  return places.some((place) => place !== false);
}

function namesOf({ type, aliases }: DescribedEvent): readonly string[] {
  return [type, ...aliases];
}

function change(
  type: string,
  path: string,
  breaks: CatalogChange["breaks"],
  reason: string,
): CatalogChange {
  return { type, path, breaks, reason };
}

function checkCatalog(argument: string, value: EventCatalog): void {
  const { format, events, retired } = checkObject(argument, value);
  const lists = Array.isArray(events) && Array.isArray(retired);
  if (format !== 1 || !lists) {
    throw new TypeError(`${argument} must be a catalogue of format 1, made by eventCatalog`);
  }
}
