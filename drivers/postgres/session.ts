import type { Queue } from "../_shared/queue.ts";
import type { Shared } from "../_sql/connection.ts";
import type { SchemaVersion } from "../_sql/migration.ts";
import type { Parameter, Statement } from "../_sql/statement.ts";
import type { PostgresConnection } from "./handle.ts";
import type { FenceKind } from "./sql/fence.ts";
import type { FencedStatements, PostgresStatements } from "./sql/statements.ts";
import { type AppendRequest, UnsupportedError } from "../../mod.ts";
import { eventsParameter, type InsertedRow, isSingle, singleParameters } from "../_sql/append.ts";
import { SqlSession } from "../_sql/session.ts";

/** What the sessions of one driver share. */
interface PostgresShared extends Shared {
  readonly statements: PostgresStatements;
  /** The schema's name, quoted. */
  readonly schema: string;
  readonly connect: (db: unknown) => PostgresConnection;
  /** What is known of the schema once it was found usable. */
  readonly known: { fence: FenceKind };
}

/** What the tables say of themselves, their fence included. */
export interface PostgresVersion extends SchemaVersion {
  readonly serial: boolean;
}

/** How long `delete` waits for appends under way before it lets others pass, in milliseconds. */
const patience = "200";

/** A session on Postgres: the driver's own, or inside a transaction. */
export class PostgresSession<Db> extends SqlSession<Db> {
  readonly db: Db;
  protected readonly inTransaction: boolean;
  protected readonly refusalAborts = true;
  protected readonly shared: PostgresShared;
  protected readonly connection: PostgresConnection;

  constructor(db: Db, bound: boolean, setting: PostgresShared) {
    super();
    this.db = db;
    this.inTransaction = bound;
    this.shared = setting;
    this.connection = setting.connect(db);
  }

  protected checkSchema(): Promise<void> {
    return this.shared.readiness.check(async () => {
      const { known, statements } = this.shared;
      const [found] = await this.connection.run<PostgresVersion>(statements.version, []);
      if (found?.serial) known.fence = "serial";
      return found;
    });
  }

  /** Only a handle with one connection has to wait: a transaction holds it, and would hold this up for ever. */
  protected queueFor(): Queue | undefined {
    return this.connection.single ? this.shared.queue : undefined;
  }

  protected async insert(request: AppendRequest): Promise<readonly InsertedRow[]> {
    const timeout = this.inTransaction ? null : String(this.shared.busyTimeout);
    if (isSingle(request)) {
      return await this.connection.run<InsertedRow>(this.#fenced.appendOne, [
        ...singleParameters(request),
        timeout,
      ]);
    }
    const parameters = [request.tenantId, eventsParameter(request), timeout];
    // Where one of several races is lost, the statement fails: a savepoint keeps the transaction around it alive.
    return this.inTransaction && request.writes.length > 1
      ? await this.connection.transaction(
        (tx) => this.#inside(tx).connection.run(this.#fenced.appendEvents, parameters),
        true,
      )
      : await this.connection.run(this.#fenced.appendEvents, parameters);
  }

  protected async openTransaction<R>(work: (session: SqlSession<Db>) => Promise<R>): Promise<R> {
    this.#needTransactions("open a transaction");
    return await this.connection.transaction((tx) => work(this.#inside(tx)), this.inTransaction);
  }

  /** There is one statement always: Postgres takes several changes in one. */
  protected async runTogether<Row>(
    [statement]: readonly Statement[],
    parameters: readonly Parameter[],
  ): Promise<readonly Row[]> {
    return await this.connection.run<Row>(statement!, parameters);
  }

  protected async assertAlive(): Promise<void> {
    await this.connection.run({ name: "event_sourcery_probe", text: "select 1" }, []);
  }

  async settled(): Promise<number> {
    await this.ensureSchema();
    const answer = await this.first<{ standby: boolean; settled: string }>(
      "read the position",
      this.#fenced.settled,
      [],
    );
    if (answer.standby) {
      throw new UnsupportedError(
        "read the log",
        "this is a standby, which does not show appends under way; use the primary",
      );
    }
    return Number(answer.settled);
  }

  /**
   * Deletes while no append is under way: one that has read the stream's version would go on from it, and leave a
   * stream that starts in the middle. New appends wait meanwhile, so it gives way soon and tries again.
   */
  async delete(tenantId: string, streamId: string): Promise<void> {
    await this.ensureSchema();
    if (this.inTransaction) {
      return await this.queued(
        "write",
        () => this.translated("delete a stream", () => this.#remove(tenantId, streamId)),
      );
    }
    this.#needTransactions("delete a stream");
    await this.queued(
      "write",
      () =>
        this.retrying(
          "delete a stream",
          () =>
            this.connection.transaction(
              (tx) => this.#inside(tx).#removeSoon(tenantId, streamId),
              false,
            ),
          "busy",
        ),
    );
  }

  async blockAppends(): Promise<void> {
    await this.translated(
      "lock the log",
      () => this.connection.run(this.shared.statements.lock, []),
    );
  }

  get #fenced(): FencedStatements {
    return this.shared.statements.fenced[this.shared.known.fence];
  }

  #needTransactions(action: string): void {
    if (this.connection.transactions) return;
    throw new UnsupportedError(action, "this database handle has no interactive transactions");
  }

  async #removeSoon(tenantId: string, streamId: string): Promise<void> {
    await this.connection.run(this.shared.statements.patience, [patience]);
    await this.#remove(tenantId, streamId);
  }

  async #remove(tenantId: string, streamId: string): Promise<void> {
    await this.connection.run(this.shared.statements.lock, []);
    await this.connection.run(this.shared.statements.remove, [tenantId, streamId]);
  }

  #inside(tx: unknown): PostgresSession<Db> {
    return new PostgresSession(tx as Db, true, this.shared);
  }
}
