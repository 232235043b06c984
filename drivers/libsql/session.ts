import type { Queue } from "../_shared/queue.ts";
import type { Shared } from "../_sql/connection.ts";
import type { SchemaState } from "../_sql/migration.ts";
import type { ConditionStatements, Parameter, Statement } from "../_sql/statement.ts";
import type { LibsqlStatements } from "./sql/statements.ts";
import { type AppendRequest, MissingSchemaError } from "../../mod.ts";
import {
  eventsParameter,
  type InsertedRow,
  isSingle,
  singleParameters,
} from "../_sql/append/append.ts";
import { groupParameter, type GroupRow } from "../_sql/append/group.ts";
import type { Lane } from "../_sql/append/waiting.ts";
import { conditionParameters } from "../_sql/query.ts";
import { number, only } from "../_sql/row.ts";
import { list } from "../_sql/wire.ts";
import { SqlSession } from "../_sql/session.ts";
import { connect, type LibsqlConnection } from "./handle.ts";

/** The state that all sessions of a driver share. */
interface LibsqlShared extends Shared {
  readonly statements: LibsqlStatements;
  readonly prefix: string;
}

/** The first position that each open transaction appended at: it reads the log up to that one, exclusively. */
const firstPositions: WeakMap<object, number> = new WeakMap();

/** A session on libSQL: the driver's own, or inside a transaction. */
export class LibsqlSession<Db> extends SqlSession<Db> {
  readonly db: Db;
  protected readonly inTransaction: boolean;
  protected readonly refusalAborts = false;
  protected readonly shared: LibsqlShared;
  protected readonly conditions: ConditionStatements;
  protected readonly connection: LibsqlConnection;

  constructor(db: Db, inTransaction: boolean, shared: LibsqlShared) {
    super();
    this.db = db;
    this.inTransaction = inTransaction;
    this.shared = shared;
    this.connection = connect(db);
    this.conditions = shared.statements.conditions;
  }

  protected async checkSchema(): Promise<void> {
    await this.shared.readiness.check(() => this.readState(this.connection));
  }

  /** Reads the versions of the schema. @throws {MissingSchemaError} If there are no tables. */
  protected async readState({ run }: LibsqlConnection): Promise<SchemaState> {
    const { tables, state } = this.shared.statements;
    const there = list<string>(only(await run<{ there: string }>(tables, [])).there);
    if (!there.includes("migrations")) throw new MissingSchemaError(await this.place(run));
    return only(await run<SchemaState>(state, []));
  }

  /**
   * A file has one writer. A second one would fail immediately, or block this process's event loop until the database's
   * own timeout: so the writers of this process queue here instead.
   */
  protected queueFor(kind: "read" | "write"): Queue | undefined {
    return this.connection.local && kind === "write" ? this.shared.queue : undefined;
  }

  protected async insert(request: AppendRequest): Promise<readonly InsertedRow[]> {
    const { tenantId, writes, condition } = request;
    const { appendOne, appendAfter, appendEvents, appendIf, tag, tagIf } = this.shared.statements;
    const tagged = writes.some(({ events }) => events.some(({ tags }) => tags.length > 0));
    const { expectedEventId } = writes[0]!;
    const [one, pin] = expectedEventId === undefined
      ? [appendOne, []]
      : [appendAfter, [expectedEventId]];
    const several = condition === undefined ? [appendEvents, tag] : [appendIf, tagIf];
    const rows = isSingle(request)
      ? await this.runTogether<InsertedRow>([one], [...singleParameters(request), ...pin])
      : await this.runTogether<InsertedRow>(tagged ? several : several.slice(0, 1), [
        ...[tenantId, eventsParameter(request)],
        ...(condition === undefined ? [] : conditionParameters(condition)),
      ]);
    if (this.inTransaction && rows.length > 0) this.#recordFirst(rows);
    return rows;
  }

  protected async insertTogether(requests: readonly AppendRequest[]): Promise<readonly GroupRow[]> {
    const { appendGroup, appendGroupIf, tagGroup } = this.shared.statements;
    const checked = requests.some(({ condition }) => condition !== undefined);
    const append = checked ? appendGroupIf : appendGroup;
    const tagged = requests.some(({ writes }) =>
      writes[0]!.events.some(({ tags }) => tags.length > 0)
    );
    const rows = await this.runTogether<{ row: string }>(
      tagged ? [append, tagGroup] : [append],
      [groupParameter(requests)],
    );
    return rows.map(({ row }) => JSON.parse(row));
  }

  /** Nobody waits for locks, so all travel together. */
  protected lane(): Lane {
    return "plain";
  }

  /** There is one writer. */
  protected flights(): number {
    return 1;
  }

  protected async runTogether<Row>(
    statements: readonly Statement[],
    parameters: readonly Parameter[],
  ): Promise<readonly Row[]> {
    const { local, batch, run, transaction } = this.connection;
    if (!local || this.inTransaction) {
      return statements.length === 1
        ? await run<Row>(statements[0]!, parameters)
        : await batch<Row>(statements, parameters);
    }
    return await transaction((tx) => connect(tx).batch<Row>(statements, parameters));
  }

  protected async openTransaction<R>(work: (session: SqlSession<Db>) => Promise<R>): Promise<R> {
    return await this.connection.transaction((tx) =>
      work(new LibsqlSession(tx as Db, true, this.shared))
    );
  }

  protected async assertAlive(): Promise<void> {
    await this.connection.run({ name: undefined, text: "select 1" }, []);
  }

  /** With a single writer, commits are in the order of their positions, and gaps are never filled. */
  async settled(): Promise<number> {
    const { head } = this.shared.statements;
    const read = (row: { head: string }) => number(row.head);
    return this.#settledAt(await this.first("read the position", head, [], read));
  }

  /** With a single writer, what commits later stands above the head that the statement saw. */
  protected async settling(): Promise<(settled: number) => number> {
    return (head) => this.#settledAt(head);
  }

  #settledAt(head: number): number {
    const first = this.inTransaction ? firstPositions.get(this.connection.client) : undefined;
    return Math.min(head, (first ?? Infinity) - 1);
  }

  async delete(tenantId: string, streamId: string): Promise<void> {
    await this.ensureSchema();
    await this.queued("write", () =>
      this.retrying("delete a stream", async () => {
        const { untag, remove, unpark, unkeep, unschedule } = this.shared.statements;
        const statements = [untag, remove, unpark, unkeep, unschedule];
        await this.runTogether(statements, [tenantId, streamId]);
      }));
  }

  /** Does nothing: an open transaction always blocks other writers. */
  async blockAppends(): Promise<void> {}

  /** Describes the database; a remote one without its URL, which only the client knows and which may hold a token. */
  protected async place(run: LibsqlConnection["run"]): Promise<string> {
    const { statements, where, prefix } = this.shared;
    if (!this.connection.local) return where;
    const [main] = await run<{ file: string | null }>(statements.database, []);
    const place = main?.file ? `the file ${JSON.stringify(main.file)}` : "the database in memory";
    return `${place} (prefix "${prefix}")`;
  }

  #recordFirst(rows: readonly InsertedRow[]): void {
    const first = Math.min(...rows.map(({ position }) => number(position)));
    const { client } = this.connection;
    firstPositions.set(client, Math.min(first, firstPositions.get(client) ?? first));
  }
}
