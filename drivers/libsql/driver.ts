import type { Driver, Session } from "../../mod.ts";
import { queueOf } from "../_shared/queue.ts";
import {
  checkHead,
  checkVersion,
  type Migration,
  Readiness,
  type SchemaState,
} from "../_sql/migration.ts";
import { classify, connect, type LibsqlConnection } from "./handle.ts";
import { migrationsOf } from "./sql/migrations.ts";
import { LibsqlSession } from "./session.ts";
import { statementsOf } from "./sql/statements.ts";

/** The options of `libsql`, complete. */
interface Options {
  readonly prefix: string;
  readonly busyTimeout: number;
}

/** The libSQL driver: the session outside of transactions, and what makes the tables. */
export class LibsqlDriver<Db> extends LibsqlSession<Db> implements Driver<Db> {
  readonly capabilities: Driver["capabilities"] = { transactions: true };
  readonly #migrations: readonly Migration[];

  constructor(db: Db, { prefix, busyTimeout }: Options) {
    const migrations = migrationsOf(prefix);
    super(db, false, {
      statements: statementsOf(prefix),
      prefix,
      where: `tables "${prefix}…"`,
      classify,
      busyTimeout,
      queue: queueOf(connect(db).client, busyTimeout),
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
        // Readers go on beside a writer then. It cannot be set in a transaction; the file remembers it.
        if (this.connection.local) {
          await this.connection.run({ name: undefined, text: "pragma journal_mode = wal" }, []);
        }
        await this.connection.transaction((tx) => this.#migrate(connect(tx)));
      }));
    this.shared.readiness.done();
  }

  async repairPosition(): Promise<number> {
    const { begin, repair } = this.shared.statements;
    const work = async (connection: LibsqlConnection) => {
      checkVersion(await this.readState(connection), this.#migrations);
      await connection.run(begin, []);
      return Number((await connection.run<{ head: number }>(repair, []))[0]!.head);
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

  /** A transaction that writes is alone; whoever comes second finds nothing left to do. */
  async #migrate(connection: LibsqlConnection): Promise<void> {
    const ask = async <Row>(text: string): Promise<Row | undefined> =>
      (await connection.run<Row>({ name: undefined, text }, []))[0];
    const { exists, state } = this.shared.statements;
    const there = Number((await ask<{ found: number }>(exists.text))?.found) > 0;
    const found = there ? await ask<SchemaState>(state.text) : undefined;
    checkVersion(found, this.#migrations);
    for (const migration of this.#migrations) {
      if (migration.version <= Number(found?.version ?? 0)) continue;
      for (const text of migration.statements) await ask(text);
      const { version, minReader, minWriter } = migration;
      await ask(
        `insert or ignore into "${this.shared.prefix}migrations" (version, min_reader, min_writer) values (${version}, ${minReader}, ${minWriter})`,
      );
    }
    checkHead((await ask<SchemaState>(state.text))!);
  }
}
