// Built-in objects are told by what only they can do, never by their prototype: that of another realm is another, and
// so is that of a `Date` from before a test faked the clock.
const { getTime } = Date.prototype;
const { has: hasKey } = Map.prototype;
const { has: hasItem } = Set.prototype;
const { toString } = Object.prototype;
const { get: typedArrayName } = Object.getOwnPropertyDescriptor(
  Object.getPrototypeOf(Uint8Array.prototype),
  Symbol.toStringTag,
)!;

/** Whether a value is a `Date`, valid or not; one of a subclass, too. */
export function isDate(value: unknown): value is Date {
  return typeof value === "object" && takes(getTime, value);
}

/** Whether a value is a `Map`; one of a subclass, too. */
export function isMap(value: unknown): value is Map<unknown, unknown> {
  return typeof value === "object" && takes(hasKey, value);
}

/** Whether a value is a `Set`; one of a subclass, too. */
export function isSet(value: unknown): value is Set<unknown> {
  return typeof value === "object" && takes(hasItem, value);
}

/** Whether a value is a `Uint8Array`; one of a subclass, such as Node's `Buffer`, too. */
export function isBytes(value: unknown): value is Uint8Array {
  return typedArrayName!.call(value) === "Uint8Array";
}

/** Whether a value is an `Error`, or passes for one. */
export function isError(value: unknown): value is Error {
  return value instanceof Error || toString.call(value) === "[object Error]";
}

/** Whether a value is a promise, or anything else with a `then`. */
export function isPromise(value: unknown): value is PromiseLike<unknown> {
  return typeof value === "object" && value !== null && "then" in value &&
    typeof value.then === "function";
}

/**
 * Whether an object was made by a built-in constructor of any realm, not by a class derived from one: the prototypes of
 * those stand directly below `Object.prototype`. The constructor is asked, since a faked `Date` derives from the real
 * one, and names that one as the constructor of what it makes.
 */
export function isBuiltIn(value: object): boolean {
  const prototype: unknown = value.constructor?.prototype;
  if (typeof prototype !== "object" || prototype === null) return false;
  const parent = Object.getPrototypeOf(prototype);
  return parent !== null && Object.getPrototypeOf(parent) === null;
}

/** Whether a built-in method accepts a value as the object that it is called on. */
function takes(method: (...args: never[]) => unknown, value: unknown): boolean {
  try {
    Reflect.apply(method, value, []);
    return true;
  } catch {
    return false;
  }
}
