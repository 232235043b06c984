import type { Statement } from "../../_sql/statement.ts";

/**
 * Makes a statement. The client prepares none.
 *
 * @param columns Its columns, in order.
 */
export function statement(text: string, columns?: readonly string[]): Statement {
  return { name: undefined, text, columns };
}
