import type { JsonSchema } from "./describe.ts";
import {
  type ArrayShape,
  type Keywords,
  type ObjectShape,
  same,
  type Shape,
  shapesOf,
} from "./shape.ts";

/** Where values of one schema may not be values of another; or a change that does not matter to who reads them. */
export interface Difference {
  /** The path of the field, such as `lines.*.price`; `""` for the whole. */
  readonly path: string;
  readonly reason: string;
  /** Whether a value may not fit. */
  readonly breaks: boolean;
}

/** Two schemas, and which of them has the values: the earlier one if `forward`, else the later one. */
interface Direction {
  readonly values: JsonSchema;
  readonly reader: JsonSchema;
  readonly forward: boolean;
  /** The pairs that are being compared: a pair that is met again inside of itself is taken to fit. */
  readonly open: (readonly [JsonSchema, JsonSchema])[];
  /** How many pairs may still be compared. */
  left: number;
}

/** The greatest number of pairs of schemas that are compared, and how deep one may lie in another. */
const [most, deepest] = [100_000, 100];

/**
 * Tells how values that one schema describes do not fit another, by their types. What it lets pass fits; what it cannot
 * tell does not. Lengths, patterns and ranges do not matter, since reading does not check them.
 *
 * @param forward Whether `values` is the earlier schema; only then are changes reported that do not matter.
 */
export function differences(
  values: JsonSchema,
  reader: JsonSchema,
  forward: boolean,
): readonly Difference[] {
  if (same(values, reader)) return [];
  return compare(values, reader, "", { values, reader, forward, open: [], left: most });
}

function compare(
  values: JsonSchema,
  reader: JsonSchema,
  path: string,
  direction: Direction,
): readonly Difference[] {
  const { open } = direction;
  if (alike(values, reader)) return [];
  if (open.some(([a, b]) => a === values && b === reader)) return [];
  if (--direction.left < 0 || open.length > deepest) {
    return [breaking(path, "is too large to be compared")];
  }
  open.push([values, reader]);
  const given = shapesOf(values, direction.values);
  const taken = shapesOf(reader, direction.reader);
  const found = given.flatMap((shape) => fit(shape, taken, given.length === 1, path, direction));
  open.pop();
  return found;
}

/** Tells how values of one shape do not fit the nearest of several. */
function fit(
  shape: Shape,
  taken: readonly Shape[],
  only: boolean,
  path: string,
  direction: Direction,
): readonly Difference[] {
  if (taken.some(({ kind }) => kind === "any")) return [];
  let nearest: readonly Difference[] | undefined;
  for (const other of taken) {
    const found = differ(shape, other, path, direction);
    if (found === undefined) continue;
    if (nearest === undefined || fatal(found) < fatal(nearest)) nearest = found;
    if (fatal(nearest) === 0) return nearest;
  }
  if (nearest !== undefined) return nearest;
  const names = taken.map(nameOf).join(" or ") || "nothing";
  const [was, is] = direction.forward ? [nameOf(shape), names] : [names, nameOf(shape)];
  if (only && taken.length <= 1) return [breaking(path, `was ${was}, is ${is}`)];
  const change = direction.forward ? "may no longer be" : "may now be";
  return [breaking(path, `${change} ${nameOf(shape)}`)];
}

/** Tells how values of one shape do not fit another; undefined if the two have nothing in common. */
function differ(
  shape: Shape,
  other: Shape,
  path: string,
  direction: Direction,
): readonly Difference[] | undefined {
  if (shape.kind === "literal") {
    return other.kind === "literal" && same(shape.value, other.value) ||
        other.kind === "scalar" && isOf(shape.value, other.name)
      ? []
      : undefined;
  }
  if (shape.kind === "scalar" && other.kind === "scalar") {
    const fits = shape.name === other.name || shape.name === "integer" && other.name === "number";
    return fits ? refined(shape.schema, other.schema, path, direction) : undefined;
  }
  if (shape.kind === "array" && other.kind === "array") {
    return [
      ...items(shape, other, path, direction),
      ...refined(shape.schema, other.schema, path, direction),
    ];
  }
  if (shape.kind === "object" && other.kind === "object") {
    return [
      ...fields(shape, other, path, direction),
      ...refined(shape.schema, other.schema, path, direction),
    ];
  }
  if (shape.kind === "opaque" && other.kind === "opaque") {
    return alike(shape.schema, other.schema) ? [] : undefined;
  }
  return undefined;
}

