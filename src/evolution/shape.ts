import type { JsonSchema } from "./describe.ts";

/** What a schema says of the type of a value; lengths, patterns and ranges are no part of it. */
export type Shape =
  | { readonly kind: "any" }
  | { readonly kind: "scalar"; readonly name: string; readonly schema: Keywords }
  | { readonly kind: "literal"; readonly value: unknown }
  | ArrayShape
  | ObjectShape
  | { readonly kind: "opaque"; readonly schema: Keywords };

/** A list or a tuple. */
export interface ArrayShape {
  readonly kind: "array";
  /** The first items; empty for a list. */
  readonly prefix: readonly JsonSchema[];
  /** The number of items that are always there. */
  readonly required: number;
  /** The items after the first; false if there are none. */
  readonly rest: JsonSchema;
  readonly schema: Keywords;
}

/** An object or a record. */
export interface ObjectShape {
  readonly kind: "object";
  readonly properties: ReadonlyMap<string, JsonSchema>;
  readonly required: ReadonlySet<string>;
  /** The values under other keys; false if there are none. A schema that does not mention them has none. */
  readonly rest: JsonSchema;
  readonly schema: Keywords;
}

/** A JSON Schema that is an object. */
export type Keywords = { readonly [keyword: string]: unknown };

/** The greatest number of alternatives, and of references that lead to one another. */
const limit = 200;

/** Returns the alternatives of a schema; none if no value is valid. References are looked up in `root`. */
export function shapesOf(
  schema: JsonSchema,
  root: JsonSchema,
  depth: number = 0,
): readonly Shape[] {
  if (schema === true) return [{ kind: "any" }];
  if (schema === false) return [];
  if (depth > limit) return [{ kind: "opaque", schema }];
  const inner = (part: unknown): readonly Shape[] =>
    isSchema(part) ? shapesOf(part, root, depth + 1) : [{ kind: "opaque", schema }];
  // Parts that must all hold.
  const parts: (readonly Shape[])[] = [own(schema)];
  if (typeof schema["$ref"] === "string") parts.push(inner(resolve(schema["$ref"], root)));
  if (Array.isArray(schema["allOf"])) parts.push(...schema["allOf"].map(inner));
  for (const either of [schema["anyOf"], schema["oneOf"]]) {
    if (Array.isArray(either)) parts.push(either.flatMap(inner));
  }
  const all = parts.reduce((left, right) => {
    if (left.length * right.length > limit) return [{ kind: "opaque", schema }];
    return left.flatMap((a) => right.flatMap((b) => both(a, b, schema)));
  });
  return merged(all);
}

/** Returns the schema that a reference leads to. */
function resolve(reference: string, root: JsonSchema): unknown {
  if (reference === "#") return root;
  if (!reference.startsWith("#/")) return undefined;
  const keys = reference.slice(2).split("/").map((key) =>
    decodeURIComponent(key).replaceAll("~1", "/").replaceAll("~0", "~")
  );
  return keys.reduce<unknown>((value, key) => member(value, key), root);
}

/** Returns the shapes that a schema's own keywords say. */
function own(schema: Keywords): readonly Shape[] {
  if (isSchema(schema["not"]) && isEmpty(schema["not"])) return [];
  const foreign = schema["x-type"];
  if (typeof foreign === "string") return [{ kind: "scalar", name: foreign, schema }];
  if ("const" in schema) return [literal(schema["const"])];
  if (Array.isArray(schema["enum"])) return schema["enum"].map(literal);
  const types = [schema["type"] ?? guess(schema)].flat();
  return types.map((type): Shape => {
    if (type === undefined) return { kind: "any" };
    if (type === "array") return arrayOf(schema);
    if (type === "object") return objectOf(schema);
    if (typeof type !== "string") return { kind: "opaque", schema };
    const time = type === "string" && schema["format"] === "date-time";
    return { kind: "scalar", name: time ? "date-time" : type, schema };
  });
}

function guess(schema: Keywords): string | undefined {
  if ("properties" in schema || "required" in schema) return "object";
  if ("additionalProperties" in schema) return "object";
  return "items" in schema || "prefixItems" in schema ? "array" : undefined;
}

