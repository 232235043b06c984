import { type Statement, statementName } from "../../_sql/statement.ts";

/** Makes a statement that is prepared under a name made of its text. */
export function statement(text: string): Statement {
  return { name: statementName(text), text };
}

/** Quotes text as an SQL literal. */
export function literal(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}
