import { quote } from "./base.ts";
import { isDate, isPromise } from "./kind.ts";

const encoder = new TextEncoder();
const maxBytes = 512;

/**
 * Checks a name that becomes part of a key: a stream id, type, tag, tenant or event id.
 *
 * @throws {TypeError} If it is not a string, contains NUL or is not well-formed Unicode.
 * @throws {RangeError} If it is empty or longer than 512 bytes in UTF-8.
 */
export function checkName(argument: string, value: unknown): asserts value is string {
  if (typeof value !== "string") throw wrongType(argument, "a string", value);
  if (value === "") throw new RangeError(`${argument} must not be empty`);
  // A UTF-16 unit takes at most three bytes, so most names are short enough without being encoded.
  if (value.length * 3 > maxBytes && encoder.encode(value).length > maxBytes) {
    throw new RangeError(
      `${argument} must be at most ${maxBytes} bytes in UTF-8, got ${quote(value)}`,
    );
  }
  if (unsafe.test(value)) {
    throw new TypeError(`${argument} must be well-formed Unicode without NUL, got ${quote(value)}`);
  }
}

/** Matches NUL, at which libSQL truncates text, and lone surrogates, which UTF-8 cannot encode. */
export const unsafe: RegExp = /[\0\p{Surrogate}]/u;

/**
 * The longest delay of a timer, in milliseconds: a longer one fires immediately. Also the greatest `integer` of
 * Postgres.
 */
export const maxInt32: number = 2 ** 31 - 1;

/**
 * Checks a whole number.
 *
 * @throws {TypeError} If it is not a number.
 * @throws {RangeError} If it is not a whole number from `min` to `max`.
 */
export function checkNumber(
  argument: string,
  value: unknown,
  min: number = 0,
  max: number = Number.MAX_SAFE_INTEGER,
): asserts value is number {
  if (typeof value !== "number") throw wrongType(argument, "a number", value);
  if (!Number.isSafeInteger(value) || value < min || value > max) {
    throw new RangeError(
      `${argument} must be a whole number from ${min} to ${max}, got ${value}`,
    );
  }
}

/**
 * Checks a UTC instant.
 *
 * @throws {TypeError} If it is not a `Date`.
 * @throws {RangeError} If it is not a valid date of the years 1 to 9999, which every driver can store and order.
 */
export function checkInstant(argument: string, value: unknown): asserts value is Date {
  if (!isDate(value)) throw wrongType(argument, "a Date", value);
  const year = value.getUTCFullYear();
  if (!(year >= 1 && year <= 9999)) {
    throw new RangeError(`${argument} must be a valid date of the years 1 to 9999`);
  }
}

/**
 * Checks a list of names, such as the types or categories of a filter.
 *
 * @throws {TypeError} If it is not an array of strings, or a name in it is not well-formed.
 * @throws {RangeError} If a name in it is too long, or is empty and `allowEmpty` is false.
 */
export function checkList(argument: string, value: unknown, allowEmpty: boolean = false): void {
  if (!Array.isArray(value)) throw wrongType(argument, "an array of strings", value);
  for (const [index, name] of value.entries()) {
    if (!(allowEmpty && name === "")) checkName(`${argument}[${index}]`, name);
  }
}

/**
 * Checks an object, such as a function's options, and returns it.
 *
 * @throws {TypeError} If it is not an object, or is an array.
 */
export function checkObject<T>(argument: string, value: T): T {
  if (typeof value === "object" && value !== null && !Array.isArray(value)) return value;
  throw wrongType(argument, "an object", value);
}

/**
 * Checks a function.
 *
 * @throws {TypeError} If it is not a function.
 */
export function checkFunction(
  argument: string,
  value: unknown,
): asserts value is (...args: readonly unknown[]) => unknown {
  if (typeof value === "function") return;
  throw wrongType(argument, "a function", value);
}

/**
 * Checks a boolean.
 *
 * @throws {TypeError} If it is not a boolean.
 */
export function checkBoolean(argument: string, value: unknown): asserts value is boolean {
  if (typeof value === "boolean") return;
  throw wrongType(argument, "a boolean", value);
}

/** Returns the error for an argument of another type than `wanted`. */
export function wrongType(argument: string, wanted: string, value: unknown): TypeError {
  return new TypeError(`${argument} must be ${wanted}, got ${kind(value)}`);
}

/** Returns the kind of a value for a message, such as `"an array"`, without its content. */
export function kind(value: unknown): string {
  if (value === null) return "null";
  if (Array.isArray(value)) return "an array";
  return typeof value === "object" || typeof value === "undefined"
    ? String(typeof value)
    : `a ${typeof value}`;
}

/** Returns an answer that must not be a promise. @throws {TypeError} With the message, if it is one. */
export function checkSync<T>(answer: T | Promise<unknown>, message: string): T {
  if (!isPromise(answer)) return answer as T;
  answer.then(undefined, () => {}); // its rejection is deliberately ignored
  throw new TypeError(message);
}

/** Checks a signal. @throws {TypeError} If it is not an `AbortSignal`. */
export function checkSignal(value: unknown): asserts value is AbortSignal {
  if (value instanceof AbortSignal) return;
  throw wrongType("signal", "an AbortSignal", value);
}

/** Checks the longest pause of a run, in milliseconds. @throws {TypeError | RangeError} If it is none. */
export function checkPause(pollInterval: unknown): void {
  if (pollInterval !== Infinity) checkNumber("pollInterval", pollInterval, 1);
}