function items(
  shape: ArrayShape,
  other: ArrayShape,
  path: string,
  direction: Direction,
): readonly Difference[] {
  const { forward } = direction;
  const found: Difference[] = [];
  const length = Math.max(shape.prefix.length, other.prefix.length);
  for (let index = 0; index < length; index++) {
    const [own, wanted] = [shape.prefix[index] ?? shape.rest, other.prefix[index] ?? other.rest];
    const inner = join(path, String(index));
    if (index >= shape.required && index < other.required) {
      found.push(breaking(inner, forward ? "is required" : "was required"));
    }
    if (own === false) continue;
    if (wanted === false) found.push(breaking(inner, forward ? "is gone" : "is new"));
    else found.push(...compare(own, wanted, inner, direction));
  }
  const inner = join(path, "*");
  if (shape.rest === false) return found;
  if (other.rest !== false) return [...found, ...compare(shape.rest, other.rest, inner, direction)];
  const reason = forward ? "may no longer have more items" : "may now have more items";
  return [...found, breaking(path, reason)];
}

function fields(
  shape: ObjectShape,
  other: ObjectShape,
  path: string,
  direction: Direction,
): readonly Difference[] {
  const { forward } = direction;
  const found: Difference[] = [];
  for (const name of new Set([...other.properties.keys(), ...other.required])) {
    const inner = join(path, name);
    const declared = shape.properties.get(name);
    const own = declared ?? (shape.required.has(name) ? true : shape.rest);
    const needed = other.required.has(name);
    if (needed && !shape.required.has(name)) {
      const change = declared === undefined
        ? forward ? "is new and required" : "was required, is gone"
        : forward
        ? "was optional, is required"
        : "was required, is optional";
      found.push(breaking(inner, change));
    } else if (!needed && own === false && forward) {
      found.push(harmless(inner, "is new and optional"));
    }
    const wanted = other.properties.get(name) ?? (other.rest === false ? true : other.rest);
    if (own !== false) found.push(...compare(own, wanted, inner, direction));
  }
  for (const [name, own] of shape.properties) {
    if (other.properties.has(name) || other.required.has(name)) continue;
    const inner = join(path, name);
    if (other.rest !== false) found.push(...compare(own, other.rest, inner, direction));
    else if (forward && !shape.required.has(name)) {
      found.push(harmless(inner, "was optional, is gone"));
    }
  }
  if (shape.rest !== false && other.rest !== false) {
    found.push(...compare(shape.rest, other.rest, join(path, "*"), direction));
  }
  return found;
}

/** The keywords that only the schema checks, when an event is made. */
const checks =
  "minLength maxLength pattern format minimum maximum exclusiveMinimum exclusiveMaximum multipleOf minItems maxItems uniqueItems minProperties maxProperties contains contentEncoding"
    .split(" ");

/** Tells which checks changed; they break nothing, since reading does not make them. */
function refined(
  from: Keywords,
  to: Keywords,
  path: string,
  { forward }: Direction,
): readonly Difference[] {
  if (!forward) return [];
  return checks.filter((keyword) => !same(from[keyword], to[keyword])).map((keyword) =>
    harmless(path, `${keyword} changed, which is checked on write only`)
  );
}

/** Reports whether two schemas are the same text, whatever the rest of theirs is. */
function alike(a: JsonSchema, b: JsonSchema): boolean {
  const text = JSON.stringify(a);
  return text === JSON.stringify(b) && !text.includes('"$ref"');
}

function isOf(value: unknown, name: string): boolean {
  const type: string = typeof value;
  return name === "integer" ? Number.isInteger(value) : type === name;
}

function nameOf(shape: Shape): string {
  if (shape.kind === "literal") return JSON.stringify(shape.value);
  if (shape.kind === "scalar") return shape.name;
  return shape.kind === "opaque" ? "something that cannot be compared" : shape.kind;
}

function fatal(found: readonly Difference[]): number {
  return found.filter(({ breaks }) => breaks).length;
}

function breaking(path: string, reason: string): Difference {
  return { path, reason, breaks: true };
}

function harmless(path: string, reason: string): Difference {
  return { path, reason, breaks: false };
}

function join(path: string, name: string): string {
  return path === "" ? name : `${path}.${name}`;
}
