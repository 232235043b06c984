import { checkFunction, checkNumber, checkObject, maxInt32 } from "../errors/check.ts";
import { isBytes, isDate, isMap, isSet } from "../errors/kind.ts";

/**
 * A key of a read model's row; a list of them for one of several columns.
 *
 * @category Consumers
 */
export type RowKey = string | number | bigint | Date | readonly RowKey[];

/**
 * Options of `Projection.compare`.
 *
 * @category Consumers
 */
export interface CompareOptions<Key extends RowKey, Row> {
  /** Reads the rows of a version in the ascending order of their keys, of which each occurs once. */
  readonly rows: (version: number) => AsyncIterable<readonly [key: Key, row: Row]>;
  /** The version to compare with. @default the one before the projection's */
  readonly before?: number | undefined;
  /** How many examples of each kind are given. @default 10 */
  readonly examples?: number | undefined;
  /**
   * Compares two keys as the rows are ordered: negative if the first comes first, 0 if they are equal.
   * @default numbers and dates by value, texts by their UTF-8 bytes as with `collate "C"`, lists by their items
   */
  readonly order?: ((a: Key, b: Key) => number) | undefined;
  /** Ends the comparison: the promise rejects with its reason. @default it runs to the end */
  readonly signal?: AbortSignal | undefined;
}

/**
 * How two versions of a read model differ.
 *
 * @category Consumers
 */
export interface Comparison<Key extends RowKey, Row> {
  /** The number of rows that are equal in both versions. */
  readonly same: number;
  /** The number of keys whose rows differ. */
  readonly changed: number;
  /** The number of keys that only the earlier version has. */
  readonly missing: number;
  /** The number of keys that only the projection's version has. */
  readonly added: number;
  /** Some of the differences, the first ones of each kind, in the order of their keys. */
  readonly examples: readonly RowDifference<Key, Row>[];
}

/**
 * A key whose rows differ between two versions of a read model.
 *
 * @category Consumers
 */
export interface RowDifference<Key extends RowKey, Row> {
  /** How they differ. */
  readonly kind: "changed" | "missing" | "added";
  /** The key. */
  readonly key: Key;
  /** The row of the earlier version; undefined if it has none. */
  readonly before: Row | undefined;
  /** The row of the projection's version; undefined if it has none. */
  readonly after: Row | undefined;
}

/** Compares two versions of a read model; see `Projection.compare`. */
export async function compareRows<Key extends RowKey, Row>(
  version: number,
  options: CompareOptions<Key, Row>,
): Promise<Comparison<Key, Row>> {
  checkObject("options", options);
  const { rows, before = version - 1, examples: most = 10, signal } = options;
  const order: (a: Key, b: Key) => number = options.order ?? orderOf;
  checkFunction("rows", options.rows);
  checkFunction("order", options.order ?? orderOf);
  checkNumber("before", before, 1, maxInt32);
  checkNumber("examples", most, 0);
  if (before === version) throw new RangeError("before must be another version");
  const counts = { same: 0, changed: 0, missing: 0, added: 0 };
  const examples: RowDifference<Key, Row>[] = [];
  const walks = [new Walk(before, rows, order), new Walk(version, rows, order)] as const;
  try {
    let [old, now] = [await walks[0].next(), await walks[1].next()];
    while (old !== undefined || now !== undefined) {
      signal?.throwIfAborted();
      const side = old === undefined ? 1 : now === undefined ? -1 : order(old[0], now[0]);
      const [left, right] = [side <= 0 ? old : undefined, side >= 0 ? now : undefined];
      const kind = right === undefined
        ? "missing"
        : left === undefined
        ? "added"
        : isEqual(left[1], right[1])
        ? "same"
        : "changed";
      if (kind !== "same" && counts[kind] < most) {
        examples.push({ kind, key: (left ?? right)![0], before: left?.[1], after: right?.[1] });
      }
      counts[kind]++;
      if (left !== undefined) old = await walks[0].next();
      if (right !== undefined) now = await walks[1].next();
    }
  } finally {
    for (const walk of walks) await walk.close();
  }
  return { ...counts, examples };
}

