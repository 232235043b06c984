import type { Driver, Examiner, Schema, Session } from "../../mod.ts";
import { queueOf } from "../_shared/queue.ts";
import { turnOf } from "../_shared/turn.ts";
import {
  checkHead,
  checkTables,
  checkVersion,
  type Migration,
  Readiness,
  schemaOf,
  type SchemaState,
  statementsAfter,
} from "../_sql/migration.ts";
import { classify, connect, type LibsqlConnection } from "./handle.ts";
import { SqlExaminer } from "../_sql/examiner.ts";
import { flag, number, only } from "../_sql/row.ts";
import { list } from "../_sql/wire.ts";
import type { Statement } from "../_sql/statement.ts";
import { examinerOf, objectsOf } from "./sql/examine.ts";
import { migrationsOf } from "./sql/migrations.ts";
import { LibsqlSession } from "./session.ts";
import { statementsOf } from "./sql/statements.ts";

/** The options of `libsql`, complete. */
interface Options {
  readonly prefix: string;
  readonly busyTimeout: number;
  /** The most requests in one statement; 0 sends each by itself. */
  readonly groups: number;
}

/** The libSQL driver: the session outside of transactions, and what makes the tables. */
export class LibsqlDriver<Db> extends LibsqlSession<Db> implements Driver<Db> {
  readonly capabilities: Driver["capabilities"] = {
    transactions: true,
    backwards: true,
    prefix: true,
    conditions: true,
    expectedEventId: true,
    imported: true,
    replay: true,
  };
  readonly #migrations: readonly Migration[];

  constructor(db: Db, { prefix, busyTimeout, groups }: Options) {
    const migrations = migrationsOf(prefix);
    const connection = connect(db);
    super(db, false, {
      statements: statementsOf(prefix),
      prefix,
      where: `the database of the libSQL server (prefix "${prefix}")`,
      classify: (error) => classify(error, connection.local),
      busyTimeout,
      queue: queueOf(connection.client, busyTimeout),
      turn: connection.local ? turnOf(connection.client) : undefined,
      groups: groups === 0 ? undefined : {
        requests: groups,
        // A statement of a file blocks the event loop: 20 ms for 256 events.
        events: connection.local ? 256 : 512,
        keys: Infinity,
      },
      readiness: new Readiness(migrations),
    });
    this.#migrations = migrations;
  }

  get examiner(): Examiner {
    const { prefix } = this.shared;
    return new SqlExaminer({
      statements: examinerOf(prefix),
      expected: objectsOf(prefix),
      latest: this.#migrations.at(-1)!.version,
      run: (action, statement, parameters) =>
        this.queued(
          "read",
          () => this.retrying(action, () => this.connection.run(statement, parameters)),
        ),
      settled: undefined, // with a single writer, all that is committed is settled
    });
  }

  using(db: Db): Session<Db> {
    return new LibsqlSession(db, true, this.shared);
  }

  async migrate(): Promise<void> {
    await this.queued("write", () =>
      this.retrying("migrate", async () => {
        if (this.connection.local) await this.#logAhead();
        await this.connection.transaction((tx) => this.#migrate(connect(tx)));
      }));
    this.shared.readiness.done();
  }

  async schema(): Promise<Schema> {
    const { found, statements } = await this.translated(
      "read the schema",
      () => this.#pending(this.connection),
    );
    return schemaOf(found, this.#migrations, statements);
  }

  async repairPosition(): Promise<number> {
    const { begin, repair } = this.shared.statements;
    const work = async (connection: LibsqlConnection) => {
      checkVersion(await this.readState(connection), this.#migrations);
      await connection.run(begin, []);
      return number(only(await connection.run<{ head: string }>(repair, [])).head);
    };
    return await this.queued(
      "write",
      () =>
        this.retrying(
          "repair the position",
          () => this.connection.transaction((tx) => work(connect(tx))),
        ),
    );
  }

  /**
   * Lets readers go on beside a writer. It cannot be set in a transaction; the file remembers it. Only a convenience: where
   * it is refused, as in an embedded replica, all else works.
   */
  async #logAhead(): Promise<void> {
    try {
      await this.connection.run({ name: undefined, text: "pragma journal_mode = wal" }, []);
    } catch (error) {
      if (this.shared.classify(error).failure === "raced") throw error;
    }
  }

  /**
   * A transaction that writes is alone; the second finds nothing left to do. The statements are sent without waiting for
   * one another: over HTTP an empty database takes 4 requests instead of 26.
   */
  async #migrate(connection: LibsqlConnection): Promise<void> {
    const { statements } = await this.#pending(connection);
    await Promise.all(statements.map((text) => connection.run({ name: undefined, text }, [])));
    checkHead(only(await connection.run<SchemaState>(this.shared.statements.state, [])));
  }

  /** Reads which tables there are, and lists what is left to do. */
  async #pending(connection: LibsqlConnection): Promise<Pending> {
    const ask = async <Row>(statement: Statement): Promise<Row> =>
      only(await connection.run<Row>(statement, []));
    const { holdsEvents, state, tables } = this.shared.statements;
    const there = list<string>((await ask<{ there: string }>(tables)).there);
    await checkTables(
      await this.place(connection.run),
      there,
      async () => flag((await ask<{ found: string }>(holdsEvents)).found),
    );
    const found = there.includes("migrations") ? await ask<SchemaState>(state) : undefined;
    checkVersion(found, this.#migrations);
    const note = (values: string) =>
      `insert or ignore into "${this.shared.prefix}migrations" ${values}`;
    return { found, statements: statementsAfter(found, this.#migrations, note) };
  }
}

/** What tables there are, and what is left to do. */
interface Pending {
  readonly found: SchemaState | undefined;
  readonly statements: readonly string[];
}
