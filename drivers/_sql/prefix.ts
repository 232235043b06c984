/** Above every stream id: 516 bytes in UTF-8, where an id has at most 512. */
const above = "\u{10FFFF}".repeat(129);

/**
 * Returns the first text that begins with a prefix, and the first after all of them, in the order of their bytes: the
 * bounds of an index scan, in which `%`, `_` and case have no meaning of their own.
 */
export function prefixRange(prefix: string): readonly [first: string, end: string] {
  const points = [...prefix];
  while (points.at(-1) === "\u{10FFFF}") points.pop();
  const last = points.pop()?.codePointAt(0);
  if (last === undefined) return [prefix, above];
  // Surrogates are not characters: U+E000 follows U+D7FF.
  const next = last === 0xd7ff ? 0xe000 : last + 1;
  return [prefix, points.join("") + String.fromCodePoint(next)];
}
