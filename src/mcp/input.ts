/** An argument of a tool. */
export interface Field {
  /** What it takes: a text, a whole number, texts, yes or no, or a UTC instant in ISO 8601. */
  readonly kind: "text" | "whole" | "texts" | "flag" | "instant";
  /** What it is. */
  readonly about: string;
  /** Whether it must be given. @default false */
  readonly required?: true | undefined;
  /** The smallest number. @default 0 */
  readonly min?: number | undefined;
  /** The greatest number, or the most characters of a text. @default 2^53 - 1; 512 characters */
  readonly max?: number | undefined;
}

/** The arguments of a tool, by name. */
export type Fields = Readonly<Record<string, Field>>;

interface Values {
  readonly text: string;
  readonly whole: number;
  readonly texts: readonly string[];
  readonly flag: boolean;
  readonly instant: Date;
}

/** What was given for arguments. */
export type Input<F extends Fields> = {
  readonly [Name in keyof F]:
    | Values[F[Name]["kind"]]
    | (F[Name] extends { readonly required: true } ? never : undefined);
};

/** JSON Schema, as a protocol carries it. */
export type Schema = Readonly<Record<string, unknown>>;

/** A call that cannot be answered, for a reason that the caller can act on. */
export class Refused extends Error {}

/** The longest text, and the most texts: ids and names have at most 512 bytes. */
const [maxLength, maxItems] = [512, 20];

/** Describes arguments in JSON Schema. */
export function schemaOf(fields: Fields): Schema {
  const names = Object.keys(fields);
  return {
    type: "object",
    properties: Object.fromEntries(names.map((name) => [name, describe(fields[name]!)])),
    required: names.filter((name) => fields[name]!.required),
    additionalProperties: false,
  };
}

function describe({ kind, about, min = 0, max }: Field): Schema {
  const description = about;
  const text = { type: "string", minLength: 1, maxLength };
  switch (kind) {
    case "text":
      return { ...text, maxLength: max ?? maxLength, description };
    case "texts":
      return { type: "array", items: text, minItems: 1, maxItems, description };
    case "whole":
      return {
        type: "integer",
        minimum: min,
        maximum: max ?? Number.MAX_SAFE_INTEGER,
        description,
      };
    case "flag":
      return { type: "boolean", description };
    case "instant":
      return { type: "string", format: "date-time", description };
  }
}

/** Reads the arguments of a call. @throws {Refused} If one is missing, unknown or malformed. */
export function readInput<F extends Fields>(fields: F, given: unknown = {}): Input<F> {
  if (!isObject(given)) throw new Refused("arguments must be an object");
  for (const name of Object.keys(given)) {
    if (Object.hasOwn(fields, name)) continue;
    throw new Refused(
      `there is no argument ${JSON.stringify(name.slice(0, 100))}: ${
        Object.keys(fields).join(", ") || "none"
      }`,
    );
  }
  const values = Object.entries(fields).map(([name, field]) => {
    const value = given[name] ?? undefined; // null is taken for left out
    if (value === undefined && field.required) throw new Refused(`${name} is missing`);
    return [name, value === undefined ? undefined : read(name, field, value)] as const;
  });
  return Object.fromEntries(values) as Input<F>; // each was read by its own field
}

/** Reports whether a value is an object, not a list. */
export function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function read(
  name: string,
  field: Field,
  value: unknown,
): string | number | boolean | Date | readonly string[] {
  const { kind, min = 0 } = field;
  const { max = kind === "whole" ? Number.MAX_SAFE_INTEGER : maxLength } = field;
  if (kind === "text" && isText(value, max)) return value;
  if (kind === "flag" && typeof value === "boolean") return value;
  if (kind === "texts" && Array.isArray(value) && value.length > 0 && value.length <= maxItems) {
    if (value.every((item) => isText(item))) return value;
  }
  if (kind === "whole" && Number.isSafeInteger(value)) {
    if (Number(value) >= min && Number(value) <= max) return Number(value);
  }
  if (kind === "instant" && isText(value) && /^\d{4}-\d\d-\d\d/.test(value)) {
    const instant = new Date(value);
    if (!Number.isNaN(instant.getTime())) return instant;
  }
  const wanted = {
    text: `a text of 1 to ${max} characters`,
    texts: `a list of 1 to ${maxItems} texts of 1 to ${maxLength} characters each`,
    whole: `a whole number from ${min} to ${max}`,
    flag: "true or false",
    instant: "an instant such as 2026-01-31T12:00:00Z",
  };
  throw new Refused(`${name} must be ${wanted[kind]}`);
}

function isText(value: unknown, max: number = maxLength): value is string {
  return typeof value === "string" && value.length > 0 && value.length <= max;
}
