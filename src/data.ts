import type { Issue } from "./errors.ts";

/** Deeper than any honest data; SQLite's JSON functions stop at 1,000 levels, and so would the stack somewhere. */
const deepest = 500;

/** Thrown while data is walked: what cannot be stored, and where it stands. */
export class Unstorable extends Error {
  /** What cannot be stored. */
  readonly issue: Issue;

  constructor(message: string, path: readonly PropertyKey[], cause?: unknown) {
    super(message, { cause });
    this.issue = { message, path };
  }
}

/**
 * Copies data deeply; plain objects and arrays of the copy are frozen.
 *
 * @throws {Unstorable} If there is something in it that would not come back equal: a class instance, a function,
 * a symbol, a cycle, an invalid date, a hole in an array, the key `__proto__`, or a getter that throws.
 */
export function copyData(value: unknown, path: PropertyKey[] = []): unknown {
  switch (typeof value) {
    case "function":
    case "symbol":
      throw new Unstorable(`a ${typeof value} cannot be stored`, [...path]);
    case "object":
      return value === null ? null : copyObject(value, path);
    default:
      return value;
  }
}

function copyObject(value: object, path: PropertyKey[]): unknown {
  if (path.length >= deepest) {
    throw new Unstorable(
      `data must not be cyclic or nested deeper than ${deepest} levels`,
      path.slice(0, 8),
    );
  }
  if (Array.isArray(value)) return copyArray(value, path);
  const prototype = Object.getPrototypeOf(value);
  if (prototype === Object.prototype || prototype === null || isForeignPlain(value, prototype)) {
    return copyPlain(value as Record<PropertyKey, unknown>, path);
  }
  if (value instanceof Date) {
    if (Number.isNaN(value.getTime())) {
      throw new Unstorable("an invalid date cannot be stored", [...path]);
    }
    return new Date(value.getTime());
  }
  if (value instanceof Uint8Array) return Uint8Array.from(value);
  if (value instanceof Map && prototype === Map.prototype) {
    const entries = [...value].map(([key, item], index) =>
      [
        copyAt(key, path, index),
        copyAt(item, path, index),
      ] as const
    );
    return new Map(entries);
  }
  if (value instanceof Set && prototype === Set.prototype) {
    return new Set([...value].map((item, index) => copyAt(item, path, index)));
  }
  throw new Unstorable("an instance of a class cannot be stored; use plain data", [...path]);
}

/** A plain object of another realm, such as a worker's or a test runner's, has another `Object.prototype`. */
function isForeignPlain(value: object, prototype: object): boolean {
  return Object.getPrototypeOf(prototype) === null && Object.hasOwn(prototype, "isPrototypeOf") &&
    Object.prototype.toString.call(value) === "[object Object]";
}

function copyArray(value: readonly unknown[], path: PropertyKey[]): readonly unknown[] {
  if (
    Object.keys(value).length !== value.length ||
    Object.getPrototypeOf(value)?.constructor?.name !== "Array"
  ) {
    throw new Unstorable(
      "an array with holes, named properties or a class of its own cannot be stored",
      [...path],
    );
  }
  const copy = new Array<unknown>(value.length);
  for (let index = 0; index < value.length; index++) {
    copy[index] = copyAt(value[index], path, index);
  }
  return Object.freeze(copy);
}

function copyPlain(value: Record<PropertyKey, unknown>, path: PropertyKey[]): object {
  const copy: Record<PropertyKey, unknown> = {};
  for (const key of Reflect.ownKeys(value)) {
    if (typeof key === "symbol") throw new Unstorable("a symbol cannot be stored", [...path, key]);
    if (key === "__proto__") {
      throw new Unstorable("the key __proto__ cannot be stored", [...path, key]);
    }
    if (!Object.prototype.propertyIsEnumerable.call(value, key)) continue;
    copy[key] = copyAt(read(value, key, path), path, key);
  }
  return Object.freeze(copy);
}

function read(value: Record<PropertyKey, unknown>, key: string, path: PropertyKey[]): unknown {
  try {
    return value[key];
  } catch (cause) {
    throw new Unstorable("a getter threw", [...path, key], cause);
  }
}

function copyAt(value: unknown, path: PropertyKey[], key: PropertyKey): unknown {
  if (typeof value !== "object" && typeof value !== "function" && typeof value !== "symbol") {
    return value;
  }
  path.push(key);
  const copy = copyData(value, path);
  path.pop();
  return copy;
}
