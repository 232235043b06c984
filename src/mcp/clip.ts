import { plainOf } from "../inspect/plain.ts";

/** The most bytes of an answer, as JSON in UTF-8. */
export const answerBytes = 32_768;

/** The bytes of a list in an answer; the rest is for what stands around it. */
const listBytes = 26_000;

/** Returns the bytes of a value as JSON in UTF-8. */
function sizeOf(value: unknown): number {
  return new TextEncoder().encode(JSON.stringify(value) ?? "").length;
}

/** Shortens a text, and says how long it is. */
export function clipText(text: string, length: number): string {
  return text.length <= length ? text : `${head(text, length)}… (${text.length} characters)`;
}

/** How much of a value is shown: the characters of its texts, the members of its lists and objects, its depth. */
type Room = readonly [characters: number, members: number, depth: number];

const rooms: readonly Room[] = [[2000, 100, 12], [500, 40, 8], [100, 15, 6], [30, 5, 3]];

/**
 * Returns a value as plain JSON of at most some bytes: as it is where it fits, else with long texts, lists and objects cut
 * short, each with its length.
 */
export function fitted(value: unknown, bytes: number): unknown {
  const whole = plainOf(value);
  if (sizeOf(whole) <= bytes) return whole;
  for (const room of rooms) {
    const shown = clip(whole, room);
    if (sizeOf(shown) <= bytes) return shown;
  }
  return `(${sizeOf(whole)} bytes)`;
}

/** Shows items until the answer is full, but at least one. */
export function packed<T, S>(
  items: readonly T[],
  show: (item: T) => S,
  bytes: number = listBytes,
): readonly S[] {
  const shown: S[] = [];
  let left = bytes;
  for (const item of items) {
    const made = show(item);
    left -= sizeOf(made) + 1;
    if (left < 0 && shown.length > 0) break;
    shown.push(made);
  }
  return shown;
}

function clip(value: unknown, room: Room): unknown {
  const [characters, members, depth] = room;
  if (typeof value === "string") return clipText(value, characters);
  if (typeof value !== "object" || value === null) return value;
  if (depth === 0) return "(deeper)";
  const inner = (item: unknown) => clip(item, [characters, members, depth - 1]);
  if (Array.isArray(value)) {
    const shown = value.slice(0, members).map(inner);
    return value.length > members ? [...shown, `… (${value.length} items)`] : shown;
  }
  const entries = Object.entries(value);
  const shown = entries.slice(0, members)
    .map(([key, item]) => [clipText(key, characters), inner(item)] as const);
  if (entries.length > members) shown.push(["…", `(${entries.length} fields)`]);
  return Object.fromEntries(shown);
}

/** The beginning of a text, without half of a character. */
function head(text: string, length: number): string {
  const last = text.charCodeAt(length - 1);
  return text.slice(0, last >= 0xd800 && last <= 0xdbff ? length - 1 : length);
}
