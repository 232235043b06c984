import { unsafe } from "../errors/check.ts";
import { isBytes, isDate, isMap } from "../errors/kind.ts";
import { copyData, Unstorable } from "../event/copy.ts";

/** The types of the values that are not plain JSON, by JSON pointer. */
export type Annotations = Record<string, string>;

/**
 * Encodes data as JSON that people and SQL can read: a Date is an ISO string, a bigint its digits, a Uint8Array
 * base64, a Set an array, a Map an array of pairs. What plain JSON cannot express is recorded in `annotations`.
 *
 * The annotations are stored beside the JSON, not in it, so that no data can look like an annotation, and
 * `data->>'endsAt'` is a date.
 *
 * @param value Data that `copyData` made.
 * @param pointer The JSON pointer of the value.
 * @param annotations Gains an entry for each value that is not plain JSON.
 * @returns The value itself if all of it is plain JSON, so that the usual event costs one traversal.
 * @throws {Unstorable} If a Map, a Set or a Date, which cannot be frozen, was changed and can no longer be stored.
 */
export function encode(value: unknown, pointer: string, annotations: Annotations): unknown {
  if (isPlain(value)) return value;
  switch (typeof value) {
    case "string":
      return annotate("string", escape(value), pointer, annotations);
    case "number":
      return annotate("number", Object.is(value, -0) ? "-0" : String(value), pointer, annotations);
    case "bigint":
      return annotate("bigint", String(value), pointer, annotations);
    case "undefined":
      return annotate("undefined", null, pointer, annotations);
    case "object":
      return value === null ? null : encodeObject(value, pointer, annotations);
    default:
      return value;
  }
}

/** Reports whether a value is its own JSON. Most are: they need no traversal, and no pointer is built for them. */
function isPlain(value: unknown): boolean {
  switch (typeof value) {
    case "string":
      return !unsafe.test(value);
    case "number":
      return Number.isFinite(value) && !Object.is(value, -0);
    default:
      return typeof value === "boolean" || value === null;
  }
}

function encodeObject(value: object, pointer: string, annotations: Annotations): unknown {
  if (Array.isArray(value)) return encodeList(value, pointer, annotations);
  // `copyData` made it: an object that is not plain is one of four kinds.
  if (Object.getPrototypeOf(value) !== Object.prototype) {
    if (isDate(value)) return annotate("date", encodeDate(value, pointer), pointer, annotations);
    if (isBytes(value)) return annotate("bytes", toBase64(value), pointer, annotations);
    const type = isMap(value) ? "map" : "set";
    return annotate(
      type,
      encodeItems(value as Iterable<unknown>, pointer, annotations),
      pointer,
      annotations,
    );
  }
  const fields = value as Readonly<Record<string, unknown>>;
  if (!Object.keys(fields).some((key) => unsafe.test(key))) {
    return encodeFields(fields, pointer, annotations);
  }
  const entries = Object.entries(fields).map(([key, item]) => [escape(key), item]);
  return annotate(
    "object",
    encodeFields(Object.fromEntries(entries), pointer, annotations),
    pointer,
    annotations,
  );
}

function encodeFields(
  value: Readonly<Record<string, unknown>>,
  pointer: string,
  annotations: Annotations,
): object {
  let copy: Record<string, unknown> | undefined;
  for (const key of Object.keys(value)) {
    const item = value[key];
    if (isPlain(item)) continue;
    const encoded = encode(item, at(pointer, key), annotations);
    if (encoded !== item) (copy ??= { ...value })[key] = encoded;
  }
  return copy ?? value;
}

function encodeList(items: readonly unknown[], pointer: string, annotations: Annotations): unknown {
  let copy: unknown[] | undefined;
  for (let index = 0; index < items.length; index++) {
    const encoded = encode(items[index], `${pointer}/${index}`, annotations);
    if (encoded !== items[index]) (copy ??= [...items])[index] = encoded;
  }
  return copy ?? items;
}

// A Map or a Set cannot be frozen, so its current items are checked again.
function encodeItems(items: Iterable<unknown>, pointer: string, annotations: Annotations): unknown {
  const copy = copyData([...items], keysOf(pointer)) as readonly unknown[];
  return encodeList(copy, pointer, annotations);
}

function encodeDate(date: Date, pointer: string): string {
  if (!Number.isNaN(date.getTime())) return date.toISOString();
  throw new Unstorable("an invalid date cannot be stored", keysOf(pointer));
}

// `/data/lines/2` → lines, 2
function keysOf(pointer: string): string[] {
  return pointer.split("/").slice(2);
}

function annotate(
  type: string,
  encoded: unknown,
  pointer: string,
  annotations: Annotations,
): unknown {
  annotations[pointer] = type;
  return encoded;
}

function at(pointer: string, key: string): string {
  return key.includes("~") || key.includes("/")
    ? `${pointer}/${key.replaceAll("~", "~0").replaceAll("/", "~1")}`
    : `${pointer}/${key}`;
}

// As inside a JSON string: characters that SQL cannot hold become escapes, such as the six characters `\u0000`.
function escape(text: string): string {
  return JSON.stringify(text).slice(1, -1);
}

function unescape(escaped: string, type: string, pointer: string): string {
  try {
    return JSON.parse(`"${escaped}"`);
  } catch {
    return refuse(type, pointer); // the parser's own message would quote the text
  }
}

/**
 * Decodes what `encode` made and freezes it deeply.
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
          );
        }
      }
    } else decodeFields(value as Record<string, unknown>, pointer, annotations);
    if (type === undefined) return Object.freeze(value);
  }
  return type === undefined ? value : revive(type, value, pointer);
}

function decodeFields(
  value: Record<string, unknown>,
  pointer: string,
  annotations: Readonly<Annotations> | null,
): void {
  for (const key in value) {
    const item = value[key];
    if (annotations === null && (typeof item !== "object" || item === null)) continue;
    const decoded = decode(item, annotations === null ? "" : at(pointer, key), annotations);
    // A key `__proto__` can only come from a row written by hand: it stays a key and is never assigned.
    if (decoded !== item && key !== "__proto__") value[key] = decoded;
  }
}

function revive(type: string, value: unknown, pointer: string): unknown {
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
    case "object":
      return Object.freeze(Object.fromEntries(fields(type, value, pointer)));
    default:
      throw new TypeError(`unknown annotation at ${pointer}`);
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
  return Object.entries(value).map(([key, item]) => [unescape(key, type, pointer), item]);
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

function toBase64(bytes: Uint8Array): string {
  let binary = "";
  // String.fromCharCode takes its arguments on the stack: 32 KiB at a time never overflow it.
  for (let start = 0; start < bytes.length; start += 0x8000) {
    binary += String.fromCharCode(...bytes.subarray(start, start + 0x8000));
  }
  return btoa(binary);
}

function fromBase64(encoded: string): Uint8Array {
  return Uint8Array.from(atob(encoded), (character) => character.charCodeAt(0));
}
