import type { StandardSchema } from "../event/schema.ts";
import { kind } from "../errors/check.ts";

/**
 * A schema of data in JSON Schema, as plain JSON.
 *
 * @category Evolution
 */
export type JsonSchema = boolean | { readonly [keyword: string]: unknown };

/** The part of Standard JSON Schema that describes what a schema returns. */
interface StandardJsonSchema {
  readonly output: (options: {
    readonly target: "draft-2020-12";
    readonly libraryOptions: Readonly<Record<string, unknown>>;
  }) => unknown;
}

/** A schema, or why there is none. */
interface Description {
  readonly schema: JsonSchema | null;
  readonly reason?: string;
}

/** Describes the data of an event type. */
export function describe(
  type: string,
  schema: StandardSchema<unknown, unknown> | undefined,
  hasData: boolean,
  convert: ((schema: StandardSchema<unknown, unknown>, type: string) => unknown) | undefined,
): Description {
  if (!hasData) return { schema: { "x-type": "undefined" } };
  if (schema === undefined) return { schema: null, reason: "the type has no schema" };
  try {
    const own: StandardJsonSchema | undefined = Reflect.get(schema["~standard"], "jsonSchema");
    const described = convert?.(schema, type) ??
      own?.output({ target: "draft-2020-12", libraryOptions });
    if (described === undefined) {
      const vendor = schema["~standard"].vendor;
      return { schema: null, reason: `${vendor} describes no schemas; pass toJsonSchema` };
    }
    const plain: unknown = JSON.parse(JSON.stringify(described) ?? "null");
    if (typeof plain === "boolean" || (plain !== null && kind(plain) === "object")) {
      if (typeof plain === "object") Reflect.deleteProperty(plain, "$schema");
      return { schema: canonical(plain) as JsonSchema };
    }
    return { schema: null, reason: `its description is not a JSON Schema, but ${kind(described)}` };
  } catch (error) {
    // A library's own words about a schema, not about data.
    return { schema: null, reason: error instanceof Error ? error.message : "its library threw" };
  }
}

/** Has Zod and ArkType name the values that JSON does not have, which otherwise are an error or could be anything. */
const libraryOptions = {
  unrepresentable: "any",
  override: (context: {
    readonly zodSchema: { readonly _zod: { readonly def: { readonly type: string } } };
    readonly jsonSchema: Record<string, unknown>;
  }): void => {
    const name = foreign.get(context.zodSchema._zod.def.type);
    if (name !== undefined) Object.assign(context.jsonSchema, foreignType(name));
  },
  fallback: (context: {
    readonly code: string;
    readonly base: object;
    readonly domain?: string;
    readonly proto?: { readonly name: string };
  }): object => {
    const { code, base, domain, proto } = context;
    const name = code === "date" ? "Date" : proto?.name ?? domain;
    return name === undefined ? base : { ...base, ...foreignType(name) };
  },
};

/** What Zod calls a value that JSON does not have, and its name in JavaScript. */
const foreign: ReadonlyMap<string, string> = new Map([
  ["date", "Date"],
  ["bigint", "bigint"],
  ["map", "Map"],
  ["set", "Set"],
  ["undefined", "undefined"],
  ["void", "undefined"],
  ["nan", "number"],
]);

function foreignType(name: string): Record<string, unknown> {
  const time = name === "Date" ? { type: "string", format: "date-time" } : {};
  return { ...time, "x-type": name };
}

/** Lists whose order means nothing. */
const unordered: ReadonlySet<string> = new Set(["required", "enum", "type"]);

/** Sorts keys and sets, so that equal schemas are equal text. */
function canonical(value: unknown, keyword: string = ""): unknown {
  if (Array.isArray(value)) {
    const items = value.map((item) => canonical(item));
    return unordered.has(keyword) ? items.sort((a, b) => text(a) < text(b) ? -1 : 1) : items;
  }
  if (typeof value !== "object" || value === null) return value;
  const entries = Object.entries(value).sort(([a], [b]) => a < b ? -1 : 1);
  return Object.fromEntries(entries.map(([key, item]) => [key, canonical(item, key)]));
}

const text = (value: unknown): string => JSON.stringify(value);
