import { sharesNothing } from "./isolate.ts";

/** The most requests of a group where the caller does not say. */
const most = 512;

/**
 * Reads the option `groups`.
 *
 * @returns The most requests in one statement; 0 if each is sent by itself.
 * @throws {TypeError | RangeError} If it is neither a boolean nor a whole number from 1 to 512.
 */
export function readGroups(groups: unknown = !sharesNothing()): number {
  if (typeof groups === "boolean") return groups ? most : 0;
  if (typeof groups !== "number") {
    throw new TypeError(`groups must be a boolean or a number, got ${typeof groups}`);
  }
  if (!Number.isInteger(groups) || groups < 1 || groups > most) {
    throw new RangeError(`groups must be a whole number from 1 to ${most}, got ${groups}`);
  }
  return groups;
}
