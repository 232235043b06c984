import type { Queue } from "../_shared/queue.ts";
import type { Classified } from "./failure.ts";
import type { Readiness } from "./migration.ts";
import type { Parameter, Statement, Statements } from "./statement.ts";

/** One handle, or one transaction of it, as a session uses it. */
export interface Connection {
  /** Runs a statement. */
  readonly run: <Row>(
    statement: Statement,
    parameters: readonly Parameter[],
  ) => Promise<readonly Row[]>;
  /** What identifies the client below. */
  readonly client: object;
  /** Whether the client was closed, as it or what it threw says, so that nothing can have been sent. */
  readonly closed: (error: unknown) => boolean;
}

/** What the sessions of one driver share. */
export interface Shared {
  readonly statements: Statements;
  /** Where the tables are, for messages. */
  readonly where: string;
  /** How long a write waits for another transaction, in milliseconds. */
  readonly busyTimeout: number;
  /** The queue of a database that cannot do two things at once. */
  readonly queue: Queue;
  readonly readiness: Readiness;
  /** Tells what an error of the database or its client means. */
  readonly classify: (error: unknown) => Classified;
}
