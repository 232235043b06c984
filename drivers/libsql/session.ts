import { type AppendRequest, MissingSchemaError } from "../../mod.ts";
import type { Turns } from "../_shared/queue.ts";
import type { Setting } from "../_sql/connection.ts";
import type { SchemaVersion } from "../_sql/migration.ts";
import { SqlSession } from "../_sql/session.ts";
import type { Parameter, Statement } from "../_sql/statement.ts";
import { eventsParameter, isLone, loneParameters, type Placed } from "../_sql/wire.ts";
import { connect, type LibsqlConnection } from "./handle.ts";
import type { LibsqlStatements } from "./sql/statements.ts";

/** What the sessions of one driver share. */
export interface LibsqlSetting extends Setting {
  readonly statements: LibsqlStatements;
  readonly prefix: string;
}

/** The first position that each open transaction appended at: what it reads of the log ends before that. */
const firstPositions: WeakMap<object, number> = new WeakMap();

/** A session on libSQL: the driver's own, or inside a transaction. */
export class LibsqlSession<Db> extends SqlSession<Db> {
  readonly db: Db;
  protected readonly bound: boolean;
  protected readonly refusalAborts = false;
  protected readonly setting: LibsqlSetting;
  protected readonly connection: LibsqlConnection;

  constructor(db: Db, bound: boolean, setting: LibsqlSetting) {
    super();
    this.db = db;
    this.bound = bound;
    this.setting = setting;
    this.connection = connect(db);
  }

  protected async ready(): Promise<void> {
    await this.setting.readiness.check(async () => {
      const [tables] = await this.connection.run<{ found: number }>(
        this.setting.statements.exists,
        [],
      );
      if (Number(tables!.found) === 0) throw new MissingSchemaError(this.setting.where);
      return (await this.connection.run<SchemaVersion>(this.setting.statements.version, []))[0];
    });
  }

  /**
   * A file has one writer. Whoever comes while it writes would be told so at once, or block this process's event loop
   * until the database's own timeout: so the writers of this process queue up here instead.
   */
  protected queue(kind: "read" | "write"): Turns | undefined {
    return this.connection.local && kind === "write" ? this.setting.turns : undefined;
  }

  protected async place(request: AppendRequest): Promise<readonly Placed[]> {
    const { appendLone, appendMany, tag } = this.setting.statements;
    const tagged = request.writes.some(({ events }) => events.some(({ tags }) => tags.length > 0));
    const rows = isLone(request)
      ? await this.send<Placed>([appendLone], loneParameters(request))
      : await this.send<Placed>(tagged ? [appendMany, tag] : [appendMany], [
        request.tenantId,
        eventsParameter(request),
      ]);
    if (this.bound && rows.length > 0) this.#note(rows);
    return rows;
  }

  protected async send<Row>(
    statements: readonly Statement[],
    parameters: readonly Parameter[],
  ): Promise<readonly Row[]> {
    const { local, batch, run, transaction } = this.connection;
    if (!local || this.bound) {
      return statements.length === 1
        ? await run<Row>(statements[0]!, parameters)
        : await batch<Row>(statements, parameters);
    }
    return await transaction((tx) => connect(tx).batch<Row>(statements, parameters));
  }

  protected async begin<R>(work: (session: SqlSession<Db>) => Promise<R>): Promise<R> {
    return await this.connection.transaction((tx) =>
      work(new LibsqlSession(tx as Db, true, this.setting))
    );
  }

  protected async probe(): Promise<void> {
    await this.connection.run({ name: undefined, text: "select 1" }, []);
  }

  /** Commits come in the order of their positions, for there is one writer; a hole is never filled. */
  async settled(): Promise<number> {
    const answer = await this.first<{ head: number }>(
      "read the position",
      this.setting.statements.head,
      [],
    );
    const first = this.bound ? firstPositions.get(this.connection.client) : undefined;
    return Math.min(Number(answer.head), (first ?? Infinity) - 1);
  }

  async delete(tenantId: string, streamId: string): Promise<void> {
    await this.usable();
    await this.turn("write", () =>
      this.patiently("delete a stream", async () => {
        const { untag, remove, unpark } = this.setting.statements;
        await this.send([untag, remove, unpark], [tenantId, streamId]);
      }));
  }

  #note(rows: readonly Placed[]): void {
    const first = Math.min(...rows.map(({ position }) => Number(position)));
    const { client } = this.connection;
    firstPositions.set(client, Math.min(first, firstPositions.get(client) ?? first));
  }
}
