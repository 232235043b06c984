import { type Statement, statementName } from "../../_sql/statement.ts";

/**
 * Creates a statement that is prepared under a name derived from its text.
 *
 * @param columns Its columns, in order; each is text, since clients convert other types differently.
 */
export function statement(text: string, columns?: readonly string[]): Statement {
  return { name: statementName(text), text, columns };
}

/** Quotes text as an SQL literal. */
export function literal(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}
