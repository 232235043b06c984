import { type Annotations, at } from "./encode.ts";

/**
 * Decodes what `encode` made, and freezes it deeply unless it is to be changed.
 *
 * @param value Freshly parsed JSON; its objects are reused in the result.
 * @param pointer The JSON pointer of the value.
 * @param annotations The annotations of `encode`; null if there are none.
 * @throws {TypeError} If an annotation does not fit the value at its pointer.
 */
export function decode(
  value: unknown,
  pointer: string,
  annotations: Readonly<Annotations> | null,
  frozen: boolean = true,
): unknown {
  const type = annotations === null || !Object.hasOwn(annotations, pointer)
    ? undefined
    : annotations[pointer];
  if (typeof value === "object" && value !== null) {
    if (Array.isArray(value)) {
      for (let index = 0; index < value.length; index++) {
        const item: unknown = value[index];
        if (annotations !== null || typeof item === "object") {
          value[index] = decode(
            item,
            annotations === null ? "" : `${pointer}/${index}`,
            annotations,
            frozen,
          );
        }
      }
    } else decodeFields(value as Record<string, unknown>, pointer, annotations, frozen);
    if (type === undefined) return frozen ? Object.freeze(value) : value;
  }
  return type === undefined ? value : revive(type, value, pointer, frozen);
}

function decodeFields(
  value: Record<string, unknown>,
  pointer: string,
  annotations: Readonly<Annotations> | null,
  frozen: boolean,
): void {
  for (const key in value) {
    const item = value[key];
    if (annotations === null && (typeof item !== "object" || item === null)) continue;
    const decoded = decode(item, annotations === null ? "" : at(pointer, key), annotations, frozen);
    // A key `__proto__` can only come from a row written by hand: it stays a key and is never assigned.
    if (decoded !== item && key !== "__proto__") value[key] = decoded;
  }
}

function revive(type: string, value: unknown, pointer: string, frozen: boolean): unknown {
  switch (type) {
    case "undefined":
      return value === null ? undefined : refuse(type, pointer);
    case "null":
      return value === undefined ? null : refuse(type, pointer);
    case "string":
      return unescape(text(type, value, pointer), type, pointer);
    case "number":
      return number(text(type, value, pointer), pointer);
    case "bigint":
      return bigint(text(type, value, pointer), pointer);
    case "date":
      return date(text(type, value, pointer), pointer);
    case "bytes":
      return fromBase64(text(type, value, pointer));
    case "map":
      return new Map(pairs(type, value, pointer));
    case "set":
      return new Set(list(type, value, pointer));
    case "object": {
      const object = Object.fromEntries(fields(type, value, pointer));
      return frozen ? Object.freeze(object) : object;
    }
    default:
      return refuse("unknown", pointer); // whose own name may be anything
  }
}

function unescape(escaped: string, type: string, pointer: string): string {
  try {
    return JSON.parse(`"${escaped}"`);
  } catch {
    return refuse(type, pointer); // the parser's own message would quote the text
  }
}

function refuse(type: string, pointer: string): never {
  throw new TypeError(`the annotation "${type}" does not fit the value at ${pointer}`);
}

function text(type: string, value: unknown, pointer: string): string {
  return typeof value === "string" ? value : refuse(type, pointer);
}

function list(type: string, value: unknown, pointer: string): readonly unknown[] {
  return Array.isArray(value) ? value : refuse(type, pointer);
}

function pairs(type: string, value: unknown, pointer: string): readonly [unknown, unknown][] {
  const items = list(type, value, pointer);
  return items.every((item): item is [unknown, unknown] => Array.isArray(item) && item.length === 2)
    ? items
    : refuse(type, pointer);
}

function fields(type: string, value: unknown, pointer: string): readonly [string, unknown][] {
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    return refuse(type, pointer);
  }
  return Object.entries(value).map(([key, item]) => {
    return [unescape(key.replaceAll("%", "\\u"), type, pointer), item];
  });
}

function number(digits: string, pointer: string): number {
  const found = [NaN, Infinity, -Infinity].find((value) => String(value) === digits);
  return digits === "-0" ? -0 : found ?? refuse("number", pointer);
}

function bigint(digits: string, pointer: string): bigint {
  return /^-?\d+$/.test(digits) ? BigInt(digits) : refuse("bigint", pointer);
}

function date(instant: string, pointer: string): Date {
  const found = new Date(instant);
  return Number.isNaN(found.getTime()) ? refuse("date", pointer) : found;
}

/** Decodes base64. */
export function fromBase64(encoded: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(atob(encoded), (character) => character.charCodeAt(0));
}
