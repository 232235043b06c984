import {
  type AppendOutcome,
  type AppendRequest,
  BusyError,
  ConnectionError,
  DriverError,
  isEventSourceryError,
  type LogPage,
  type LogQuery,
  MissingSchemaError,
  type Session,
  type StoredEvent,
  type StoredStream,
  type StreamQuery,
  type StreamsQuery,
  TransactionAbortedError,
  UnknownOutcomeError,
} from "../../mod.ts";
import { Turns } from "../turns.ts";
import { type Classified, type Failure, rootOf, Unchanged } from "./failure.ts";
import type { Parameter, Statement, Statements } from "./statement.ts";
import {
  type PageColumns,
  type Placed,
  placedWrites,
  readPage,
  readRefusal,
  readStreams,
  type Refusal,
  type StreamColumns,
} from "./wire.ts";

/** What both engines do alike: everything but the statements, the append itself, locks and transactions. */
export abstract class SqlSession<Db> implements Session<Db> {
  /** The handle for the user's own statements. */
  abstract readonly db: Db;
  /** The statements. */
  protected abstract readonly statements: Statements;
  /** Where the tables are, for messages. */
  protected abstract readonly where: string;
  /** How long a write waits for another transaction, in milliseconds. */
  protected abstract readonly busyTimeout: number;
  /** Whether this session is inside a transaction. */
  protected abstract readonly bound: boolean;
  /** Whether a statement that a unique index refuses takes the transaction around it down. */
  protected abstract readonly refusalAborts: boolean;

  /** Runs a statement; what the database throws goes through `classify`. */
  protected abstract run<Row>(
    statement: Statement,
    parameters: readonly Parameter[],
  ): Promise<readonly Row[]>;
  /** Sends an append; no row where it is refused. */
  protected abstract place(request: AppendRequest): Promise<readonly Placed[]>;
  /** Tells what a database error means. */
  protected abstract classify(error: unknown): Classified;
  /** Resolves once the tables are known to be usable. */
  protected abstract ready(): Promise<void>;
  /** The queue of a database that cannot do this while a transaction is open; undefined where it can. */
  protected abstract queue(kind: "read" | "write"): Turns | undefined;
  /** Opens a transaction or savepoint; commits when the work resolves. */
  protected abstract begin<R>(work: (session: SqlSession<Db>) => Promise<R>): Promise<R>;
  /** Throws what the database throws if the transaction would not be committed. */
  protected abstract probe(): Promise<void>;

  #savepoints: Turns | undefined;

  abstract settled(): Promise<number>;
  abstract delete(tenantId: string, streamId: string): Promise<void>;

  async append(requests: readonly AppendRequest[]): Promise<readonly AppendOutcome[]> {
    const outcomes: AppendOutcome[] = [];
    for (const request of requests) {
      outcomes.push(
        await this.turn("write", async () => {
          await this.usable();
          return await this.#append(request);
        }),
      );
    }
    return outcomes;
  }

  async load(
    { tenantId, streamId, from, to, limit, backwards }: StreamQuery,
  ): Promise<readonly StoredEvent[]> {
    const statement = backwards ? this.statements.loadBackwards : this.statements.load;
    const parameters = [tenantId, streamId, String(from), String(to), String(limit)];
    return readPage(await this.first<PageColumns>("load events", statement, parameters));
  }

  async scan(
    { tenantId, after, until, limit, categories, types, tags }: LogQuery,
  ): Promise<LogPage> {
    const statement = this.statements.scan({
      tenant: tenantId !== undefined,
      categories: categories !== undefined,
      types: types !== undefined,
      tags: tags !== undefined,
    });
    const parameters = [
      String(after),
      String(until),
      String(limit),
      tenantId ?? null,
      ...[categories, types, tags].map(json),
    ];
    const events = readPage(await this.first<PageColumns>("read the log", statement, parameters));
    return { events, scanned: events.length < limit ? until : events.at(-1)!.position };
  }

  async streams(
    { tenantId, category, after, limit }: StreamsQuery,
  ): Promise<readonly StoredStream[]> {
    const parameters = [tenantId, category ?? null, after ?? null, String(limit)];
    return readStreams(
      await this.first<StreamColumns>("list streams", this.statements.streams, parameters),
    );
  }

  async transaction<R>(work: (session: Session<Db>) => Promise<R>): Promise<R> {
    return await this.turn("write", async () => {
      await this.usable();
      let begun = false;
      let failed: { readonly error: unknown } | undefined;
      let committing = false;
      return await this.patiently("run the transaction", async () => {
        try {
          return await this.begin(async (session) => {
            begun = true;
            const result = await work(session).catch((error: unknown) => {
              failed = { error };
              throw error;
            });
            // A swallowed error must not look like success: node-postgres resolves when COMMIT answered ROLLBACK.
            await session.probe();
            committing = true;
            return result;
          });
        } catch (error) {
          // What the work threw reaches the caller as it is, whatever the rollback said.
          if (failed !== undefined) throw new Unchanged(failed.error);
          if (committing && this.classify(error).failure === "lost") {
            throw new UnknownOutcomeError([], { cause: rootOf(error) });
          }
          throw begun ? this.translate("run the transaction", error) : error;
        }
      });
    });
  }

