// Built-in objects are recognised by the methods that only they accept, never by their prototype: that differs for an
// object of another realm, and for a `Date` from before a test faked the clock.

const { get: typedArrayName } = Object.getOwnPropertyDescriptor(
  Object.getPrototypeOf(Uint8Array.prototype),
  Symbol.toStringTag,
)!;

/** Reports whether a value is a `Date`, valid or not, or of a subclass. */
export function isDate(value: unknown): value is Date {
  return accepts(Date.prototype.getTime, value);
}

/** Reports whether a value is a `Map`, or of a subclass. */
export function isMap(value: unknown): value is Map<unknown, unknown> {
  return accepts(Map.prototype.has, value);
}

/** Reports whether a value is a `Set`, or of a subclass. */
export function isSet(value: unknown): value is Set<unknown> {
  return accepts(Set.prototype.has, value);
}

/** Reports whether a value is a `Uint8Array`, or of a subclass such as Node's `Buffer`. */
export function isBytes(value: unknown): value is Uint8Array {
  return typedArrayName!.call(value) === "Uint8Array";
}

/** Reports whether a value is an `Error`, also one of another realm. */
export function isError(value: unknown): value is Error {
  return value instanceof Error || Object.prototype.toString.call(value) === "[object Error]";
}

/** Reports whether a value is a promise, or another object with a `then` method. */
export function isPromise(value: unknown): value is PromiseLike<unknown> {
  return typeof value === "object" && value !== null && "then" in value &&
    typeof value.then === "function";
}

/**
 * Reports whether an object was made by a built-in constructor of any realm, not by a class that extends one: the
 * prototype of a built-in one inherits directly from `Object.prototype`. The check goes through `constructor`, since a
 * faked `Date` extends the real one, and its objects name the real one as their constructor.
 */
export function isBuiltIn(value: object): boolean {
  const prototype: unknown = value.constructor?.prototype;
  if (typeof prototype !== "object" || prototype === null) return false;
  const parent = Object.getPrototypeOf(prototype);
  return parent !== null && Object.getPrototypeOf(parent) === null;
}

/** Reports whether a built-in method accepts an object as `this`. */
function accepts(method: (...args: never[]) => unknown, value: unknown): boolean {
  if (typeof value !== "object") return false;
  try {
    method.call(value);
    return true;
  } catch {
    return false;
  }
}
