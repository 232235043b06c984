import { kind } from "../errors/check.ts";

/** The option that `EventStoreOptions` narrows to the names that are given. */
export interface RetiredOption {
  readonly retired?: readonly string[] | undefined;
}

/** Checks what a store is made of, as far as nothing else does. */
export function checkOptions(
  driver: { readonly append: unknown },
  options: { readonly events: unknown; readonly unknownEvents?: unknown },
): void {
  if (typeof driver?.append !== "function") {
    throw new TypeError("driver must be a driver, such as memory()");
  }
  if (!Array.isArray(options?.events)) {
    throw new TypeError(`events must be a list of event types, got ${kind(options?.events)}`);
  }
  const { unknownEvents } = options;
  if (unknownEvents !== undefined && unknownEvents !== "error" && unknownEvents !== "keep") {
    throw new TypeError('unknownEvents must be "error" or "keep"');
  }
}