function literal(value: unknown): Shape {
  return value === null ? { kind: "scalar", name: "null", schema: {} } : { kind: "literal", value };
}

function arrayOf(schema: Keywords): ArrayShape {
  const { items, prefixItems, additionalItems, minItems } = schema;
  // Until draft 2019-09, `items` was also the list of the first.
  const first = Array.isArray(prefixItems) ? prefixItems : Array.isArray(items) ? items : [];
  const rest = Array.isArray(items) ? additionalItems : items;
  const prefix = first.map((item) => isSchema(item) ? item : true);
  return {
    kind: "array",
    prefix,
    required: Math.min(prefix.length, typeof minItems === "number" ? minItems : prefix.length),
    rest: isSchema(rest) ? rest : prefix.length === 0,
    schema,
  };
}

function objectOf(schema: Keywords): ObjectShape {
  const { properties, required, additionalProperties, patternProperties } = schema;
  const names = Array.isArray(required) ? required.filter((name) => typeof name === "string") : [];
  const patterns = Object.values(isObject(patternProperties) ? patternProperties : {});
  const rests = [additionalProperties, ...patterns].filter(isSchema).filter((it) => it !== false);
  return {
    kind: "object",
    properties: new Map(
      Object.entries(isObject(properties) ? properties : {}).map(([name, value]) => [
        name,
        isSchema(value) ? value : true,
      ]),
    ),
    required: new Set(names),
    rest: rests.length > 1 ? { anyOf: rests } : rests[0] ?? false,
    schema,
  };
}

/** Returns the shapes of values that have both; what cannot be told is opaque. */
function both(a: Shape, b: Shape, schema: Keywords): readonly Shape[] {
  if (a.kind === "any") return [b];
  if (b.kind === "any") return [a];
  if (a.kind === "literal" && b.kind === "literal") return same(a.value, b.value) ? [a] : [];
  if (a.kind === "literal") return [a];
  if (b.kind === "literal") return [b];
  if (a.kind === "scalar" && b.kind === "scalar") {
    if (a.name === b.name) return [a];
    const names = [a.name, b.name].sort().join();
    if (names === "integer,number") return [a.name === "integer" ? a : b];
    if (names === "date-time,string") return [a.name === "string" ? b : a];
    return [];
  }
  if (a.kind === "object" && b.kind === "object") {
    const properties = new Map(a.properties);
    for (const [name, value] of b.properties) {
      const other = properties.get(name);
      properties.set(name, other === undefined ? value : { allOf: [other, value] });
    }
    const rests = [a.rest, b.rest].filter((rest) => rest !== false);
    return [{
      kind: "object",
      properties,
      required: new Set([...a.required, ...b.required]),
      rest: rests.length > 1 ? { allOf: rests } : rests[0] ?? false,
      schema,
    }];
  }
  return a.kind === b.kind || a.kind === "opaque" || b.kind === "opaque"
    ? [{ kind: "opaque", schema }]
    : [];
}

/** Has `true` and `false` be the boolean that they are. */
function merged(shapes: readonly Shape[]): readonly Shape[] {
  const values = [true, false].map((value) =>
    shapes.find((shape) => shape.kind === "literal" && shape.value === value)
  );
  if (!values.every((shape) => shape !== undefined)) return shapes;
  const boolean: Shape = { kind: "scalar", name: "boolean", schema: {} };
  return [...shapes.filter((shape) => !values.includes(shape)), boolean];
}

/** Reports whether two values are the same JSON. */
export function same(a: unknown, b: unknown): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}

function isSchema(value: unknown): value is JsonSchema {
  return typeof value === "boolean" || isObject(value);
}

function isObject(value: unknown): value is Keywords {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isEmpty(schema: JsonSchema): boolean {
  return schema === true || (isObject(schema) && Object.keys(schema).length === 0);
}

function member(value: unknown, key: string): unknown {
  if (typeof value !== "object" || value === null || !Object.hasOwn(value, key)) return undefined;
  return Reflect.get(value, key);
}
