import { InvalidEventError } from "../errors/event.ts";
import { isPromise } from "../errors/kind.ts";

/**
 * The part of a [Standard Schema](https://standardschema.dev) (version 1) that this library uses.
 * Valibot, Zod, ArkType and others give it.
 */
export interface StandardSchema<Input = unknown, Output = Input> {
  /** What the specification puts here. */
  readonly "~standard": {
    /** The version of the specification. */
    readonly version: 1;
    /** The name of the library that made the schema. */
    readonly vendor: string;
    /** Checks a value. */
    readonly validate: (value: unknown) => StandardResult<Output> | Promise<StandardResult<Output>>;
    /** Carries the types; there is no value. */
    readonly types?: { readonly input: Input; readonly output: Output } | undefined;
  };
}

/** What a schema answers: the value it made, or what is wrong. */
export type StandardResult<Output> =
  | { readonly value: Output; readonly issues?: undefined }
  | { readonly issues: readonly StandardIssue[] };

/** One thing that a schema found wrong. */
export interface StandardIssue {
  /** What is wrong. */
  readonly message: string;
  /** The keys that lead to it. */
  readonly path?: readonly (PropertyKey | { readonly key: PropertyKey })[] | undefined;
}

/**
 * Checks an event's data with its schema.
 *
 * @returns What the schema made of the data.
 * @throws {InvalidEventError} If the schema finds something wrong, or throws.
 * @throws {TypeError} If the schema answers with a promise.
 */
export function validate(type: string, schema: StandardSchema, input: unknown): unknown {
  const result = run(type, schema, input);
  if (isPromise(result)) {
    result.then(undefined, () => {}); // its rejection is deliberately ignored
    throw new TypeError(
      `Cannot create event "${type}": its schema is async, it answered with a promise; use a sync one`,
    );
  }
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
    const issues = [{ message: "the schema threw", path: [] }];
    throw new InvalidEventError(type, issues, { reason: "its schema threw", cause });
  }
}

function keys(path: StandardIssue["path"]): readonly PropertyKey[] {
  // Not path.map, which would keep ArkType's own class of arrays.
  return Array.from(path ?? [], (part) => typeof part === "object" ? part.key : part);
}
