import { type Statement, statementName } from "../../_sql/statement.ts";

/**
 * Makes a statement that is prepared under a name made of its text.
 *
 * @param columns Its columns, in order; each is text, since clients choose what to make of other types.
 */
export function statement(text: string, columns?: readonly string[]): Statement {
  return { name: statementName(text), text, columns };
}

/** Quotes text as an SQL literal. */
export function literal(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}
