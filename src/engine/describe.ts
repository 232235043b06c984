import { EventSourceryError } from "../errors/base.ts";

const longest = 1000;

/**
 * Says in one line what went wrong, to be stored. Database toolkits put statements and their parameters into messages: of
 * such errors only the cause, which the database itself gave, is told.
 */
export function describe(error: unknown): string {
  let told = error;
  while (told instanceof Error && told.cause instanceof Error && isFailedQuery(told)) {
    told = told.cause;
  }
  if (told instanceof EventSourceryError) return told.message;
  return textOf(told).slice(0, longest).replace(/[\0\p{Surrogate}]/gu, "\ufffd");
}

/** Whatever was thrown: not all of it can be made a text of. */
function textOf(told: unknown): string {
  try {
    return told instanceof Error ? `${told.name}: ${told.message}` : `threw ${String(told)}`;
  } catch {
    return "threw something that has no text";
  }
}

function isFailedQuery(error: Error): boolean {
  return "query" in error || "params" in error;
}
