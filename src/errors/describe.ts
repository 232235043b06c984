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

/** What is a value in a message: what is quoted or bracketed, and words with digits, addresses, paths or ids. */
const value =
  /"(?:[^"\\]|\\.)*("|$)|(?<![\p{L}\p{N}])'[^']*'|`[^`]*`|“[^”]*”|\{.*\}|\[.*\]|<[^<>]*>|[^\s,;()"'=]*([\p{N}@/\\]|\p{L}:\p{L})[^\s,;()"']*|[^\s,;()"'=]{41,}/gu;

/**
 * Returns the same short text for all failures of one kind: of the consumer's name, the error's name, and the first
 * line of its message without its values. It holds no data: it is a hash.
 *
 * @param text What went wrong, as `describe` returns it.
 * @param streamId Whose id, whole or without its category, is a value as well.
 */
export function fingerprintOf(consumer: string, text: string, streamId: string): string {
  const own = [streamId, streamId.slice(streamId.indexOf(":") + 1)];
  const [line = ""] = text.slice(0, 300).split(/[\r\n]/, 1);
  const shape = line.split(/(\s)/).map((word) => own.includes(word) ? "…" : word).join("")
    .replace(value, "…").replace(/…(?:[\s,]*…)+/g, "…");
  let [a, b] = [0x811c9dc5, 0x9e3779b9];
  for (const unit of new TextEncoder().encode(`${consumer}\0${shape}`)) {
    a = Math.imul(a ^ unit, 0x01000193);
    b = Math.imul(b ^ unit, 0x85ebca6b) ^ (b >>> 15);
  }
  return [a, b].map((half) => (half >>> 0).toString(36).padStart(7, "0").slice(-5)).join("");
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
