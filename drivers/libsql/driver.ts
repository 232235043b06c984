import type { Driver, Session } from "../../mod.ts";
import { queueOf } from "../_shared/queue.ts";
import {
  checkHead,
  checkTables,
  checkVersion,
  type Migration,
  Readiness,
  type SchemaState,
} from "../_sql/migration.ts";
import { classify, connect, type LibsqlConnection } from "./handle.ts";
import { flag, number, only } from "../_sql/row.ts";
import { list } from "../_sql/wire.ts";
import type { Statement } from "../_sql/statement.ts";
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

  /** A transaction that writes is alone; the second finds nothing left to do. */
  async #migrate(connection: LibsqlConnection): Promise<void> {
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
    for (const migration of this.#migrations) {
      if (migration.version <= Number(found?.version ?? 0)) continue;
      for (const text of migration.statements) await connection.run({ name: undefined, text }, []);
      const { version, minReader, minWriter } = migration;
      const text =
        `insert or ignore into "${this.shared.prefix}migrations" (version, min_reader, min_writer) values (${version}, ${minReader}, ${minWriter})`;
      await connection.run({ name: undefined, text }, []);
    }
    checkHead(await ask<SchemaState>(state));
  }
}
