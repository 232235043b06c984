import { unsafe } from "../errors/check.ts";
import { isBytes, isDate, isMap } from "../errors/kind.ts";
import { copyData, Unstorable } from "../event/copy.ts";

/** The types of the values that are not plain JSON, by JSON pointer. */
export type Annotations = Record<string, string>;

/** What `encode` passes down: the annotations it fills, and whether it looks into texts and keys. */
interface Encoding {
  readonly annotations: Annotations;
  readonly texts: boolean;
}

/** Matches what is spelled in a key: what JSON escapes, and the sign that stands for it. */
const spelled = /["\\%\p{Surrogate}]|[^ -\u{10ffff}]/gu;

/** An event's data and metadata as JSON, and the annotations of both. */
interface Encoded {
  /** Null without data. JSON's null is annotated, so that drivers need not distinguish the two. */
  readonly data: string | null;
  readonly metadata: string;
  /** The annotations as JSON; null if all of it is plain JSON. */
  readonly codec: string | null;
}

/**
 * Encodes data and metadata as JSON that people and SQL can read: a Date is an ISO string, a bigint its digits, a
 * Uint8Array base64, a Set an array, a Map an array of pairs. What plain JSON cannot express is annotated.
 *
 * The annotations are stored beside the JSON, not in it, so that no data can look like an annotation, and
 * `data->>'endsAt'` is a date.
 *
 * Texts that SQL cannot hold, and keys that JSON would escape, are looked for only where the JSON has an escape: to search
 * all of them one by one took 10% of an append in memory.
 *
 * @param data Data that `copyData` made, as is the metadata.
 * @throws {Unstorable} If a Map, a Set or a Date, which cannot be frozen, was changed and can no longer be stored.
 */
export function encode(data: unknown, metadata: unknown): Encoded {
  const encoded = encodeBoth(data, metadata, false);
  const { data: json, metadata: other } = encoded;
  const found = other.includes("\\") || json?.includes("\\");
  return found ? encodeBoth(data, metadata, true) : encoded;
}

function encodeBoth(data: unknown, metadata: unknown, texts: boolean): Encoded {
  const annotations: Annotations = data === null ? { "/data": "null" } : {};
  const encoding: Encoding = { annotations, texts };
  return {
    data: data === undefined ? null : JSON.stringify(toJson(data, "/data", encoding)),
    metadata: JSON.stringify(toJson(metadata, "/metadata", encoding)),
    codec: isEmpty(annotations) ? null : JSON.stringify(annotations),
  };
}

function isEmpty(object: object): boolean {
  for (const _key in object) return false;
  return true;
}

let second: number = NaN;
let secondText: string = "";

/**
 * Returns an instant of the years 1 to 9999 as ISO text. The text of the last second is kept, since events mostly follow
 * each other: formatting each took 8% of an append in memory.
 */
export function encodeInstant(instant: Date): string {
  const time = instant.getTime();
  const start = Math.floor(time / 1000) * 1000;
  if (start !== second) {
    secondText = new Date(start).toISOString().slice(0, -4);
    second = start;
  }
  return `${secondText}${String(time - start).padStart(3, "0")}Z`;
}

/** Returns the value itself if all of it is plain JSON, so that the usual event costs one traversal. */
function toJson(value: unknown, pointer: string, encoding: Encoding): unknown {
  if (isPlain(value, encoding)) return value;
  switch (typeof value) {
    case "string":
      return annotate("string", escape(value), pointer, encoding);
    case "number":
      return annotate("number", Object.is(value, -0) ? "-0" : String(value), pointer, encoding);
    case "bigint":
      return annotate("bigint", String(value), pointer, encoding);
    case "undefined":
      return annotate("undefined", null, pointer, encoding);
    case "object":
      return value === null ? null : encodeObject(value, pointer, encoding);
    default:
      return value;
  }
}

/** Reports whether a value is its own JSON. Most are: they need no traversal, and no pointer is built for them. */
function isPlain(value: unknown, { texts }: Encoding): boolean {
  switch (typeof value) {
    case "string":
      return !texts || !unsafe.test(value);
    case "number":
      return Number.isFinite(value) && !Object.is(value, -0);
    default:
      return typeof value === "boolean" || value === null;
  }
}

function encodeObject(value: object, pointer: string, encoding: Encoding): unknown {
  if (Array.isArray(value)) return encodeList(value, pointer, encoding);
  // `copyData` made it: an object that is not plain is one of four kinds.
  if (Object.getPrototypeOf(value) !== Object.prototype) {
    if (isDate(value)) return annotate("date", encodeDate(value, pointer), pointer, encoding);
    if (isBytes(value)) return annotate("bytes", toBase64(value), pointer, encoding);
    const type = isMap(value) ? "map" : "set";
    return annotate(
      type,
      encodeItems(value as Iterable<unknown>, pointer, encoding),
      pointer,
      encoding,
    );
  }
  let fields = value as Readonly<Record<string, unknown>>;
  if (encoding.texts && Object.keys(fields).some((key) => escape(key) !== key)) {
    encoding.annotations[pointer] = "object";
    const entries = Object.entries(fields).map(([key, item]) => [escapeKey(key), item]);
    fields = Object.fromEntries(entries);
  }
  return encodeFields(fields, pointer, encoding);
}

function encodeFields(
  value: Readonly<Record<string, unknown>>,
  pointer: string,
  encoding: Encoding,
): object {
  let copy: Record<string, unknown> | undefined;
  for (const key of Object.keys(value)) {
    const item = value[key];
    if (isPlain(item, encoding)) continue;
    const encoded = toJson(item, at(pointer, key), encoding);
    if (encoded !== item) (copy ??= { ...value })[key] = encoded;
  }
  return copy ?? value;
}

function encodeList(items: readonly unknown[], pointer: string, encoding: Encoding): unknown {
  let copy: unknown[] | undefined;
  for (let index = 0; index < items.length; index++) {
    const encoded = toJson(items[index], `${pointer}/${index}`, encoding);
    if (encoded !== items[index]) (copy ??= [...items])[index] = encoded;
  }
  return copy ?? items;
}

// A Map or a Set cannot be frozen, so its current items are checked again.
function encodeItems(items: Iterable<unknown>, pointer: string, encoding: Encoding): unknown {
  const copy = copyData([...items], keysOf(pointer)) as readonly unknown[];
  return encodeList(copy, pointer, encoding);
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
  encoding: Encoding,
): unknown {
  encoding.annotations[pointer] = type;
  return encoded;
}

/** Appends a key to a JSON pointer. */
export function at(pointer: string, key: string): string {
  return key.includes("~") || key.includes("/")
    ? `${pointer}/${key.replaceAll("~", "~0").replaceAll("/", "~1")}`
    : `${pointer}/${key}`;
}

/** As inside a JSON string: characters that SQL cannot hold become escapes, such as the six characters `\u0000`. */
function escape(text: string): string {
  return JSON.stringify(text).slice(1, -1);
}

/**
 * Spells a key so that JSON need not escape it: a quote becomes `%0022`. V8 12.8 to 15.0 (Node 24, Deno 2) reads an escaped
 * key as another one after certain objects, such as `{"h":1,"\"":2}` after `{"h":[],"\\":0}` (nodejs/node#63785).
 */
export function escapeKey(key: string): string {
  return key.replaceAll(
    spelled,
    (character) => `%${character.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}

/** Encodes bytes as base64. */
export function toBase64(bytes: Uint8Array): string {
  let binary = "";
  // String.fromCharCode takes its arguments on the stack: 32 KiB at a time never overflow it.
  for (let start = 0; start < bytes.length; start += 0x8000) {
    binary += String.fromCharCode(...bytes.subarray(start, start + 0x8000));
  }
  return btoa(binary);
}
