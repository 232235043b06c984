import { entityKind, is } from "drizzle-orm";
import { PgDatabase } from "drizzle-orm/pg-core";
import type { Connection } from "../_sql/connection.ts";
import { type Classified, classifyClient, type Failure, rootOf, textOf } from "../_sql/failure.ts";
import type { Parameter, Statement } from "../_sql/statement.ts";
import { readRows } from "../_sql/row.ts";
import { wrongHandle } from "../_sql/wrong.ts";
import { nameOf } from "./sqlstate.ts";
import { watch } from "./watch.ts";

/**
 * Any Drizzle handle for Postgres: postgres.js, node-postgres, PGlite, Bun SQL, Neon … Typed by structure, so that
 * handles made with a schema, and those of another copy of Drizzle, fit too.
 *
 * @category Drivers
 */
export interface PostgresHandle<Tx> {
  /** Runs work in a transaction. */
  transaction<R>(work: (tx: Tx) => Promise<R>, config?: PostgresTransactionConfig): Promise<R>;
  /** Runs a statement; its return type identifies handles for Postgres. */
  execute(query: string): PromiseLike<unknown> & { readonly _: { readonly dialect: "pg" } };
}

/**
 * Options of a transaction.
 *
 * @category Drivers
 */
export interface PostgresTransactionConfig {
  /** The isolation from other transactions. */
  readonly isolationLevel?: "read committed";
}

/** The members of Drizzle's session that the driver uses; public on every handle as `_.session`. */
interface DrizzleSession {
  readonly prepareQuery: (
    query: { readonly sql: string; readonly params: unknown[] },
    fields: undefined,
    name: string | undefined,
    arrayMode: false,
    readRows: (rows: readonly unknown[]) => readonly unknown[],
  ) => { execute(): Promise<readonly unknown[]> };
}

/** The members of a client below a handle that show its state. */
interface Client {
  readonly options?: { readonly max?: unknown };
  readonly totalCount?: unknown;
  readonly closed?: unknown;
  readonly ended?: unknown;
  readonly ending?: unknown;
}

/** One handle for Postgres, or one transaction of it. */
export interface PostgresConnection extends Connection {
  /** Opens a transaction (READ COMMITTED), or inside one a savepoint. */
  readonly transaction: <R>(work: (tx: unknown) => Promise<R>, bound: boolean) => Promise<R>;
  /** Whether it has interactive transactions. */
  readonly transactions: boolean;
  /** Whether it has a single connection, which an open transaction holds. */
  readonly single: boolean;
  /** Whether the database runs in this process, so that no other process uses it. */
  readonly embedded: boolean;
}

/** Sessions over HTTP, which have no interactive transactions. */
const withoutTransactions = ["NeonHttpSession", "PgRemoteSession", "XataHttpSession"];

/**
 * Opens a handle.
 *
 * @param prepare Whether statements are prepared under a name.
 * @throws {TypeError} If it is not a Drizzle handle for Postgres.
 */
export function connect(handle: unknown, prepare: boolean): PostgresConnection {
  const db: unknown = primaryOf(handle);
  if (!is(db, PgDatabase)) {
    throw wrongHandle(
      "Postgres",
      "drizzle(postgres(url)) of drizzle-orm/postgres-js",
      "handles of postgres.js, node-postgres, PGlite, Bun SQL, Neon and Vercel work, those of MySQL and SQLite do not",
      handle,
    );
  }
  const session = db._.session as unknown as DrizzleSession;
  const kind = String(Reflect.get(session.constructor, entityKind));
  const client: Client & object = Reflect.get(db, "$client") ?? session;
  watch(client);
  const embedded = kind === "PgliteSession";
  return {
    run: async <Row>(statement: Statement, parameters: readonly Parameter[]) => {
      const query = session.prepareQuery(
        { sql: statement.text, params: [...parameters] },
        undefined,
        prepare ? statement.name : undefined,
        false,
        // With a reader of rows, every client returns them as arrays.
        (rows) => rows,
      );
      return readRows<Row>(statement, await query.execute());
    },
    transaction: (work, bound) =>
      db.transaction(work, bound ? undefined : { isolationLevel: "read committed" }),
    client,
    transactions: !withoutTransactions.includes(kind),
    embedded,
    single: embedded || client.options?.max === 1 ||
      (kind === "NodePgSession" && client.totalCount === undefined),
    // postgres.js shows it by the error alone, and only for statements that it has not sent.
    closed: (error) =>
      client.closed === true || client.ended === true || client.ending === true ||
      textOf(error, "code") === "CONNECTION_ENDED",
  };
}

/** Returns the primary of a handle with replicas: a replica does not show the locks of running appends. */
function primaryOf(handle: unknown): unknown {
  const primary: unknown = typeof handle === "object" && handle !== null
    ? Reflect.get(handle, "$primary")
    : undefined;
  return primary ?? handle;
}

/**
 * Classifies an error of the database or its client by its code, never by its message.
 *
 * @param fetches Whether the client sends by `fetch`.
 */
export function classify(error: unknown, fetches: boolean): Classified {
  const root = rootOf(error);
  const code = stateOf(root);
  if (code === undefined) return classifyClient(root, fetches);
  const failure = failureOf(code);
  const name = nameOf(code);
  const reason = failure === "lost" ? name : `the database refused with ${name}`;
  return { failure, code, reason };
}

/** Returns the SQLSTATE: `code` for most clients, `errno` for Bun, whose `code` is its own. */
function stateOf(error: unknown): string | undefined {
  return [textOf(error, "code"), textOf(error, "errno")].find((code) =>
    code !== undefined && /^[0-9A-Z]{5}$/.test(code) && !/^E[A-Z]+$/.test(code)
  );
}

function failureOf(code: string): Failure {
  switch (code) {
    case "3F000": // no such schema
    case "42P01": // no such table
      return "missing";
    case "40001": // serialization failure
    case "40P01": // deadlock
      return "raced";
    case "55P03": // lock not available
      return "busy";
    case "25P02": // the transaction is aborted
      return "aborted";
    case "22012": // the guard in a statement that appends to several streams
      return "outrun";
    case "23505": // a unique index
      return "refused";
    default:
      return code.startsWith("08") || code.startsWith("57P") ? "lost" : "other";
  }
}
