import { entityKind } from "drizzle-orm";

/** Creates the error for a value that is not a handle of an engine; `works` lists the handles that are. */
export function wrongHandle(
  engine: string,
  example: string,
  works: string,
  given: unknown,
): TypeError {
  return new TypeError(
    `db must be a Drizzle handle for ${engine}, such as ${example}, got ${kindOf(given)}: ` +
      `wrap a client or a URL in drizzle(…); ${works}`,
  );
}

/** Returns Drizzle's class of a handle, or the kind of another value, without its content. */
function kindOf(value: unknown): string {
  if (value === null || typeof value !== "object") return value === null ? "null" : typeof value;
  const { constructor } = value;
  const kind: unknown = typeof constructor === "function"
    ? Reflect.get(constructor, entityKind) ?? constructor.name
    : undefined;
  return typeof kind === "string" && kind !== "Object" ? kind : "an object";
}
