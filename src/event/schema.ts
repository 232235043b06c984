import { checkSync } from "../errors/check.ts";
import { InvalidEventError } from "../errors/event.ts";

/**
 * The part of a [Standard Schema](https://standardschema.dev) (version 1) that this library uses.
 * Schemas of Valibot, Zod, ArkType and others have it.
 *
 * @category Events
 */
export interface StandardSchema<Input = unknown, Output = Input> {
  /** The interface of the specification. */
  readonly "~standard": {
    /** The version of the specification. */
    readonly version: 1;
    /** The name of the library that made the schema. */
    readonly vendor: string;
    /** Checks a value; asynchronous schemas are refused. */
    readonly validate: (value: unknown) => StandardResult<Output> | Promise<StandardResult<Output>>;
    /** Carries the input and output types; has no value at runtime. */
    readonly types?: { readonly input: Input; readonly output: Output } | undefined;
  };
}

/**
 * The result of a schema: its output, or what is wrong with the input.
 *
 * @category Events
 */
export type StandardResult<Output> =
  | { readonly value: Output; readonly issues?: undefined }
  | { readonly issues: readonly StandardIssue[] };

/**
 * One problem that a schema found.
 *
 * @category Events
 */
export interface StandardIssue {
  /** The problem in the schema's words; may quote data. */
  readonly message: string;
  /** The keys that lead to it, outermost first; left out for the whole value. */
  readonly path?: readonly (PropertyKey | { readonly key: PropertyKey })[] | undefined;
}

/**
 * Checks an event's data with its schema.
 *
 * @returns The schema's output.
 * @throws {InvalidEventError} If the schema finds something wrong, or throws.
 * @throws {TypeError} If the schema answers with a promise.
 */
export function validate(type: string, schema: StandardSchema, input: unknown): unknown {
  const result = checkSync(
    run(type, schema, input),
    `Cannot create event "${type}": its schema is async; use a sync one`,
  );
  if (result.issues === undefined) return result.value;
  throw new InvalidEventError(
    type,
    result.issues.map(({ message, path }) => ({ message, path: keys(path) })),
  );
}

function run(
  type: string,
  schema: StandardSchema,
  input: unknown,
): ReturnType<StandardSchema["~standard"]["validate"]> {
  try {
    return schema["~standard"].validate(input);
  } catch (cause) {
    const reason = "its schema threw";
    throw new InvalidEventError(type, [{ message: reason, path: [] }], { reason, cause });
  }
}

function keys(path: StandardIssue["path"]): readonly PropertyKey[] {
  // Not path.map, which would keep ArkType's own class of arrays.
  return Array.from(path ?? [], (part) => typeof part === "object" ? part.key : part);
}
