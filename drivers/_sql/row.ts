import type { Statement } from "./statement.ts";
import { DriverError } from "../../mod.ts";

/**
 * Reads the rows of a statement: each value as text, under the name that the statement gives its column.
 *
 * What type a value has and what its column is called are the client's to choose: `intMode` of libSQL, `transform` of
 * postgres.js and `types` of node-postgres change both. So the rows come as lists, and their values are text in SQL where
 * a client might parse them.
 *
 * @throws {DriverError} If a row lacks a column, or a value is not a plain one.
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
 * Reads the one row of a statement that always gives one.
 *
 * @throws {DriverError} If there is another number of them.
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

/** A list of libSQL's is like an array, and a proxy may give objects. */
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
