import type { FenceKind } from "./sql/fence.ts";
import type { Driver, Examiner, Notifier, Schema, Session } from "../../mod.ts";
import { queueOf } from "../_shared/queue.ts";
import { turnOf } from "../_shared/turn.ts";
import {
  checkHead,
  checkTables,
  checkVersion,
  type Migration,
  Readiness,
  schemaOf,
  statementsAfter,
} from "../_sql/migration.ts";
import { SqlExaminer } from "../_sql/examiner.ts";
import { flag, number, only } from "../_sql/row.ts";
import { type Parameter, type Statement, statementName } from "../_sql/statement.ts";
import { list } from "../_sql/wire.ts";
import { chooseFence, type PostgresState } from "./fence.ts";
import { classify, connect, type PostgresConnection } from "./handle.ts";
import { mostKeys } from "./keys.ts";
import { notifierOf } from "./notifier.ts";
import { PostgresSession } from "./session.ts";
import { settledOf } from "./settled.ts";
import { examinerOf, objectsOf } from "./sql/examine.ts";
import { migrationsOf } from "./sql/migrations.ts";
import { statementsOf } from "./sql/statements.ts";

/** The options of `postgres`, complete. */
interface Options {
  readonly schema: string;
  readonly prepare: boolean;
  readonly busyTimeout: number;
  readonly notify: boolean;
  /** The most requests in one statement; 0 sends each by itself. */
  readonly groups: number;
}

/** A schema, a table or index, another object, or a row of the catalog that stands for one, is there already; or a deadlock. */
const madeMeanwhile = ["42P06", "42P07", "42710", "23505", "40P01"];

/** The Postgres driver: the session outside of transactions, and what makes the tables. */
export class PostgresDriver<Db> extends PostgresSession<Db> implements Driver<Db> {
  readonly capabilities: Driver["capabilities"];
  readonly notifier: Notifier | undefined;
  readonly #name: string;
  readonly #migrations: readonly Migration[];

  constructor(db: Db, { schema, prepare, busyTimeout, notify, groups }: Options) {
    const quoted = `"${schema.replaceAll('"', '""')}"`;
    const migrations = migrationsOf(quoted);
    const connection = connect(db, prepare);
    super(db, false, {
      statements: statementsOf(quoted),
      schema: quoted,
      where: `schema ${quoted}`,
      classify: (error) => classify(error, !connection.transactions),
      busyTimeout,
      queue: queueOf(connection.client, busyTimeout),
      turn: connection.embedded ? turnOf(connection.client) : undefined,
      groups: groups === 0 ? undefined : { requests: groups, events: 512, keys: mostKeys },
      connect: (handle) => connect(handle, prepare),
      readiness: new Readiness(migrations),
      known: { fence: "concurrent", settled: undefined },
    });
    this.#name = schema;
    this.#migrations = migrations;
    const { transactions, embedded, client, run } = this.connection;
    const { known } = this.shared;
    this.capabilities = {
      transactions,
      backwards: true,
      prefix: true,
      conditions: transactions,
      expectedEventId: true,
      imported: true,
      replay: true,
      get appends() {
        return known.fence;
      },
    };
    // A connection over HTTP cannot listen.
    if (notify && transactions && !embedded) {
      const channel = statementName(schema);
      const text = `notify "${channel}"`;
      this.notifier = notifierOf(client, channel, () => run({ name: undefined, text }, []));
    }
  }

  get examiner(): Examiner {
    return new SqlExaminer({
      statements: examinerOf(this.#name, this.shared.schema),
      expected: objectsOf(this.#name),
      latest: this.#migrations.at(-1)!.version,
      run: (action, statement, parameters) => this.#runUnchecked(action, statement, parameters),
      settled: async () => {
        const { fenced, state } = this.shared.statements;
        const read = <Row>(statement: Statement) =>
          this.#runUnchecked<Row>("read the position", statement, []);
        const { serial } = only(await read<PostgresState>(state));
        const { settled } = fenced[flag(serial) ? "serial" : "concurrent"];
        return settledOf(only(await read(settled)));
      },
    });
  }

  using(db: Db): Session<Db> {
    return new PostgresSession(db, true, this.shared);
  }

  async migrate(): Promise<void> {
    const work = () => this.#migrateAlone();
    this.shared.known.fence = await this.queued("write", () => this.translated("migrate", work));
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
    return await this.withoutAppends("repair the position", async ({ run }) => {
      const { fenced, state } = this.shared.statements;
      const found = only(await run<PostgresState>(state, []));
      checkVersion(found, this.#migrations);
      const { repair } = fenced[flag(found.serial) ? "serial" : "concurrent"];
      return number(only(await run<{ head: string }>(repair, [])).head);
    });
  }

  async #runUnchecked<Row>(
    action: string,
    statement: Statement,
    parameters: readonly Parameter[],
  ): Promise<readonly Row[]> {
    return await this.queued(
      "read",
      () => this.retrying(action, () => this.connection.run<Row>(statement, parameters)),
    );
  }

  /** Where no lock keeps two processes apart, who meets what another has just made begins again. */
  async #migrateAlone(): Promise<FenceKind> {
    const { transactions, transaction } = this.connection;
    const giveUp = performance.now() + this.shared.busyTimeout;
    while (true) {
      try {
        if (!transactions) return await this.#migrate(this.connection);
        return await transaction((tx) => this.#migrate(this.shared.connect(tx)), false);
      } catch (error) {
        const { code } = this.shared.classify(error);
        if (code === undefined || !madeMeanwhile.includes(code) || performance.now() > giveUp) {
          throw error;
        }
      }
    }
  }

  /** One process at a time; the second finds nothing left to do. */
  async #migrate(connection: PostgresConnection): Promise<FenceKind> {
    const ask = (text: string, ...parameters: string[]) =>
      connection.run({ name: undefined, text }, parameters);
    const { statements } = this.shared;
    const privilege = only(await connection.run<{ allowed: string }>(statements.locks, []));
    const allowed = flag(privilege.allowed);
    if (allowed) {
      await ask(
        "select pg_advisory_xact_lock(hashtextextended('event_sourcery migrate ' || $1::text, 0))",
        this.#name,
      );
    }
    const pending = await this.#pending(connection);
    for (const text of pending.statements) await ask(text);
    const now = only(await connection.run<PostgresState>(statements.state, []));
    checkHead(now);
    const unused = pending.found === undefined || !flag(pending.found.probed);
    return await chooseFence(connection, statements, now, { unprobed: true, unused });
  }

  /** Reads which tables there are, and lists what is left to do. */
  async #pending({ run }: PostgresConnection): Promise<Pending> {
    const { holdsEvents, state, tables } = this.shared.statements;
    const { schema, there } = only(
      await run<{ schema: string; there: string }>(tables, [this.#name]),
    );
    const known = list<string>(there);
    await checkTables(
      this.shared.where,
      known,
      async () => flag(only(await run<{ found: string }>(holdsEvents, [])).found),
    );
    const found = known.includes("migrations")
      ? only(await run<PostgresState>(state, []))
      : undefined;
    checkVersion(found, this.#migrations);
    const note = (values: string) =>
      `insert into ${this.shared.schema}."migrations" ${values} on conflict do nothing`;
    const left = statementsAfter(found, this.#migrations, note);
    const first = flag(schema) ? [] : [`create schema ${this.shared.schema}`];
    return { found, statements: [...first, ...left] };
  }
}

/** What tables there are, and what is left to do. */
interface Pending {
  readonly found: PostgresState | undefined;
  readonly statements: readonly string[];
}
