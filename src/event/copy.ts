import type { Issue } from "../errors/event.ts";
import { isBuiltIn, isBytes, isDate, isMap, isSet } from "../errors/kind.ts";

/** Deeper than any legitimate data; SQLite's JSON functions stop at 1,000 levels, and so would the stack somewhere. */
const maxDepth = 500;

/** Thrown while data is copied: names what cannot be stored, and its path. */
export class Unstorable extends Error {
  /** The message, which quotes no data, and the path to the value. */
  readonly issue: Issue;

  constructor(message: string, path: readonly PropertyKey[], cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.issue = { message, path };
  }
}

/**
 * Copies data deeply; plain objects and arrays of the copy are frozen.
 *
 * @throws {Unstorable} If it contains something that would not be read back equal: a class instance, a function,
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
  if (path.length >= maxDepth) {
    throw new Unstorable(
      `data must not be cyclic or nested deeper than ${maxDepth} levels`,
      path.slice(0, 8),
    );
  }
  try {
    return copyKind(value, path);
  } catch (cause) {
    if (cause instanceof Unstorable) throw cause;
    throw new Unstorable("reading it threw", [...path], cause); // a proxy, or a getter
  }
}

function copyKind(value: object, path: PropertyKey[]): unknown {
  if (Array.isArray(value)) return copyArray(value, path);
  const prototype = Object.getPrototypeOf(value);
  if (prototype === Object.prototype || prototype === null) return copyPlain(value, path);
  // Subclasses too, such as Node's Buffer: they read back as a plain Uint8Array.
  if (isBytes(value)) return new Uint8Array(value);
  if (isForeignPlain(value, prototype)) return copyPlain(value, path);
  if (isBuiltIn(value)) {
    if (isDate(value)) return copyDate(value, path);
    if (isMap(value)) {
      return new Map(copyArray([...value], path) as readonly [unknown, unknown][]);
    }
    if (isSet(value)) return new Set(copyArray([...value], path));
  }
  throw new Unstorable("an instance of a class cannot be stored; use plain data", [...path]);
}

function copyDate(value: Date, path: PropertyKey[]): Date {
  const time = value.getTime();
  if (Number.isNaN(time)) throw new Unstorable("an invalid date cannot be stored", [...path]);
  return new Date(time);
}

/** A plain object of another realm, such as a worker's or a test runner's, has another `Object.prototype`. */
function isForeignPlain(value: object, prototype: object): boolean {
  return Object.getPrototypeOf(prototype) === null && Object.hasOwn(prototype, "isPrototypeOf") &&
    Object.prototype.toString.call(value) === "[object Object]";
}

function copyArray(value: readonly unknown[], path: PropertyKey[]): readonly unknown[] {
  if (
    Object.keys(value).length !== value.length ||
    (Object.getPrototypeOf(value) !== Array.prototype && !isBuiltIn(value))
  ) throw unstorableArray(path);
  const copy = new Array<unknown>(value.length);
  for (let index = 0; index < copy.length; index++) {
    if (!Object.hasOwn(value, index)) throw unstorableArray(path);
    copy[index] = copyAt(value, index, path);
  }
  return Object.freeze(copy);
}

function unstorableArray(path: PropertyKey[]): Unstorable {
  return new Unstorable(
    "an array with holes, named properties or a class of its own cannot be stored",
    [...path],
  );
}

function copyPlain(value: object, path: PropertyKey[]): object {
  const [symbol] = Object.getOwnPropertySymbols(value);
  if (symbol !== undefined) throw new Unstorable("a symbol cannot be stored", [...path, symbol]);
  const copy: Record<string, unknown> = {};
  for (const key of Object.keys(value)) {
    if (key === "__proto__") {
      throw new Unstorable("the key __proto__ cannot be stored", [...path, key]);
    }
    const item = copyAt(value, key, path);
    try {
      copy[key] = item;
    } catch {
      // Where `Object.prototype` is frozen, as under SES, a key that it also has cannot be assigned.
      Object.defineProperty(copy, key, { value: item, enumerable: true });
    }
  }
  return Object.freeze(copy);
}

function copyAt(value: object, key: string | number, path: PropertyKey[]): unknown {
  const item = read(value, key, path);
  if (typeof item !== "object" && typeof item !== "function" && typeof item !== "symbol") {
    return item;
  }
  path.push(key);
  const copy = copyData(item, path);
  path.pop();
  return copy;
}

function read(value: object, key: string | number, path: PropertyKey[]): unknown {
  try {
    return Reflect.get(value, key);
  } catch (cause) {
    throw new Unstorable("a getter threw", [...path, key], cause);
  }
}
