import { entityKind } from "drizzle-orm";

/** Makes the error for what is not a handle of an engine; `works` says which are. */
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

/** Names Drizzle's class of a handle, or what else the value is, without showing it. */
function kindOf(value: unknown): string {
  if (value === null || typeof value !== "object") return value === null ? "null" : typeof value;
  const { constructor } = value;
  const kind: unknown = typeof constructor === "function"
    ? Reflect.get(constructor, entityKind) ?? constructor.name
    : undefined;
  return typeof kind === "string" && kind !== "Object" ? kind : "an object";
}
