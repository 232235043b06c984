/** What a database error means for the statement that met it. */
export type Failure =
  /** The tables are not there. */
  | "missing"
  /** Another writer was in the way; nothing is stored, the same may succeed at once. */
  | "raced"
  /** Another writer was in the way for as long as the statement was willing to wait. */
  | "busy"
  /** The transaction around it is lost. */
  | "aborted"
  /** Of the several streams that it appends to, others were faster at one: our guard undid it. */
  | "outrun"
  /** A constraint refused it: an event's id is taken, or it is a constraint of the user's own. */
  | "refused"
  /** No answer came: whether the statement took effect is not known. */
  | "lost"
  /** The database refused it for a reason of its own. */
  | "other";

/** What a database error means, and the database's own code where it gave one. */
export interface Classified {
  readonly failure: Failure;
  readonly code: string | undefined;
}

/**
 * Finds the error of the database or its client below the wrappers of Drizzle, whose messages hold SQL and parameters.
 */
export function rootOf(error: unknown): unknown {
  let root = error;
  while (root instanceof Error && root.cause instanceof Error) root = root.cause;
  return root;
}

/** Reads a text property of whatever was thrown. */
export function textOf(error: unknown, property: string): string | undefined {
  const value: unknown = typeof error === "object" && error !== null
    ? Reflect.get(error, property)
    : undefined;
  return typeof value === "string" ? value : undefined;
}

/** Carries what a user's work threw past the handling of the database's own errors. */
export class UserError {
  readonly error: unknown;

  constructor(error: unknown) {
    this.error = error;
  }
}
