import { unsafe } from "../errors/check.ts";
import { isBytes, isDate, isMap } from "../errors/kind.ts";
import { copyData, Unstorable } from "../event/copy.ts";

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
 * @throws {Unstorable} If something that cannot be frozen (a Map, a Set, a Date) was changed into what cannot be stored.
 */
export function encode(value: unknown, pointer: string, notes: Annotations): unknown {
  if (isPlain(value)) return value;
  switch (typeof value) {
    case "string":
      return note("string", escape(value), pointer, notes);
    case "number":
      return note("number", Object.is(value, -0) ? "-0" : String(value), pointer, notes);
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

/** Whether a value needs no walk: in JSON it is what it is here. Most are, and need no pointer either. */
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

function encodeObject(value: object, pointer: string, notes: Annotations): unknown {
  if (Array.isArray(value)) return encodeList(value, pointer, notes);
  // `copyData` made it: whatever is not plain here is one of four.
  if (Object.getPrototypeOf(value) !== Object.prototype) {
    if (isDate(value)) return note("date", encodeDate(value, pointer), pointer, notes);
    if (isBytes(value)) return note("bytes", toBase64(value), pointer, notes);
    const type = isMap(value) ? "map" : "set";
    return note(type, encodeItems(value as Iterable<unknown>, pointer, notes), pointer, notes);
  }
  const fields = value as Readonly<Record<string, unknown>>;
  if (!Object.keys(fields).some((key) => unsafe.test(key))) {
    return encodeFields(fields, pointer, notes);
  }
  const entries = Object.entries(fields).map(([key, item]) => [escape(key), item]);
  return note("object", encodeFields(Object.fromEntries(entries), pointer, notes), pointer, notes);
}

function encodeFields(
  value: Readonly<Record<string, unknown>>,
  pointer: string,
  notes: Annotations,
): object {
  let copy: Record<string, unknown> | undefined;
  for (const key of Object.keys(value)) {
    const item = value[key];
    if (isPlain(item)) continue;
    const encoded = encode(item, at(pointer, key), notes);
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

// Nobody can freeze a Map or a Set, so what is in it now is checked again.
function encodeItems(items: Iterable<unknown>, pointer: string, notes: Annotations): unknown {
  const copy = copyData([...items], keysOf(pointer)) as readonly unknown[];
  return encodeList(copy, pointer, notes);
}

function encodeDate(date: Date, pointer: string): string {
  if (!Number.isNaN(date.getTime())) return date.toISOString();
  throw new Unstorable("an invalid date cannot be stored", keysOf(pointer));
}

// `/data/lines/2` → lines, 2
function keysOf(pointer: string): string[] {
  return pointer.split("/").slice(2);
}

function note(type: string, encoded: unknown, pointer: string, notes: Annotations): unknown {
  notes[pointer] = type;
  return encoded;
}

function at(pointer: string, key: string): string {
  return key.includes("~") || key.includes("/")
    ? `${pointer}/${key.replaceAll("~", "~0").replaceAll("/", "~1")}`
    : `${pointer}/${key}`;
}

// As inside a JSON string: what would break SQL over the column becomes `\u0000`, spelt out.
function escape(text: string): string {
  return JSON.stringify(text).slice(1, -1);
}

function unescape(escaped: string, type: string, pointer: string): string {
  try {
    return JSON.parse(`"${escaped}"`);
  } catch {
    return refuse(type, pointer); // the parser's own message shows the text
  }
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
    const decoded = decode(item, notes === null ? "" : at(pointer, key), notes);
    // A key `__proto__` can only come from a row written by hand: it stays a key, and decoding never replaces it.
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
  throw new TypeError(`the annotation "${type}" does not fit what stands at ${pointer}`);
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
  // String.fromCharCode takes its arguments from the stack, which 32 KiB never fill.
  for (let start = 0; start < bytes.length; start += 0x8000) {
    binary += String.fromCharCode(...bytes.subarray(start, start + 0x8000));
  }
  return btoa(binary);
}

function fromBase64(encoded: string): Uint8Array {
  return Uint8Array.from(atob(encoded), (character) => character.charCodeAt(0));
}
