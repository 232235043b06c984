import type { Connection, Shared } from "./connection.ts";
import type { Parameter, Statement } from "./statement.ts";
import { Queue } from "../_shared/queue.ts";
import type { Failure } from "./failure.ts";
import { retrying } from "./retry.ts";
import { only } from "./row.ts";
import { translate } from "./translate.ts";

/** How a session runs statements: in their turn, once the tables are known to be usable, with retries. */
export abstract class Running {
  /** The state that it shares with the driver's other sessions. */
  protected abstract readonly shared: Shared;
  /** The handle or transaction that it sends statements to. */
  protected abstract readonly connection: Connection;
  /** Whether this session is inside a transaction. */
  protected abstract readonly inTransaction: boolean;
  /** Resolves once the tables are known to be usable. */
  protected abstract checkSchema(): Promise<void>;
  /** Returns the queue of a database that cannot do this while a transaction is open; undefined if it can. */
  protected abstract queueFor(kind: "read" | "write"): Queue | undefined;
  /** Sends statements with the same parameters, all of which take effect or none; returns the rows of the first. */
  protected abstract runTogether<Row>(
    statements: readonly Statement[],
    parameters: readonly Parameter[],
  ): Promise<readonly Row[]>;

  #savepoints: Queue | undefined;

  /**
   * Runs work once the operations that it conflicts with have ended. Inside a transaction, these are savepoints: two at
   * the same time, or a write beside one, would interleave. A transaction, which keeps others waiting, does not wait for
   * the event loop; what is outside of one does.
   */
  protected queued<R>(kind: "read" | "write", work: () => Promise<R>): Promise<R> {
    if (this.inTransaction && kind === "write") {
      this.#savepoints ??= new Queue(this.shared.busyTimeout);
      return this.#savepoints.run(work);
    }
    if (this.inTransaction) return work();
    const start = () => this.queueFor(kind)?.run(work) ?? work();
    return this.shared.turn?.()?.then(start) ?? start();
  }

  /** Runs a statement that reads, and returns its only row, converted by `read`. */
  protected first<Row, R>(
    action: string,
    statement: Statement,
    parameters: readonly Parameter[],
    read: (row: Row) => R,
  ): Promise<R> {
    return this.rows(action, statement, parameters, (rows: readonly Row[]) => read(only(rows)));
  }

  /** Runs a statement that reads, and returns its rows, converted by `read`. */
  protected async rows<Row, R>(
    action: string,
    statement: Statement,
    parameters: readonly Parameter[],
    read: (rows: readonly Row[]) => R,
  ): Promise<R> {
    return await this.queued("read", async () => {
      await this.ensureSchema();
      return await this.retrying(
        action,
        async () => read(await this.connection.run<Row>(statement, parameters)),
      );
    });
  }

  /** Retries work until `busyTimeout` has passed, while it fails only because of another writer, or of `also`. */
  protected retrying<R>(action: string, work: () => Promise<R>, also?: Failure): Promise<R> {
    return retrying(this.shared, this.inTransaction, action, work, also);
  }

  /** Runs work and translates its database errors. */
  protected async translated<R>(action: string, work: () => Promise<R>): Promise<R> {
    try {
      return await work();
    } catch (error) {
      throw translate(error, action, this.inTransaction, this.shared);
    }
  }

  protected async ensureSchema(): Promise<void> {
    await this.retrying("check the tables", () => this.checkSchema());
  }

  /** Runs statements that write in their turn, as `runTogether` does; returns the rows of the first. */
  protected together<Row>(
    action: string,
    statements: readonly Statement[],
    parameters: readonly Parameter[],
  ): Promise<readonly Row[]> {
    return this.queued("write", async () => {
      await this.ensureSchema();
      return await this.retrying(action, () => this.runTogether<Row>(statements, parameters));
    });
  }
}
