import { unsafe } from "./check.ts";
import { isEventSourceryError } from "./guard.ts";
import { isError } from "./kind.ts";

/** The most UTF-16 units that are stored of what went wrong. */
const longest = 1000;
const everyUnsafe = new RegExp(unsafe, "gu");

/**
 * Returns in one line what went wrong, as text that every database can store: well-formed, without NUL, and bounded.
 *
 * @param discreet Whether the words of others, which may quote an event's data, are left out.
 *
 * Database toolkits put statements and their parameters into messages: of such errors only the cause, which the
 * database itself gave, is described.
 */
export function describe(error: unknown, discreet: boolean = false): string {
  // Cut first: a cut may leave half of a surrogate pair.
  return textOf(error, discreet).slice(0, longest).replace(everyUnsafe, "\ufffd");
}

/** Returns the error of the database below one of a toolkit; another error unchanged. */
export function belowToolkit(error: unknown): unknown {
  let found = error;
  while (isError(found) && isError(found.cause) && isFailedQuery(found)) found = found.cause;
  return found;
}

function textOf(error: unknown, discreet: boolean): string {
  try {
    const found = belowToolkit(error);
    if (isEventSourceryError(found) && !(discreet && found.code === "PERMANENT")) {
      return String(found.message);
    }
    if (discreet) return isError(found) ? String(found.name) : "threw what is no error";
    return isError(found) ? `${found.name}: ${found.message}` : `threw ${String(found)}`;
  } catch {
    return "threw something that has no text"; // such as a proxy, or an object without a prototype
  }
}

function isFailedQuery(error: Error): boolean {
  return "query" in error || "params" in error;
}
