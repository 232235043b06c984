import { entityKind } from "drizzle-orm";
import type { Connection } from "../_sql/connection.ts";
import { type Classified, classifyClient, type Failure, rootOf, textOf } from "../_sql/failure.ts";
import type { Parameter, Statement } from "../_sql/statement.ts";
import { readRows } from "../_sql/row.ts";
import { wrongHandle } from "../_sql/wrong.ts";

/**
 * Any Drizzle handle for libSQL: native, HTTP, WebSocket, web, Turso. Typed by structure, so that handles made with a
 * schema, and those of another copy of Drizzle, fit too.
 *
 * @category Drivers
 */
export interface LibsqlHandle<Tx> {
  /** Runs work in a transaction. */
  transaction<R>(work: (tx: Tx) => Promise<R>): Promise<R>;
  /** Runs a statement; its return type identifies handles for libSQL. */
  run(query: string): PromiseLike<{ readonly rowsAffected: number }>;
  /** Runs several statements in one request. */
  readonly batch: unknown;
}

/** The members of Drizzle's session that the driver uses. */
interface DrizzleSession {
  readonly prepareQuery: (
    query: { readonly sql: string; readonly params: unknown[] },
    fields: undefined,
    method: "all",
    arrayMode: false,
    readRows: (rows: readonly unknown[]) => readonly unknown[],
  ) => { all(): Promise<readonly unknown[]> };
  readonly transaction: <R>(work: (tx: unknown) => Promise<R>) => Promise<R>;
  readonly batch: (
    queries: readonly BatchItem[],
  ) => Promise<readonly { readonly rows: readonly unknown[] }[]>;
  /** The client's transaction; absent outside of transactions. */
  readonly tx?: ClientTransaction;
}

/** The members of the client's transaction that the driver uses. */
interface ClientTransaction {
  execute: (statement: unknown) => Promise<unknown>;
  readonly close: () => void;
}

/** The member of a file's client that the driver uses. */
interface LocalClient {
  readonly transaction: (mode: "deferred") => Promise<LocalTransaction>;
}

/** A transaction of the client of a file. */
interface LocalTransaction {
  readonly executeMultiple: (sql: string) => Promise<unknown>;
  readonly rollback: () => Promise<void>;
}

/** A statement in the shape that Drizzle's batch expects. */
interface BatchItem {
  readonly _prepare: () => {
    readonly getQuery: () => { readonly sql: string; readonly params: unknown[] };
    readonly mapResult: (result: unknown) => unknown;
  };
}

/** One handle for libSQL, or one transaction of it. */
export interface LibsqlConnection extends Connection {
  /** Runs statements with the same parameters in one request and one transaction; returns the rows of the first. */
  readonly batch: <Row>(
    statements: readonly Statement[],
    parameters: readonly Parameter[],
  ) => Promise<readonly Row[]>;
  /** Opens a transaction that writes, or inside one a savepoint. */
  readonly transaction: <R>(work: (tx: unknown) => Promise<R>) => Promise<R>;
  /** Whether this process opens the database itself: a file, or memory. */
  readonly local: boolean;
}

/**
 * Opens a handle.
 *
 * @throws {TypeError} If it is not a Drizzle handle for libSQL.
 */
export function connect(handle: unknown): LibsqlConnection {
  if (!isLibsql(handle)) {
    throw wrongHandle(
      "libSQL",
      "drizzle(createClient({ url })) of drizzle-orm/libsql",
      "handles of drizzle-orm/libsql work with any of its clients, those of D1, better-sqlite3, bun:sqlite and proxies do not",
      handle,
    );
  }
  const session: DrizzleSession = Reflect.get(handle, "session");
  const client: object = Reflect.get(handle, "$client") ?? session;
  const local = textOf(client, "protocol") === "file";
  const run = async <Row>(statement: Statement, parameters: readonly Parameter[]) => {
    const query = { sql: statement.text, params: [...parameters] };
    const prepared = session.prepareQuery(query, undefined, "all", false, (rows) => rows);
    return readRows<Row>(statement, await prepared.all());
  };
  const inTransaction = !("batch" in handle);
  if (inTransaction && session.tx !== undefined) endWithServer(session.tx);
  const transacting: Pick<DrizzleSession, "transaction"> = local && !inTransaction
    ? claiming(session, client as LocalClient)
    : handle;
  return {
    run,
    batch: async <Row>(statements: readonly Statement[], parameters: readonly Parameter[]) => {
      if (inTransaction) {
        const results: (readonly Row[])[] = [];
        for (const statement of statements) results.push(await run<Row>(statement, parameters));
        return results[0]!;
      }
      const [first] = await session.batch(
        statements.map((statement) => batchItem(statement, parameters)),
      );
      return readRows<Row>(statements[0]!, first!.rows);
    },
    transaction: (work) => transacting.transaction(work),
    client,
    local,
    closed: () => Reflect.get(client, "closed") === true,
  };
}

