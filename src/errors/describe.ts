import { EventSourceryError } from "./base.ts";

const longest = 1000;

/**
 * Describes what was thrown, to be stored or printed. Database toolkits put statements and their parameters into messages:
 * of such errors only the cause, which comes from the database itself, is described.
 */
export function describe(error: unknown): string {
  let found = error;
  while (found instanceof Error && found.cause instanceof Error && isFailedQuery(found)) {
    found = found.cause;
  }
  if (found instanceof EventSourceryError) return found.message;
  return textOf(found).slice(0, longest).replace(/[\0\p{Surrogate}]/gu, "\ufffd");
}

/** Not every thrown value converts to a string. */
function textOf(found: unknown): string {
  try {
    return found instanceof Error ? `${found.name}: ${found.message}` : `threw ${String(found)}`;
  } catch {
    return "threw something that has no text";
  }
}

function isFailedQuery(error: Error): boolean {
  return "query" in error || "params" in error;
}
