import type { Statement } from "./statement.ts";
import { DriverError } from "../../mod.ts";

/**
 * Reads the rows of a statement: each value as text, under the name that the statement gives its column.
 *
 * The types of values and the names of columns depend on the client: `intMode` of libSQL, `transform` of postgres.js
 * and `types` of node-postgres change both. So rows are read as lists, and statements cast values to text where a
 * client might parse them.
 *
 * @throws {DriverError} If a row lacks a column, or a value is an object.
 */
export function readRows<Row>(
  { columns = [] }: Statement,
  rows: readonly unknown[],
): readonly Row[] {
  return rows.map((row) => {
    const values = valuesOf(row);
    if (values.length < columns.length) {
      throw malformed(`a row has ${values.length} columns instead of ${columns.length}`);
    }
    // The statement and the type of its rows are written side by side.
    return Object.fromEntries(columns.map((name, index) => [name, plain(values[index])])) as Row;
  });
}

/**
 * Returns the only row of a statement that always returns one.
 *
 * @throws {DriverError} If there is not exactly one row.
 */
export function only<Row>(rows: readonly Row[]): Row {
  if (rows.length !== 1) throw malformed(`there are ${rows.length} rows instead of one`);
  return rows[0]!;
}

/**
 * Reads a number.
 *
 * @throws {DriverError} If the text is not one.
 */
export function number(text: string | null): number {
  const value = text === null || text === "" ? NaN : Number(text);
  if (Number.isNaN(value)) throw malformed("a column holds no number");
  return value;
}

/**
 * Reads a boolean: Postgres writes it as a word, SQLite as a number.
 *
 * @throws {DriverError} If the text is neither.
 */
export function flag(text: string | null): boolean {
  if (text === "true" || text === "1") return true;
  if (text === "false" || text === "0") return false;
  throw malformed("a column holds no boolean");
}

/** Rows of libSQL are array-like, and a proxy may return objects. */
function valuesOf(row: unknown): readonly unknown[] {
  if (typeof row !== "object" || row === null) return [];
  return "length" in row ? Array.from(row as ArrayLike<unknown>) : Object.values(row);
}

function plain(value: unknown): string | null {
  switch (typeof value) {
    case "string":
      return value;
    case "number":
    case "bigint":
    case "boolean":
      return String(value);
    default:
      if (value === null || value === undefined) return null;
      throw malformed("a column holds an object");
  }
}

function malformed(reason: string): DriverError {
  return new DriverError("read an answer of the database", { reason });
}