/**
 * Returns Drizzle's session with transactions that take the file's write lock through `executeMultiple`.
 *
 * The client leaves a statement that found the file locked (SQLITE_BUSY) open on its pooled connection, be it `begin
 * immediate` or an insert: that connection then cannot commit, or shows an old state, until the statement is collected
 * as garbage. `executeMultiple` always closes its statements.
 */
function claiming(session: DrizzleSession, client: LocalClient): DrizzleSession {
  const transaction = async () => {
    const tx = await client.transaction("deferred");
    try {
      await tx.executeMultiple("rollback; begin immediate");
    } catch (error) {
      // There is nothing left to roll back, but this releases the connection.
      await tx.rollback().catch(() => {});
      throw error;
    }
    return tx;
  };
  return Object.create(session, { client: { value: { transaction } } });
}

const watched: WeakSet<object> = new WeakSet();

/**
 * Closes a transaction once the server has ended it, as it does with one that idles while others wait.
 *
 * The server reports this only to the next statement: later ones, the user's and ours, would each commit on their own,
 * and the rollback would fail.
 */
function endWithServer(tx: ClientTransaction): void {
  if (watched.has(tx)) return;
  watched.add(tx);
  const execute = tx.execute.bind(tx);
  tx.execute = async (statement) => {
    try {
      return await execute(statement);
    } catch (error) {
      if (textOf(error, "code") === timedOut) tx.close();
      throw error;
    }
  };
}

/** The server's code for the first statement after it has ended a transaction. */
const timedOut = "TRANSACTION_TIMEOUT";

const kinds = ["LibSQLDatabase", "LibSQLTransaction"];

/** Recognizes a handle by Drizzle's marks, so that one of another copy of Drizzle is accepted, too. */
function isLibsql(handle: unknown): handle is LibsqlHandle<unknown> & object {
  if (typeof handle !== "object" || handle === null) return false;
  for (
    let type = handle.constructor;
    typeof type === "function";
    type = Object.getPrototypeOf(type)
  ) {
    if (Object.hasOwn(type, entityKind) && kinds.includes(Reflect.get(type, entityKind))) {
      return true;
    }
  }
  return false;
}

function batchItem({ text }: Statement, parameters: readonly Parameter[]): BatchItem {
  return {
    _prepare: () => ({
      getQuery: () => ({ sql: text, params: [...parameters] }),
      mapResult: (result) => result,
    }),
  };
}

/**
 * Classifies an error of the database or its client by its code, never by its message.
 *
 * @param local Whether this process opens the database itself, so that there is no connection to lose.
 */
export function classify(error: unknown, local: boolean): Classified {
  for (let cause = error; cause instanceof Error; cause = cause.cause) {
    const code = textOf(cause, "extendedCode") ?? textOf(cause, "code");
    if (code === undefined) continue;
    const failure = failureOf(code);
    if (failure !== undefined) {
      return { failure, code, reason: `the database refused with ${code}` };
    }
    const status: unknown = cause.cause && Reflect.get(cause.cause, "status");
    // A refusal by the server, unless it or a proxy has failed (status 5xx).
    return typeof status === "number" && status < 500
      ? {
        failure: "other",
        code,
        reason: `the server refused with HTTP status ${status}`,
        byStatus: true,
      }
      : classifyClient(cause, !local);
  }
  const found = classifyClient(rootOf(error), !local);
  return local && found.failure === "lost"
    ? { failure: "other", code: undefined, reason: "the client failed" }
    : found;
}

/** Classifies a code of the database; undefined for the client's own codes. */
function failureOf(code: string): Failure | undefined {
  if (code.startsWith("SQLITE_BUSY") || code.startsWith("SQLITE_LOCKED")) return "raced";
  if (code.startsWith("SQLITE_CONSTRAINT")) return "refused";
  switch (code) {
    case "TRANSACTION_ACTIVE": // the only connection of an in-memory database is in a transaction
      return "raced";
    case "TRANSACTION_CLOSED":
    case timedOut:
      return "aborted";
    default:
      return /^SQL(ITE|_)/.test(code) ? "other" : undefined;
  }
}