  /**
   * Runs work when nothing stands in its way. Inside a transaction that is a savepoint: two at the same time, or a write
   * beside one, would get into each other.
   */
  protected turn<R>(kind: "read" | "write", work: () => Promise<R>): Promise<R> {
    if (this.bound && kind === "write") {
      this.#savepoints ??= new Turns(this.busyTimeout);
      return this.#savepoints.take(work);
    }
    return this.bound ? work() : this.queue(kind)?.take(work) ?? work();
  }

  /** Runs a statement that reads, and gives its first row. */
  protected async first<Row>(
    action: string,
    statement: Statement,
    parameters: readonly Parameter[],
  ): Promise<Row> {
    return await this.turn("read", async () => {
      await this.usable();
      return await this.patiently(
        action,
        async () => (await this.run<Row>(statement, parameters))[0]!,
      );
    });
  }

  /** Runs work again, as long as only another writer, or `also`, was in its way and there is time left. */
  protected async patiently<R>(action: string, work: () => Promise<R>, also?: Failure): Promise<R> {
    const giveUp = Date.now() + this.busyTimeout;
    while (true) {
      try {
        return await work();
      } catch (error) {
        if (error instanceof Unchanged) throw error.error;
        const again = !isEventSourceryError(error) && !this.bound &&
          ["raced", also].includes(this.classify(error).failure);
        if (!again || Date.now() > giveUp) throw this.translate(action, error);
      }
      await new Promise((resolve) => setTimeout(resolve, 1 + Math.random() * 15));
    }
  }

  /** Runs work whose database errors become errors of this library. */
  protected async translated<R>(action: string, work: () => Promise<R>): Promise<R> {
    try {
      return await work();
    } catch (error) {
      throw this.translate(action, error);
    }
  }

  protected async usable(): Promise<void> {
    await this.patiently("check the tables", () => this.ready());
  }

  /** The error for tables that are not there. */
  protected missing(cause?: unknown): MissingSchemaError {
    return new MissingSchemaError(this.where, { cause });
  }

  /** Makes an error of this library of what a database client threw; its own errors pass. */
  protected translate(action: string, error: unknown): Error {
    if (isEventSourceryError(error)) return error;
    const { failure, code } = this.classify(error);
    const cause = rootOf(error);
    switch (failure) {
      case "missing":
        return this.missing(cause);
      case "aborted":
        return new TransactionAbortedError({ cause });
      case "refused":
        return this.bound
          ? new TransactionAbortedError({ cause })
          : new DriverError(action, { cause, databaseCode: code });
      case "raced":
      case "busy":
        return this.bound
          ? new TransactionAbortedError({ cause })
          : new BusyError(this.busyTimeout, { cause });
      case "lost":
        return new ConnectionError({ cause });
      default:
        return new DriverError(action, { cause, databaseCode: code });
    }
  }

  async #append(request: AppendRequest): Promise<AppendOutcome> {
    return await this.patiently("append events", async () => {
      try {
        const rows = await this.place(request);
        return rows.length > 0
          ? { status: "stored", writes: placedWrites(request, rows) }
          : await this.#explain(request);
      } catch (error) {
        const failure = isEventSourceryError(error) ? "other" : this.classify(error).failure;
        if (failure === "raced" && this.bound) return abortedOutcome(request);
        if (failure === "refused" && !(this.bound && this.refusalAborts)) {
          return await this.#explain(request);
        }
        if (failure === "lost" && !this.bound) return await this.#resolve(request, error);
        throw error;
      }
    });
  }

  async #explain({ tenantId, writes }: AppendRequest): Promise<AppendOutcome> {
    const streamIds = JSON.stringify(writes.map(({ streamId }) => streamId));
    const ids = JSON.stringify(writes.flatMap(({ events }) => events.map(({ id }) => id)));
    // Where serializable is the default, this is refused too when others write meanwhile.
    const [answer] = await this.patiently(
      "append events",
      () => this.run<Refusal>(this.statements.explain, [tenantId, streamIds, ids]),
    );
    return { status: "refused", ...readRefusal(answer!), transactionAborted: false };
  }

  /** No answer came to an append: if its events are there, it succeeded; else it may still, and only a resend tells. */
  async #resolve(request: AppendRequest, cause: unknown): Promise<AppendOutcome> {
    const options = { cause: rootOf(cause) };
    let outcome: AppendOutcome;
    try {
      outcome = await this.#explain(request);
    } catch (error) {
      if (this.closed(options.cause)) throw new ConnectionError(options);
      throw isEventSourceryError(error, "CONNECTION")
        ? new UnknownOutcomeError(streamIdsOf(request), options)
        : error;
    }
    if (outcome.status === "refused" && outcome.known.length > 0) return outcome;
    throw new UnknownOutcomeError(streamIdsOf(request), options);
  }

  /** Whether the client was closed, as it or its error says, so that nothing can have been sent. */
  protected abstract closed(error: unknown): boolean;
}

function streamIdsOf({ writes }: AppendRequest): readonly string[] {
  return writes.map(({ streamId }) => streamId);
}

function abortedOutcome({ writes }: AppendRequest): AppendOutcome {
  return { status: "refused", versions: writes.map(() => -1), known: [], transactionAborted: true };
}

function json(list: readonly string[] | undefined): Parameter {
  return list === undefined ? null : JSON.stringify(list);
}
