import { unsafe } from "./check.ts";

/** Where something other than plain JSON stands (a JSON pointer), and what it is. */
export type Annotations = Record<string, string>;

/**
 * Encodes data as JSON that reads by hand and by SQL: a Date is an ISO string, a bigint its digits, a Uint8Array
 * base64, a Set an array, a Map an array of pairs. What plain JSON cannot tell is noted in `notes`.
 *
 * The notes stand beside the JSON, not in it, so that no data can look like a note, and `data->>'endsAt'` is a date.
 *
 * @param value Data that `copyData` made.
 * @param pointer Where the value stands.
 * @param notes Gains an entry for each value that is not plain JSON.
 * @returns The value itself where it is plain JSON all through, so that the usual event costs one walk.
 */
export function encode(value: unknown, pointer: string, notes: Annotations): unknown {
  switch (typeof value) {
    case "string":
      return unsafe.test(value)
        ? note("string", JSON.stringify(value).slice(1, -1), pointer, notes)
        : value;
    case "number":
      return Number.isFinite(value) && !Object.is(value, -0)
        ? value
        : note("number", Object.is(value, -0) ? "-0" : String(value), pointer, notes);
    case "bigint":
      return note("bigint", String(value), pointer, notes);
    case "undefined":
      return note("undefined", null, pointer, notes);
    case "object":
      return value === null ? null : encodeObject(value, pointer, notes);
    default:
      return value;
  }
}

function encodeObject(value: object, pointer: string, notes: Annotations): unknown {
  if (Array.isArray(value)) return encodeList(value, pointer, notes);
  if (value instanceof Date) return note("date", value.toISOString(), pointer, notes);
  if (value instanceof Uint8Array) return note("bytes", toBase64(value), pointer, notes);
  if (value instanceof Map) {
    return note("map", encodeList([...value], pointer, notes), pointer, notes);
  }
  if (value instanceof Set) {
    return note("set", encodeList([...value], pointer, notes), pointer, notes);
  }
  const entries = Object.entries(value);
  // A key with NUL or a lone surrogate would break SQL over the column: such an object is stored as pairs.
  if (entries.some(([key]) => unsafe.test(key))) {
    return note("object", encodeList(entries, pointer, notes), pointer, notes);
  }
  let copy: Record<string, unknown> | undefined;
  for (const [key, item] of entries) {
    const encoded = typeof item === "boolean"
      ? item
      : encode(item, `${pointer}/${escape(key)}`, notes);
    if (encoded !== item) (copy ??= { ...value })[key] = encoded;
  }
  return copy ?? value;
}

function encodeList(items: readonly unknown[], pointer: string, notes: Annotations): unknown {
  let copy: unknown[] | undefined;
  for (let index = 0; index < items.length; index++) {
    const encoded = encode(items[index], `${pointer}/${index}`, notes);
    if (encoded !== items[index]) (copy ??= [...items])[index] = encoded;
  }
  return copy ?? items;
}

function note(type: string, encoded: unknown, pointer: string, notes: Annotations): unknown {
  notes[pointer] = type;
  return encoded;
}

function escape(key: string): string {
  return key.includes("~") || key.includes("/")
    ? key.replaceAll("~", "~0").replaceAll("/", "~1")
    : key;
}

/**
 * Decodes what `encode` made, and freezes it deeply.
 *
 * @param value Freshly parsed JSON; its objects become the result's.
 * @param pointer Where the value stands.
 * @param notes What `encode` noted; null where it noted nothing.
 * @throws {TypeError} If a note does not fit what stands there.
 */
export function decode(
  value: unknown,
  pointer: string,
  notes: Readonly<Annotations> | null,
): unknown {
  const type = notes === null || !Object.hasOwn(notes, pointer) ? undefined : notes[pointer];
  if (typeof value === "object" && value !== null) {
    if (Array.isArray(value)) {
      for (let index = 0; index < value.length; index++) {
        const item: unknown = value[index];
        if (notes !== null || typeof item === "object") {
          value[index] = decode(item, notes === null ? "" : `${pointer}/${index}`, notes);
        }
      }
    } else decodeFields(value as Record<string, unknown>, pointer, notes);
    if (type === undefined) return Object.freeze(value);
  }
  return type === undefined ? value : revive(type, value, pointer);
}

function decodeFields(
  value: Record<string, unknown>,
  pointer: string,
  notes: Readonly<Annotations> | null,
): void {
  for (const key in value) {
    const item = value[key];
    if (notes === null && (typeof item !== "object" || item === null)) continue;
    const decoded = decode(item, notes === null ? "" : `${pointer}/${escape(key)}`, notes);
    // A key `__proto__` can only come from a row written by hand: it stays a key, and decoding never replaces it.
    if (decoded !== item && key !== "__proto__") value[key] = decoded;
  }
}

function revive(type: string, value: unknown, pointer: string): unknown {
  switch (type) {
    case "undefined":
      return undefined;
    case "string":
      return JSON.parse(`"${text(value, pointer)}"`);
    case "number":
      return Number(value);
    case "bigint":
      return BigInt(text(value, pointer));
    case "date":
      return new Date(text(value, pointer));
    case "bytes":
      return fromBase64(text(value, pointer));
    case "map":
      return new Map(list<[unknown, unknown]>(value, pointer));
    case "set":
      return new Set(list(value, pointer));
    case "object":
      return Object.freeze(Object.fromEntries(list<[string, unknown]>(value, pointer)));
    default:
      throw new TypeError(`unknown annotation ${JSON.stringify(type)} at ${pointer}`);
  }
}

function text(value: unknown, pointer: string): string {
  if (typeof value !== "string") throw new TypeError(`expected a string at ${pointer}`);
  return value;
}

function list<Item>(value: unknown, pointer: string): readonly Item[] {
  if (!Array.isArray(value)) throw new TypeError(`expected an array at ${pointer}`);
  return value;
}

function toBase64(bytes: Uint8Array): string {
  let binary = "";
  // String.fromCharCode takes its arguments from the stack, which 32 KiB never fill.
  for (let start = 0; start < bytes.length; start += 0x8000) {
    binary += String.fromCharCode(...bytes.subarray(start, start + 0x8000));
  }
  return btoa(binary);
}

function fromBase64(encoded: string): Uint8Array {
  return Uint8Array.from(atob(encoded), (character) => character.charCodeAt(0));
}
