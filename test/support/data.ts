import assert from "node:assert/strict";
import fc from "fast-check";

const unit = fc.oneof(
  fc.constantFrom(0, 0xd800, 0xdbff, 0xdc00, 0xdfff),
  fc.constantFrom(...'/~"\\:é%\n\x7f').map((character) => character.charCodeAt(0)),
  fc.integer({ min: 0, max: 0xffff }),
);

/** Any string, NUL and lone surrogates included. */
export const text: fc.Arbitrary<string> = fc.oneof(
  fc.string(),
  fc.array(unit, { maxLength: 6 }).map((units) => String.fromCharCode(...units)),
);

const key = fc.oneof(text, fc.constantFrom("constructor", "toString", "toJSON", "length", "0", ""))
  .filter((name) => name !== "__proto__");

/** Any data that an event may hold. */
export const data: fc.Arbitrary<unknown> = fc.letrec<{ value: unknown }>((tie) => ({
  value: fc.oneof(
    { depthSize: "small", withCrossShrink: true },
    fc.oneof(
      ...[text, fc.boolean(), fc.double(), fc.integer(), fc.bigInt()],
      fc.constantFrom(null, undefined, NaN, Infinity, -Infinity, -0),
      fc.date({ noInvalidDate: true }),
      fc.uint8Array({ maxLength: 20 }),
    ),
    fc.array(tie("value"), { maxLength: 4 }),
    fc.dictionary(key, tie("value"), { maxKeys: 4, noNullPrototype: true }),
    fc.array(fc.tuple(tie("value"), tie("value")), { maxLength: 3 }).map((items) => new Map(items)),
    fc.array(tie("value"), { maxLength: 3 }).map((items) => new Set(items)),
  ),
})).value;

/** Fails where two values differ, also in the order of their parts. */
export function assertSame(actual: unknown, expected: unknown): void {
  assert.deepStrictEqual(spell(actual), spell(expected));
}

// Bun compares Maps by the identity of their keys, so collections are compared as lists.
function spell(value: unknown): unknown {
  if (value instanceof Map) return { map: [...value].map(spell) };
  if (value instanceof Set) return { set: [...value].map(spell) };
  if (Array.isArray(value)) return value.map(spell);
  if (
    typeof value !== "object" || value === null || Object.getPrototypeOf(value) !== Object.prototype
  ) {
    return value;
  }
  return { object: Object.entries(value).map(([key, item]) => [key, spell(item)]) };
}
