import type { Queue } from "../_shared/queue.ts";
import type { Turn } from "../_shared/turn.ts";
import type { Classified } from "./failure.ts";
import type { Readiness } from "./migration.ts";
import type { Parameter, Statement, Statements } from "./statement.ts";
import type { Limits } from "./append/waiting.ts";

/** One handle, or one transaction of it, as a session uses it. */
export interface Connection {
  /** Runs a statement. */
  readonly run: <Row>(
    statement: Statement,
    parameters: readonly Parameter[],
  ) => Promise<readonly Row[]>;
  /** The client below the handle, which identifies the database. */
  readonly client: object;
  /** Whether the client was closed, judged by its state or its error, so that nothing can have been sent. */
  readonly closed: (error: unknown) => boolean;
}

/** The state that all sessions of a driver share. */
export interface Shared {
  readonly statements: Statements;
  /** The place of the tables, for messages. */
  readonly where: string;
  /** How long a write waits for another transaction, in milliseconds. */
  readonly busyTimeout: number;
  /** The queue for operations that the database cannot run concurrently. */
  readonly queue: Queue;
  /** Lets the event loop go round, where the database is in this process; undefined where it is not. */
  readonly turn: Turn | undefined;
  /** What one statement of several appends takes; undefined if each is sent by itself. */
  readonly groups: Limits | undefined;
  readonly readiness: Readiness;
  /** Classifies an error of the database or its client. */
  readonly classify: (error: unknown) => Classified;
}