/** The rows of one version, whose order is checked: otherwise equal keys would be counted as missing and added. */
class Walk<Key extends RowKey, Row> {
  readonly #version: number;
  readonly #order: (a: Key, b: Key) => number;
  readonly #rows: AsyncIterator<readonly [Key, Row]>;
  #last: readonly [Key, Row] | undefined;
  #count = 0;

  constructor(
    version: number,
    rows: CompareOptions<Key, Row>["rows"],
    order: (a: Key, b: Key) => number,
  ) {
    this.#version = version;
    this.#order = order;
    this.#rows = rows(version)[Symbol.asyncIterator]();
  }

  async next(): Promise<readonly [Key, Row] | undefined> {
    const { done, value } = await this.#rows.next();
    if (done) return undefined;
    this.#count++;
    if (this.#last !== undefined && !(this.#order(this.#last[0], value[0]) < 0)) {
      throw new TypeError(
        `rows must give each key once, in ascending order: row ${this.#count} of version ${this.#version} does not ` +
          'come after the one before it; order them by the bytes of their keys, as with collate "C", or give "order"',
      );
    }
    return this.#last = value;
  }

  async close(): Promise<void> {
    await this.#rows.return?.();
  }
}

function orderOf(a: RowKey, b: RowKey): number {
  if (typeof a === "string" && typeof b === "string") return orderOfTexts(a, b);
  if (Array.isArray(a) && Array.isArray(b)) {
    for (let index = 0; index < Math.min(a.length, b.length); index++) {
      const side = orderOf(a[index], b[index]);
      if (side !== 0) return side;
    }
    return a.length - b.length;
  }
  return a < b ? -1 : a > b ? 1 : isDate(a) || a === b ? 0 : NaN;
}

/** Compares by code points, the order of the UTF-8 bytes; `<` compares UTF-16 units. */
function orderOfTexts(a: string, b: string): number {
  const rank = (unit: number) => unit >= 0xd800 && unit < 0xe000 ? unit + 0x10000 : unit;
  for (let index = 0; index < Math.min(a.length, b.length); index++) {
    const [left, right] = [a.charCodeAt(index), b.charCodeAt(index)];
    if (left !== right) return rank(left) - rank(right);
  }
  return a.length - b.length;
}

/** Compares two values and all they hold; a member that is undefined equals none. */
function isEqual(a: unknown, b: unknown): boolean {
  if (Object.is(a, b) || a === b) return true;
  if (typeof a !== "object" || typeof b !== "object" || a === null || b === null) return false;
  if (isDate(a) || isDate(b)) return isDate(a) && isDate(b) && Object.is(+a, +b);
  if (isBytes(a) || isBytes(b) || Array.isArray(a) || Array.isArray(b)) {
    if (isBytes(a) !== isBytes(b) || Array.isArray(a) !== Array.isArray(b)) return false;
    const [left, right] = [listOf(a), listOf(b)];
    return left.length === right.length && left.every((item, at) => isEqual(item, right[at]));
  }
  if (isMap(a) && isMap(b)) {
    return a.size === b.size &&
      [...a].every(([key, item]) => b.has(key) && isEqual(item, b.get(key)));
  }
  if (isSet(a) && isSet(b)) return a.size === b.size && [...a].every((item) => b.has(item));
  if (isMap(a) || isMap(b) || isSet(a) || isSet(b)) return false;
  const names = new Set([...Object.keys(a), ...Object.keys(b)]);
  return [...names].every((name) => isEqual(Reflect.get(a, name), Reflect.get(b, name)));
}

function listOf(value: object): readonly unknown[] {
  return Array.isArray(value) ? value : isBytes(value) ? [...value] : [];
}
