import type { Parameter, Statement } from "../statement.ts";

/** How a session runs the statements of what it keeps beside the log. */
export interface Run {
  /** Runs a statement that reads, and returns its only row, converted by `read`. */
  readonly read: <Row, R>(
    action: string,
    statement: Statement,
    parameters: readonly Parameter[],
    read: (row: Row) => R,
  ) => Promise<R>;
  /** Runs statements with the same parameters, which take effect together; returns the rows of the first. */
  readonly write: <Row>(
    action: string,
    statements: readonly Statement[],
    parameters: readonly Parameter[],
  ) => Promise<readonly Row[]>;
}
