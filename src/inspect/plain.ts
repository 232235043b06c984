import { Aggregate } from "../../mod.ts";
import { quote } from "../errors/base.ts";
import { isBytes, isDate, isMap, isSet } from "../errors/kind.ts";

/** Deeper than any state that a person reads. */
const deepest = 32;

/**
 * Returns a state as plain JSON, for people: the public fields and getters of objects, but not an aggregate's `changes`.
 *
 * @throws {TypeError} If an aggregate shows nothing, since it keeps all in `#private` fields.
 */
export function plainOf(state: unknown): unknown {
  const plain = convert(state, []);
  if (!(state instanceof Aggregate) || Object.keys(plain as object).length > 0) return plain;
  throw new TypeError(
    `${state.constructor.name} keeps its state private: give it a getter, or give aggregates a function of the events`,
  );
}

/** Returns types and lengths in the place of values: `{ customer: "string(12)" }`. */
export function shapeOf(value: unknown): unknown {
  if (typeof value === "string") return `string(${value.length})`;
  if (value === null || value === undefined) return "null";
  if (typeof value !== "object") return typeof value;
  if (Array.isArray(value)) {
    return value.length === 0 ? [] : [shapeOf(value[0]), `… (${value.length} items)`];
  }
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, shapeOf(item)]));
}

function convert(value: unknown, above: readonly object[]): unknown {
  switch (typeof value) {
    case "bigint":
      return `${value}n`;
    case "number":
      return Number.isFinite(value) ? value : String(value);
    case "function":
    case "symbol":
      return undefined;
    case "object":
      return value === null ? null : convertObject(value, above);
    default:
      return value;
  }
}

function convertObject(value: object, above: readonly object[]): unknown {
  if (above.includes(value)) return "(circular)";
  if (above.length === deepest) return "(deeper)";
  const inner = (item: unknown) => convert(item, [...above, value]);
  if (isDate(value)) return Number.isNaN(+value) ? "(invalid date)" : value.toISOString();
  if (isBytes(value)) return `(${value.length} bytes)`;
  if (isMap(value)) return [...value].map(([key, item]) => [inner(key), inner(item)]);
  if (isSet(value)) return [...value].map(inner);
  if (Array.isArray(value)) return value.map((item) => inner(item) ?? null);
  return Object.fromEntries(membersOf(value).map((key) => [key, inner(read(value, key))]));
}

/** The names of an object's fields and getters, without those that every object or aggregate has. */
function membersOf(value: object): readonly string[] {
  const names = new Set(Object.keys(value));
  let prototype: unknown = Object.getPrototypeOf(value);
  while (prototype instanceof Object && prototype !== Aggregate.prototype) {
    const members = Object.getOwnPropertyDescriptors(prototype);
    if (Object.getPrototypeOf(prototype) === null) break;
    for (const [name, { get }] of Object.entries(members)) if (get !== undefined) names.add(name);
    prototype = Object.getPrototypeOf(prototype);
  }
  return [...names];
}

function read(value: object, name: string): unknown {
  try {
    return Reflect.get(value, name);
  } catch {
    return `(${quote(name)} cannot be read)`;
  }
}
