import type { Statement } from "../../_sql/statement.ts";

/** Makes a statement. The client prepares none. */
export function statement(text: string): Statement {
  return { name: undefined, text };
}
