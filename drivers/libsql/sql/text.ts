import type { Statement } from "../../_sql/statement.ts";

/**
 * Creates a statement without a name, since the client does not prepare any.
 *
 * @param columns Its columns, in order.
 */
export function statement(text: string, columns?: readonly string[]): Statement {
  return { name: undefined, text, columns };
}
