import type { AppendRequest } from "../../mod.ts";
import type { Turns } from "../turns.ts";
import type { Classified } from "../_sql/failure.ts";
import type { Readiness, SchemaVersion } from "../_sql/migration.ts";
import { SqlSession } from "../_sql/session.ts";
import type { Parameter, Statement } from "../_sql/statement.ts";
import { eventsParameter, isLone, loneParameters, type Placed } from "../_sql/wire.ts";
import { classify, connect, type Connection } from "./dialect.ts";
import type { LibsqlStatements } from "./statements.ts";

/** What the sessions of one driver share. */
export interface Setting {
  readonly statements: LibsqlStatements;
  readonly prefix: string;
  readonly busyTimeout: number;
  readonly turns: Turns;
  readonly readiness: Readiness;
}

/** The first position that each open transaction appended at: what it reads of the log ends before that. */
const firstPositions: WeakMap<object, number> = new WeakMap();

/** A session on libSQL: the driver's own, or inside a transaction. */
export class LibsqlSession<Db> extends SqlSession<Db> {
  readonly db: Db;
  protected readonly bound: boolean;
  protected readonly refusalAborts = false;
  protected readonly setting: Setting;
  protected readonly connection: Connection;

  constructor(db: Db, bound: boolean, setting: Setting) {
    super();
    this.db = db;
    this.bound = bound;
    this.setting = setting;
    this.connection = connect(db);
  }

  protected get statements(): LibsqlStatements {
    return this.setting.statements;
  }

  protected get where(): string {
    return `tables "${this.setting.prefix}…"`;
  }

  protected get busyTimeout(): number {
    return this.setting.busyTimeout;
  }

  protected run<Row>(
    statement: Statement,
    parameters: readonly Parameter[],
  ): Promise<readonly Row[]> {
    return this.connection.run(statement, parameters);
  }

  protected classify(error: unknown): Classified {
    return classify(error);
  }

  protected async ready(): Promise<void> {
    await this.setting.readiness.check(async () => {
      const [tables] = await this.run<{ found: number }>(this.statements.exists, []);
      if (Number(tables!.found) === 0) throw this.missing();
      return (await this.run<SchemaVersion>(this.statements.version, []))[0];
    });
  }

  protected closed(): boolean {
    return this.connection.closed();
  }

  /**
   * A file has one writer. Whoever comes while it writes would be told so at once, or block this process's event loop
   * until the database's own timeout: so the writers of this process queue up here instead.
   */
  protected queue(kind: "read" | "write"): Turns | undefined {
    return this.connection.local && kind === "write" ? this.setting.turns : undefined;
  }

  protected async place(request: AppendRequest): Promise<readonly Placed[]> {
    const { appendLone, appendMany, tag } = this.statements;
    const tagged = request.writes.some(({ events }) => events.some(({ tags }) => tags.length > 0));
    const rows = isLone(request)
      ? await this.#write([appendLone], loneParameters(request))
      : await this.#write(tagged ? [appendMany, tag] : [appendMany], [
        request.tenantId,
        eventsParameter(request),
      ]);
    if (this.bound && rows.length > 0) this.#note(rows);
    return rows;
  }

  /** Runs statements that write, in one request; the rows are those of the first. */
  async #write(
    statements: readonly Statement[],
    parameters: readonly Parameter[],
  ): Promise<readonly Placed[]> {
    const { local, batch, transaction } = this.connection;
    if (!local || this.bound) {
      return statements.length === 1
        ? await this.run(statements[0]!, parameters)
        : await batch(statements, parameters);
    }
    return await transaction((tx) => connect(tx).batch(statements, parameters));
  }

  protected async begin<R>(work: (session: SqlSession<Db>) => Promise<R>): Promise<R> {
    return await this.connection.transaction((tx) =>
      work(new LibsqlSession(tx as Db, true, this.setting))
    );
  }

  protected async probe(): Promise<void> {
    await this.run({ name: undefined, text: "select 1" }, []);
  }

  /** Commits come in the order of their positions, for there is one writer; a hole is never filled. */
  async settled(): Promise<number> {
    const answer = await this.first<{ head: number }>(
      "read the position",
      this.statements.head,
      [],
    );
    const first = this.bound ? firstPositions.get(this.connection.client) : undefined;
    return Math.min(Number(answer.head), (first ?? Infinity) - 1);
  }

  async delete(tenantId: string, streamId: string): Promise<void> {
    await this.usable();
    await this.turn("write", () =>
      this.patiently("delete a stream", async () => {
        await this.#write([this.statements.untag, this.statements.remove], [tenantId, streamId]);
      }));
  }

  #note(rows: readonly Placed[]): void {
    const first = Math.min(...rows.map(({ position }) => Number(position)));
    const { client } = this.connection;
    firstPositions.set(client, Math.min(first, firstPositions.get(client) ?? first));
  }
}
