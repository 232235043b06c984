import type { Issue } from "../errors/event.ts";
import { isBuiltIn, isBytes, isDate, isMap, isSet } from "../errors/kind.ts";

/** Deeper than any legitimate data; SQLite's JSON functions stop at 1,000 levels, and so would the stack somewhere. */
const maxDepth = 500;

/** Thrown while data is copied: names what cannot be stored, and its path. */
export class Unstorable extends Error {
  /** The message, which quotes no data, and the path to the value. */
  readonly issue: Issue;

  constructor(message: string, path: readonly PropertyKey[], options?: ErrorOptions) {
    super(message, options);
    this.issue = { message, path: [...path] };
  }
}

/**
 * Copies data deeply; plain objects and arrays of the copy are frozen.
 *
 * @param path The keys that lead to the value; after an error, those that lead to what cannot be stored.
 * @throws {Unstorable} If it contains something that would not be read back equal: a class instance, a function,
 * a symbol, a cycle, an invalid date, a hole in an array, the key `__proto__`, or a getter that throws.
 */
export function copyData(value: unknown, path: PropertyKey[] = []): unknown {
  if (typeof value === "function" || typeof value === "symbol") {
    throw new Unstorable(`a ${typeof value} cannot be stored`, path);
  }
  if (typeof value !== "object" || value === null) return value;
  if (path.length >= maxDepth) {
    throw new Unstorable(`it is cyclic or deeper than ${maxDepth} levels`, path.slice(0, 8));
  }
  try {
    return copyObject(value, path);
  } catch (cause) {
    // A proxy threw, or a getter.
    throw cause instanceof Unstorable ? cause : new Unstorable("reading it threw", path, { cause });
  }
}

function copyObject(value: object, path: PropertyKey[]): unknown {
  const prototype = Object.getPrototypeOf(value);
  if (prototype === Object.prototype || prototype === null || isForeignPlain(prototype)) {
    return copyPlain(value, path);
  }
  // Subclasses too, such as Node's Buffer: they read back as a plain Uint8Array.
  if (isBytes(value)) return new Uint8Array(value);
  if (isBuiltIn(value)) {
    if (Array.isArray(value)) return copyArray(value, path);
    if (isDate(value)) return copyDate(value, path);
    if (isMap(value)) {
      return new Map(copyArray([...value], path) as readonly [unknown, unknown][]);
    }
    if (isSet(value)) return new Set(copyArray([...value], path));
  }
  throw new Unstorable("an instance of a class cannot be stored; use plain data", path);
}

/** A plain object of another realm, such as a worker's or a test runner's, has another `Object.prototype`. */
function isForeignPlain(prototype: object): boolean {
  return Object.getPrototypeOf(prototype) === null && Object.hasOwn(prototype, "isPrototypeOf");
}

function copyDate(value: Date, path: readonly PropertyKey[]): Date {
  const time = value.getTime();
  if (Number.isNaN(time)) throw new Unstorable("an invalid date cannot be stored", path);
  return new Date(time);
}

function copyArray(value: readonly unknown[], path: PropertyKey[]): readonly unknown[] {
  const { length } = value;
  const keys = Object.keys(value);
  // Indexes come first, in ascending order: with so many keys, the last of them is an index only if all are.
  if (keys.length !== length || (length > 0 && keys[length - 1] !== String(length - 1))) {
    throw new Unstorable("an array with holes or named properties cannot be stored", path);
  }
  const copy = new Array<unknown>(length);
  for (let index = 0; index < length; index++) {
    path.push(index);
    copy[index] = copyData(value[index], path);
    path.pop();
  }
  return Object.freeze(copy);
}

function copyPlain(value: object, path: PropertyKey[]): object {
  const [symbol] = Object.getOwnPropertySymbols(value);
  if (symbol !== undefined) throw new Unstorable("a symbol cannot be stored", [...path, symbol]);
  const copy: Record<string, unknown> = {};
  for (const key of Object.keys(value)) {
    path.push(key);
    if (key === "__proto__") throw new Unstorable("the key __proto__ cannot be stored", path);
    const item = copyData(Reflect.get(value, key), path);
    path.pop();
    try {
      copy[key] = item;
    } catch {
      // Where `Object.prototype` is frozen, as under SES, a key that it also has cannot be assigned.
      Object.defineProperty(copy, key, { value: item, enumerable: true });
    }
  }
  return Object.freeze(copy);
}
